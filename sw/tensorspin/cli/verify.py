"""The command ``tensorspin verify``: whether a program file is what its owner has signed."""

from __future__ import annotations

from pathlib import Path

from .given_files import load_program
from .report import Line


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("model", type=Path, help="signed program, a .npz file")
    parser.add_argument(
        "--key", type=Path, required=True, metavar="PUB", help="public key of the program's owner"
    )
    parser.set_defaults(command=_verify)


def _verify(options) -> int:
    from ..compiler.signing import key_fingerprint

    program = load_program(options.model, options.key)
    options.report.table(
        Line("verified", options.model, key="model"),
        Line("key", key_fingerprint(options.key)),
        Line("nodes", len(program.nodes)),
    )
    return 0
