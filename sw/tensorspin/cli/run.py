"""The command ``tensorspin run``: predict on a board, with a program that ``train`` has written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..contract.contractor.rows import Mode
from ..files import text_file
from .common import (
    DATA_HELP,
    DEFAULT_URL,
    URL_DEFAULT_HELP,
    check_output,
)
from .given_files import load_program
from .quality import as_numbers, class_lines, match_labels, number_lines, outlier_lines
from .reading_options import add_reading_options, known_of, reading_of
from .report import Line
from .sign import add_signature_option


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    parser.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_DEFAULT_HELP)
    parser.add_argument(
        "--data",
        required=True,
        help=f"{DATA_HELP}; its held-out samples are predicted. tensorspin predict answers rows "
        "without a target, too",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="predict all samples, those included that the program may have been trained with",
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="predict only the first N of these samples, at least 1; by default all",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write predictions and scores to this .csv file",
    )
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        help="throughput: each group of the board's lanes computes a sample of its own; single: "
        "all groups compute one sample together, where the board can, and answer soonest; by "
        "default single for one sample and throughput for more",
    )
    add_signature_option(parser)
    add_reading_options(parser)
    parser.set_defaults(command=_run)


def _run(options) -> int:
    from ..compiler.outputs import Classification, Regression
    from ..driver.board import Board
    from ..progress import progress_bar

    # What can be wrong is found out before the board is opened.
    if options.samples is not None and options.samples < 1:
        raise ValueError(f"--samples must be at least 1, not {options.samples}")
    if options.output is not None:
        check_output(options.output, options.model, options.data)
    program = load_program(options.model, options.require_signature)
    X, y, described = chosen_samples(program, options)
    X = X[: options.samples]
    levels = program.encode(X)  # the columns were found by their names
    if isinstance(program.task, Classification):
        # All labels are compared: labels that are shifted by one may agree in the first samples.
        y = match_labels(program.classes, y, options.data)
    elif isinstance(program.task, Regression):
        y = as_numbers(y, f"{options.data}: the program predicts numbers, the data have none")
    y = y[: options.samples]
    with Board.open(options.board) as board:
        with progress_bar("streaming weights", "B") as progress:
            board.load(program, progress=progress)
        with progress_bar("contracting", "sample") as progress:
            result = board.run(levels, mode=options.mode, progress=progress)
        clock_hz = board.info.clock_hz
    predictions = program.interpret(result.scores, result.exponents)
    cycles = result.cycles.mean()
    seconds = cycles / clock_hz
    options.report.table(
        Line("samples", len(predictions)),
        *_quality(program, predictions, result, y),
        Line("cycles per sample", cycles, f"{cycles:.0f}"),
        Line(
            "computing per sample",
            seconds,
            f"{short_time(seconds)} at {clock_hz / 1e6:g} MHz",
            "computing_seconds_per_sample",
        ),
        *described,
    )
    options.report.record(url=options.board, clock_hz=clock_hz)
    if options.output is not None:
        _write_answers(options.output, program, predictions, result)
        options.report.say(f"written to {options.output}")
        options.report.record(output=options.output)
    return 0


def chosen_samples(program, options) -> tuple[np.ndarray, np.ndarray, list[Line]]:
    """Read the samples that a command predicts: those that are held out, or all.

    Parameters
    ----------
    program : NetworkProgram
        The program, which tells what columns there must be.
    options : argparse.Namespace
        ``data``, ``all``, ``samples``, and the options of `add_reading_options`.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,) or (0,)
        Targets, if there are any.
    lines : list of Line
        Which samples they are. The caller takes the first ``options.samples`` of them.

    Raises
    ------
    ValueError
        If the task needs targets, and there are none.
    DataError
        If the data can't be read or divided.
    """
    from ..compiler.outputs import OutlierDetection
    from ..data.datasets import TEST_SIZE, load_dataset, load_samples
    from ..data.errors import DataError, SplitError

    task = program.task
    reading, known = reading_of(options, target_kind(task)), known_of(program)
    numbers = None
    if options.all:
        samples = load_samples(options.data, reading=reading, known=known)
        parts = [(samples.X, samples.y), *([] if samples.held_out is None else [samples.held_out])]
        X, y = (np.concatenate(each) for each in zip(*parts))
        which, target = f"all {len(X)}", samples.target
    else:
        try:
            data = load_dataset(options.data, reading=reading, known=known)
        except SplitError as error:
            raise DataError(f"{error.reason}; --all takes all samples") from error
        X, y, numbers, target = data.X_test, data.y_test, data.test_rows, data.target
        which = f"the {len(X)} that the file holds out"
        if numbers is not None:
            total = len(X) + len(data.X_train)
            which = f"{len(X)} of {total}, a held-out {TEST_SIZE:.0%}; all with --all"
    if not len(y) and not isinstance(task, OutlierDetection):
        raise ValueError(
            f"{options.data} has no target to compare predictions with: name it with --target, or "
            f"use tensorspin predict"
        )
    if options.samples is not None and options.samples < len(X):
        which = f"the first {options.samples} of {which}"
    used = None if numbers is None else numbers[: options.samples].tolist()
    lines = [Line("rows", {"used": which, "numbers": used}, which)]
    return X, y, [*lines, Line("target", target)] if target else lines


def short_time(seconds: float) -> str:
    """Write a time of up to some milliseconds in microseconds, or in nanoseconds below one."""
    return f"{seconds * 1e6:.1f} us" if seconds >= 1e-6 else f"{seconds * 1e9:.0f} ns"


def target_kind(task) -> str:
    """Tell what the targets of a task are, as `reading_of` takes it."""
    from ..compiler.outputs import OutlierDetection, Regression

    kinds = {Regression: "numbers", OutlierDetection: "outliers"}
    return kinds.get(type(task), "classes")


def _quality(program, predictions, result, y) -> list[Line]:
    """Measure the predictions as suits the program's task: classes, numbers or outliers."""
    from ..compiler.outputs import Classification, Regression

    task = program.task
    if isinstance(task, Classification):
        return class_lines(predictions, y)
    if isinstance(task, Regression):
        return number_lines(predictions, y)
    likelihoods = task.log_likelihood(result.scores, result.exponents, program.log2_scale)
    return outlier_lines(likelihoods, task.offset, y)


def _write_answers(path, program, predictions, result) -> None:
    """Write one line per sample: prediction, likelihood if the task has one, and raw scores."""
    from ..compiler.outputs import Classification, OutlierDetection

    task = program.task
    columns = {"class" if isinstance(task, Classification) else "prediction": predictions}
    if isinstance(task, OutlierDetection):
        columns["log-likelihood"] = task.log_likelihood(
            result.scores, result.exponents, program.log2_scale
        )
    columns["exponent"] = result.exponents
    names = program.classes if isinstance(task, Classification) else range(program.n_outputs)
    columns.update((f"score {name}", scores) for name, scores in zip(names, result.scores.T))
    with text_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
