"""The command line: ``tensorspin COMMAND ...``."""

from __future__ import annotations

import argparse
import sys

from ..errors import TensorspinError
from . import anneal, demo, estimate, info, link_test, ports, run, train, udev


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line, without the program's name.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 if the answer is no or something failed, 2 if the
        arguments are wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (TensorspinError, ValueError, FloatingPointError, OSError) as error:
        print(f"tensorspin: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tensorspin: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tensorspin",
        description="Tensor networks and Ising models on small FPGAs: train, quantise, anneal.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (demo, train, estimate, run, anneal, info, link_test, ports, udev):
        module.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
