"""The command line: ``tensorspin COMMAND ...``."""

from __future__ import annotations

import argparse
import sys

from ..errors import TensorspinError
from . import anneal, demo, estimate, info, link_test, ports, run, train, udev
from .common import print_any_character

COMMANDS = (demo, train, estimate, run, anneal, info, link_test, ports, udev)
"""Modules of the commands, in the order in which ``tensorspin --help`` lists them."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line, without the program's name. By default those of this process.

    Returns
    -------
    int
        Exit status: 0 if all went well; 1 if the command's answer is no (a program does not fit, a
        board's answers differ) or it failed; 2 if the arguments are wrong; 130 if interrupted.
    """
    print_any_character()
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        print(f"tensorspin {_version()}")
        return 0
    if "command" not in options:
        parser.print_help(sys.stderr)
        return 2
    try:
        return options.command(options)
    except (TensorspinError, ValueError, FloatingPointError, OSError) as error:
        # Messages are wrapped for the source code; on the terminal each takes one line.
        print(f"tensorspin: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tensorspin: interrupted", file=sys.stderr)
        return 130  # as shells report a program that Ctrl-C ended: 128 + SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tensorspin",
        description="Tensor networks and Ising models on small FPGAs: train, quantise, anneal.",
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return parser


def _version() -> str:
    """Version of the package that is installed, or that it is not."""
    # Imported late, since no command needs it.
    from importlib import metadata

    try:
        return metadata.version("tensorspin")
    except metadata.PackageNotFoundError:
        return "of unknown version: the package is not installed, only on the path"


if __name__ == "__main__":
    sys.exit(main())
