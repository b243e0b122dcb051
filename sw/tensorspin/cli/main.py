"""The command line: ``tensorspin COMMAND ...``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from ..errors import TensorspinError
from . import (
    anneal,
    bitstream,
    bridge,
    demo,
    estimate,
    export,
    info,
    link_test,
    ports,
    predict,
    run,
    selftest,
    train,
    udev,
)
from .common import print_any_character
from .logs import NORMAL, QUIET, VERBOSE, logs_on_stderr
from .report import ReaderGone, Report, discard_output, one_line, printable

COMMANDS = (
    demo,
    train,
    estimate,
    export,
    run,
    predict,
    anneal,
    info,
    link_test,
    selftest,
    bridge,
    ports,
    udev,
    bitstream,
)
"""Modules of the commands, in the order in which ``tensorspin --help`` lists them."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells report a program that this signal ended: 128 + SIGINT."""

READER_GONE = 141
"""Exit status if nobody reads the output any more, as shells report it: 128 + SIGPIPE."""

# This module's own name is "__main__" if Python runs it (python -m tensorspin.cli.main).
_logger = logging.getLogger("tensorspin.cli.main")


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
        board's answers differ) or it failed; 2 if the arguments are wrong; `INTERRUPTED`;
        `READER_GONE`; 128 plus the number of another signal that has ended it.

    Raises
    ------
    SystemExit
        If the arguments are wrong, with status 2, or after the help.
    """
    print_any_character()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parser().parse_args(words)
    except _WrongArgumentsError as error:
        error.parser.print_usage(sys.stderr)
        print(printable(f"{error.parser.prog}: error: {one_line(error)}"), file=sys.stderr)
        # The words can't be understood, so that this one is looked for among them.
        Report(error.parser.prog.partition(" ")[2], "--json" in words).fail(str(error))
        raise SystemExit(2) from None
    options.report = Report(options.name or "", options.json)
    with logs_on_stderr(options.verbosity), _signals_as_interruptions():
        try:
            return _run(options)
        except ReaderGone:
            discard_output()
            return READER_GONE
        except OSError as error:  # of standard output: its disk is full
            _logger.error("%s", error)
            discard_output()
            return 1


def _run(options: argparse.Namespace) -> int:
    """Run the command of the options, and end its report."""
    report: Report = options.report
    if options.version:
        report.say(f"tensorspin {_version()}")
        report.record(version=_version())
        report.finish()
        return 0
    if "command" not in options:
        _parser().print_help(sys.stderr)
        report.fail("no command is given")
        return 2
    try:
        status = options.command(options)
    except (TensorspinError, ValueError, FloatingPointError, OSError) as error:
        _logger.error("%s", error)
        _logger.debug("where it happened:", exc_info=True)
        report.fail(error)
        return 1
    except _SignalledInterrupt as error:
        _logger.error("ended by %s", error.signal.name)
        report.fail(f"ended by {error.signal.name}")
        return 128 + error.signal
    except KeyboardInterrupt:
        _logger.error("interrupted")
        report.fail("interrupted")
        return INTERRUPTED
    except ReaderGone:
        raise
    except Exception as error:
        report.fail(error)  # a fault of this program, of which Python prints the traceback
        raise
    report.finish()
    return status


class _SignalledInterrupt(KeyboardInterrupt):
    """Another signal than that of Ctrl-C asks the command to end."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


@contextmanager
def _signals_as_interruptions() -> Iterator[None]:
    """Let ``kill``, ``timeout`` or the end of a session end a command as Ctrl-C does.

    Python would otherwise end at once, lose answers that are not under their name yet, and leave a
    temporary file behind. What the caller has chosen stays, such as to ignore SIGHUP (``nohup``).
    """

    def end(number: int, _frame: object) -> NoReturn:
        raise _SignalledInterrupt(number)

    changed = []
    if threading.current_thread() is threading.main_thread():  # others may not choose
        for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, end)
                changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


class _WrongArgumentsError(Exception):
    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self.parser = parser


class _Parser(argparse.ArgumentParser):
    """A parser that raises an exception instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise _WrongArgumentsError(self, message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tensorspin",
        description="Tensor networks and Ising models on small FPGAs: train, quantise, anneal.",
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", dest="name")
    for module in COMMANDS:
        module.add(commands)
    add_output_options(parser)
    for command in commands.choices.values():
        add_output_options(command)
    # These are defaults of the namespace: a command's parser would otherwise overwrite what stands
    # before the command.
    parser.set_defaults(verbosity=NORMAL, json=False)
    return parser


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all commands have, which may stand before or after its name."""
    group = parser.add_argument_group("output")
    levels = group.add_mutually_exclusive_group()
    levels.add_argument(
        *("-q", "--quiet"),
        action="store_const",
        const=QUIET,
        dest="verbosity",
        default=argparse.SUPPRESS,
        help="on standard error, tell warnings and errors only: no progress",
    )
    levels.add_argument(
        *("-v", "--verbose"),
        action="store_const",
        const=VERBOSE,
        dest="verbosity",
        default=argparse.SUPPRESS,
        help="on standard error, tell each step, and where an error happened",
    )
    group.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="write the result as JSON to standard output, an error too; numbers have units "
        "without a prefix (seconds, bytes), and are null if they are not finite",
    )


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
