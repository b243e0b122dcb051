"""The command ``tensorspin run``: predict on a board, with a program that ``train`` has written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..files import text_file
from .common import (
    DATA_HELP,
    DEFAULT_URL,
    URL_DEFAULT_HELP,
    check_output,
    match_labels,
)
from .quality import as_numbers, class_lines, number_lines, outlier_lines
from .reading_options import add_reading_options, known_of, reading_of
from .report import Line


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    run = commands.add_parser(
        "run", help="measure on a board how good a trained program's predictions are"
    )
    run.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    run.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_DEFAULT_HELP)
    run.add_argument(
        "--data",
        required=True,
        help=f"{DATA_HELP}; its held-out samples are predicted. tensorspin predict answers rows "
        "without a target, too",
    )
    run.add_argument(
        "--all",
        action="store_true",
        help="predict all samples, those included that the program may have been trained with",
    )
    run.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="predict only the first N of these samples, at least 1; by default all",
    )
    run.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write predictions and scores to this .csv file",
    )
    add_reading_options(run)
    run.set_defaults(command=_run)


def _run(options) -> int:
    from ..compiler import NetworkProgram
    from ..compiler.outputs import Classification, Regression
    from ..driver.board import Board
    from ..progress import progress_bar

    # What can be wrong is found out before the board is opened.
    if options.samples is not None and options.samples < 1:
        raise ValueError(f"--samples must be at least 1, not {options.samples}")
    if options.output is not None:
        check_output(options.output, options.model, options.data)
    program = NetworkProgram.load(options.model)
    X, y, described = _samples(program, options)
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
            result = board.run(levels, progress=progress)
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
            f"{seconds * 1e6:.1f} us at {clock_hz / 1e6:g} MHz",
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


def _samples(program, options) -> tuple[np.ndarray, np.ndarray, list[Line]]:
    """Read the samples to predict; return features, targets, and lines that say which they are."""
    from ..compiler.outputs import OutlierDetection, Regression
    from ..data.datasets import TEST_SIZE, load_dataset, load_samples

    task = program.task
    kinds = {Regression: "numbers", OutlierDetection: "outliers"}
    reading, known = reading_of(options, kinds.get(type(task), "classes")), known_of(program)
    numbers = None
    if options.all:
        samples = load_samples(options.data, reading=reading, known=known)
        parts = [(samples.X, samples.y), *([] if samples.held_out is None else [samples.held_out])]
        X, y = (np.concatenate(each) for each in zip(*parts))
        which, target = f"all {len(X)}", samples.target
    else:
        data = load_dataset(options.data, reading=reading, known=known)
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
