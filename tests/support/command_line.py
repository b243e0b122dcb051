"""Runs commands as the command line does."""

from __future__ import annotations

from tensorspin.cli.main import main

GOLDEN = "golden://icebreaker"


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Run ``tensorspin`` with arguments; returns the exit status, stdout and stderr."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err
