"""The command ``tensorspin selftest``."""

from __future__ import annotations

import json

from tensorspin.driver.transports import golden
from tensorspin.golden.device import GoldenDevice

from ..support.command_line import GOLDEN, document, run
from ..support.doubles import SilentDevice


def test_a_report_to_paste(capsys):
    status, out, _ = run(capsys, "selftest", GOLDEN)
    assert status == 0
    for part in ("python", "platform", "numpy", "build", "PASS  memories", "SKIP  annealer"):
        assert part in out
    assert "virtual: no measurement of hardware" in out and "all checks passed" in out


def test_json(capsys):
    found = document(capsys, "selftest", GOLDEN, "--json")
    assert found["passed"] and found["board"] == "icebreaker"
    names = [check["name"] for check in found["checks"]]
    assert names[0] == "greeting" and "contractor" in names
    assert {check["verdict"] for check in found["checks"]} == {"PASS", "SKIP"}


def test_a_board_that_fails(capsys, monkeypatch):
    class Deaf(GoldenDevice):
        """Forgets what is written to its memories."""

        def _write(self, payload):
            reply = super()._write(payload)
            for memory in self.memories.values():
                memory[:] = bytes(len(memory))
            return reply

    monkeypatch.setattr(golden, "GoldenDevice", Deaf)
    status, out, _ = run(capsys, "selftest", GOLDEN)
    assert status == 1
    assert "FAIL  memories" in out and "what to do: load the bitstream again" in out
    assert "FAIL  contractor" in out and "the board has FAILED" in out


def test_a_board_that_does_not_answer(capsys, monkeypatch):
    monkeypatch.setattr(golden, "GoldenDevice", SilentDevice)
    status, out, _ = run(capsys, "selftest", GOLDEN, "--json")
    found = json.loads(out)
    assert status == 1 and not found["passed"]
    (check,) = found["checks"]
    assert check["name"] == "greeting" and "no Tensorspin device answers" in check["found"]
    assert check["hint"]


def test_a_board_that_there_is_not(capsys):
    status, out, _ = run(capsys, "selftest", "golden://nonesuch")
    assert status == 1 and "FAIL  greeting" in out and "known:" in out
    assert "cable" not in out
