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


def test_info_of_an_annealer(capsys):
    status, out, _ = run(capsys, "info", "golden://ulx3s_25f_annealer")
    assert status == 0
    for line in (r"spins +256", r"couplings +4 bits, -7 to 7", r"replicas +16"):
        assert re.search(line, out)
    assert "lanes" not in out and "model" not in out
