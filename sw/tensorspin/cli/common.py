"""What several commands share: default board, help texts, options, and some lines of reports."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import Any

from ..files import check_writable
from .logs import QUIET, VERBOSE
from .report import Line

DEFAULT_BOARD = "icebreaker"
"""Board that commands assume if none is named."""

DEFAULT_URL = f"sim://{DEFAULT_BOARD}"
"""Where commands look for that board: its simulation, so that no hardware is needed."""

URL_HELP = (
    "where the board is: sim://NAME (its gateware, simulated cycle by cycle), golden://NAME (its "
    "NumPy model, quicker), a serial port such as /dev/ttyUSB1, or an "
    "SPI port such as spi:///dev/spidev0.0?speed=20e6&irq=gpiochip0:25"
)
URL_DEFAULT_HELP = f"{URL_HELP}; by default {DEFAULT_URL}"
DATA_HELP = (
    "data set: digits, iris, wine, breast_cancer, or a .npz file (arrays X_train, y_train), or a "
    ".csv file or other table of text, also compressed by gzip, or - for one on standard input"
)


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all commands have, which may stand before or after its name.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of the program, of a command, or of a command of a command.
    """
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


def add_header_option(parser) -> None:
    """Add ``--header``, which commands that read ``.csv`` files have, to a command's parser."""
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the first line of a .csv file holds names of columns; auto, the default, "
        "recognises words, and running integers such as 0,1,2",
    )


def add_model_options(parser) -> None:
    """Add what commands that read model files have to a command's parser."""
    parser.add_argument(
        "--format",
        metavar="NAME",
        help="format of a model file: rudy, sparse, bq, qs, qubo, dimacs, mtx, mtx-qubo, mtx-cut, "
        "coo, json, dimod, cqm or lp; by default recognised from its content and suffix",
    )
    parser.add_argument(
        "--maximise",
        "--maximize",
        action="store_true",
        help="take the file's quadratic form or energy as to be maximised, as those of MQLib's "
        "QUBO files are; a cut is maximised in any case",
    )
    parser.add_argument(
        "--lagrange-multiplier",
        type=float,
        metavar="X",
        help="weight of the penalty for breaking a constraint of a CQM or LP file; by default ten "
        "times the largest coefficient of its objective",
    )


def model_options(options) -> dict[str, Any]:
    """Give the arguments of `tensorspin.data.read_model` that these options stand for."""
    return {
        "file_format": options.format,
        "maximise": options.maximise,
        "lagrange_multiplier": options.lagrange_multiplier,
    }


def check_output(path: Path, *sources: str | Path | None) -> None:
    """Refuse a file to write that can't be written, or is also read, before any work.

    Parameters
    ----------
    path : Path
        File to write.
    *sources : str, Path or None
        What the command reads: files, or names of data sets, which are none. A table that is
        replaced by predictions for it is lost.

    Raises
    ------
    OSError
        If the file can't be written.
    ValueError
        If it is one of the sources.
    """
    check_writable(path)
    for source in sources:
        if source is not None and path.exists() and os.path.exists(source):
            if os.path.samefile(path, source):
                raise ValueError(f"{path} is read, and would be replaced; write to another file")


def print_any_character() -> None:
    """Let standard output show characters that its encoding lacks as escapes.

    Files are UTF-8, but a terminal has the encoding of the locale. A name that it cannot show must
    not end a command whose work is done.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def narrow_nodes(program) -> Line:
    """Count the nodes of a program (tensors of the network) whose weights are stored in 4 bits."""
    few, nodes = sum(node.few_bits for node in program.nodes), len(program.nodes)
    protected = sum(node.protected for node in program.nodes)
    return Line(
        "nodes of 4-bit weights",
        {"narrow": few, "protected": protected, "all": nodes},
        f"{few} of {nodes}" + (f", {protected} protected" if protected else ""),
        "nodes",
    )


def kernel_line() -> Line:
    """Report which kernel trained: without the compiled one, training takes several times as long.

    Returns
    -------
    Line
        The set of instructions of the compiled kernel, or ``numpy``.
    """
    from ..models.kernel import instructions

    name = instructions()
    by = "NumPy, without the compiled kernel" if name is None else f"compiled kernel ({name})"
    return Line("trained by", name or "numpy", by, "kernel")
