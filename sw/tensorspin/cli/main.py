"""The command line: ``tensorspin COMMAND ...``."""

from __future__ import annotations

import argparse
import importlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NoReturn

from ..errors import TensorspinError
from .common import add_output_options, print_any_character
from .logs import NORMAL, logs_on_stderr
from .report import ReaderGone, Report, discard_output, one_line, printable

COMMANDS = {
    "demo": "train a classifier of handwritten digits and run it on a board",
    "train": "train a classifier, a regressor or an anomaly detector, and write its program for a "
    "board",
    "estimate": "say whether a program fits a board and how fast it is, or how exactly an Ising or "
    "QUBO model fits; without a model, what the board's engines hold",
    "feasibility": "say whether a quantum processor could answer beside a board by a deadline, and "
    "which barrier decides",
    "export": "write a trained program for a microcontroller that drives a board over SPI, or for "
    "an engine as a Verilog module in your own design",
    "spatial": "describe an engine for a program's shape, with a multiplier for each product: the "
    "answer comes in a fraction of a microsecond",
    "sign": "sign a trained program, so that boards can be kept from running others",
    "verify": "check that a program file is, byte for byte, what was signed with a key",
    "lock": "approve a trained program for boards that are locked with a key, or make the key",
    "run": "measure on a board how good a trained program's predictions are",
    "predict": "predict every row of a table or a stream on a board",
    "audit": "measure accuracy, calibration, attacks, faults and unusual samples of a program on a "
    "board, and write a model card",
    "anneal": "minimise an Ising or QUBO model on a board",
    "info": "show a board's engines, clock and build, and the model that it holds; what fits a "
    "board, tensorspin estimate tells of a file",
    "link-test": "measure round trip time and throughput of the connection to a board",
    "selftest": "check a board from the line to the engines, and print a report; the program that "
    "it holds is lost",
    "bridge": "let other programs talk to a virtual board as to a board at a serial port, until "
    "Ctrl-C",
    "serve": "share boards with others over HTTPS, until Ctrl-C",
    "appliance": "share a quantum computer or a simulator with others over HTTPS, until Ctrl-C",
    "ports": "list the serial ports, guess which board each belongs to, and list SPI ports",
    "udev": "print udev rules for Linux that let users open the boards without being root",
    "bitstream": "build a board's bitstream (synthesis, place and route: minutes), and load it",
}
"""Names of the commands, in the order in which ``tensorspin --help`` lists them, and what it says
of each. A command's module has its name, with ``_`` for ``-``, and a function ``add_options``. The
module is imported when the command is called, so that the list of commands does not wait for NumPy.
"""

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
        options = _parser(words).parse_args(words)
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
        _parser([]).print_help(sys.stderr)
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


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """Make the parser of the program, with the options of the commands that are among the words."""
    parser = _Parser(
        prog="tensorspin",
        description="Tensor networks and Ising models on small FPGAs: train, quantise, anneal.",
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", dest="name")
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what)
        if name in words:
            _module(name).add_options(command)
        add_output_options(command)
    add_output_options(parser)
    # These are defaults of the namespace: a command's parser would otherwise overwrite what stands
    # before the command.
    parser.set_defaults(verbosity=NORMAL, json=False)
    return parser


def _module(command: str) -> ModuleType:
    """Import the module of a command."""
    return importlib.import_module(f".{command.replace('-', '_')}", __package__)


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
