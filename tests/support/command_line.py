"""Runs commands as the command line does."""

from __future__ import annotations

import json

from tensorspin.cli.main import main

GOLDEN = "golden://icebreaker"


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Run ``tensorspin`` with arguments; returns the exit status, stdout and stderr."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def document(capsys, *arguments) -> dict:
    """Run ``tensorspin``, which must succeed and write a single JSON document; returns that."""
    status, out, _ = run(capsys, *arguments)
    assert status == 0 and out.count("\n") == 1
    return json.loads(out)
