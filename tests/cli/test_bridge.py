"""The command ``tensorspin bridge``: it prints where the board is, and ends with Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from tensorspin.driver.board import Board
from tests.support.command_line import run


@pytest.mark.parametrize("as_json", [False, True])
def test_the_bridge_prints_its_url_serves_and_ends_with_ctrl_c(as_json):
    command = [sys.executable, "-m", "tensorspin.cli.main", "bridge", "golden://icebreaker"]
    command += ["--tcp", "127.0.0.1:0", *(["--json"] if as_json else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            url = json.loads(line)["url"] if as_json else line.split()[1]
            with Board.open(url) as board:
                assert board.info.board == "icebreaker"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_what_cannot_be_bridged_is_a_sentence(capsys):
    for words, message in (
        (("golden://icebreaker", "--tcp", "7000"), "the address must be HOST:PORT"),
        (("golden://icebreaker", "--tcp", "0.0.0.0:1"), "one of the loopback interface"),
        (("/dev/ttyUSB0",), "a bridge is for virtual boards"),
    ):
        status, _, err = run(capsys, "bridge", *words)
        assert status == 1 and message in err
