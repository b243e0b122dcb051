"""The command ``tensorspin run``: predict on a board, with a program that ``train`` has written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..files import check_writable, text_file
from .common import (
    DATA_HELP,
    DEFAULT_URL,
    URL_DEFAULT_HELP,
    add_header_option,
    match_labels,
)
from .report import Line


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    run = commands.add_parser("run", help="predict on a board with a trained program")
    run.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    run.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_DEFAULT_HELP)
    run.add_argument(
        "--data", required=True, help=f"{DATA_HELP}; its held-out samples are predicted"
    )
    add_header_option(run)
    run.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="predict only the first N held-out samples, at least 1; by default all",
    )
    run.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write predictions and scores to this .csv file",
    )
    run.set_defaults(command=_run)


def _run(options) -> int:
    from ..compiler import NetworkProgram
    from ..compiler.outputs import Classification, Regression
    from ..data.datasets import load_dataset
    from ..driver.board import Board
    from ..progress import progress_bar

    # What can be wrong is found out before the board is opened.
    if options.samples is not None and options.samples < 1:
        raise ValueError(f"--samples must be at least 1, not {options.samples}")
    if options.output is not None:
        check_writable(options.output)
    program = NetworkProgram.load(options.model)
    data = load_dataset(options.data, header=options.header)
    X, y = data.X_test[: options.samples], data.y_test
    levels = program.levels(X)
    if isinstance(program.task, Classification):
        # All labels are compared: labels that are shifted by one may agree in the first samples.
        y = match_labels(program.classes, y, options.data)
    elif isinstance(program.task, Regression):
        y = _numbers(y, options.data)
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
        *_quality(program, predictions, y),
        Line("cycles per sample", cycles, f"{cycles:.0f}"),
        Line(
            "computing per sample",
            seconds,
            f"{seconds * 1e6:.1f} us at {clock_hz / 1e6:g} MHz",
            "computing_seconds_per_sample",
        ),
    )
    options.report.record(url=options.board, clock_hz=clock_hz)
    if options.output is not None:
        _write_answers(options.output, program, predictions, result)
        options.report.say(f"written to {options.output}")
        options.report.record(output=options.output)
    return 0


def _numbers(y, source: str) -> np.ndarray:
    """Return targets as numbers, and refuse words, of which a regressor predicts none."""
    try:
        return np.asarray(y, dtype=np.float64)
    except ValueError as error:
        raise ValueError(
            f"{source}: the program predicts numbers, the data have none: {error}"
        ) from error


def _quality(program, predictions, y) -> list[Line]:
    """Measure the predictions as suits the program's task: classes, numbers or outliers."""
    from ..compiler.outputs import Classification, Regression

    if isinstance(program.task, Classification):
        accuracy = np.mean(predictions == y)
        return [Line("accuracy", accuracy, f"{accuracy:.2%}")]
    if not isinstance(program.task, Regression):
        outliers = np.mean(predictions == -1)
        return [Line("outliers", outliers, f"{outliers:.2%}")]
    squares, spread = np.mean((predictions - y) ** 2), np.var(y)
    # R^2 is the share of the targets' variance that the predictions explain; targets that are all
    # the same have no variance.
    explained = 1 - squares / spread if spread > 0 else None
    root = np.sqrt(squares)
    return [
        Line("root mean square error", root, f"{root:.6g}"),
        Line("R^2", explained, "-" if explained is None else f"{explained:.4f}", "r2"),
    ]


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
