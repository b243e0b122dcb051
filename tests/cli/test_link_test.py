"""The command ``tensorspin link-test``."""

from __future__ import annotations

import re

from tests.support.command_line import GOLDEN, run


def test_link_test(capsys):
    status, out, _ = run(capsys, "link-test", GOLDEN, "--seconds", "0.2")
    assert status == 0
    assert re.search(r"round trip [\d.]+ ms, to the device [\d.]+ kB/s", out)
