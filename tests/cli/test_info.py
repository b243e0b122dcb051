"""The command ``tensorspin info``."""

from __future__ import annotations

import re

from tensorspin.contract.device.boards import find_board
from tests.support.command_line import GOLDEN, run


def test_info(capsys):
    status, out, _ = run(capsys, "info", GOLDEN)
    assert status == 0
    clock = f"{find_board('icebreaker').clock_hz / 1e6:g} MHz"
    for line in (r"board +icebreaker", rf"clock +{clock}", r"lanes +8", r"model +none"):
        assert re.search(line, out)


def test_a_file_is_no_board(capsys, model, tmp_path):
    for command in ("info", "link-test"):
        status, _, err = run(capsys, command, model)
        assert (
            status == 1 and f"{model} is a file, and no board; tensorspin estimate {model} " in err
        )
    status, _, err = run(capsys, "info", tmp_path)
    assert status == 1 and f"{tmp_path} is a folder, and no board" in err


def test_info_of_an_annealer(capsys):
    status, out, _ = run(capsys, "info", "golden://ulx3s_25f_annealer")
    assert status == 0
    for line in (r"spins +256", r"couplings +4 bits, -7 to 7", r"replicas +16"):
        assert re.search(line, out)
    assert "lanes" not in out and "model" not in out
