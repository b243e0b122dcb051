"""The command ``tensorspin predict``: an answer for each row of a file or of an endless stream.

Rows are read, predicted and written in batches. A batch is what has arrived, and no more than the
board computes in `_BATCH_SECONDS`, so that memory is bounded, a live pipe gets its answers at once,
and a board is kept busy by a file.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import TensorspinError
from ..files import text_file
from ..progress import progress_bar
from .common import DATA_HELP, DEFAULT_URL, URL_DEFAULT_HELP, check_output
from .given_files import load_program
from .reading_options import add_reading_options, known_of, reading_of
from .report import Line, Report, jsonable
from .sign import add_signature_option

if TYPE_CHECKING:
    from ..compiler import NetworkProgram
    from ..contract.contractor.results import ContractorResults
    from ..data.errors import DataError
    from ..data.row_stream import Batch
    from ..driver.board import Board

_logger = logging.getLogger(__name__)

_BATCH_SECONDS = 0.5
"""Seconds that a batch should take. Its answers are written when all of it is computed."""

_FIRST_BATCH = 16
"""Rows of the first batch, which shows how fast the board is."""

_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
"""Suffixes of files that get JSON lines without ``--json``."""

Answer = dict[str, Any]
"""An answer: names and values of its columns, of which ``scores`` is a mapping."""


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    parser.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_DEFAULT_HELP)
    parser.add_argument(
        "--data",
        required=True,
        metavar="FILE",
        help=f"{DATA_HELP}. All rows are predicted in their order, with or without a target; of "
        "an archive the array X, or else X_train and X_test",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the answers to this file, as JSON lines if it ends in .json, .jsonl or "
        ".ndjson; by default to standard output",
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help="also write what the board has returned for each row: scores and their exponent, and "
        "the log-likelihood if outliers are looked for",
    )
    add_signature_option(parser)
    add_reading_options(parser)
    parser.set_defaults(command=_predict)


def _predict(options) -> int:
    from ..data.row_stream import open_rows
    from ..data.text_lines import STANDARD_INPUT
    from ..driver.board import Board

    output = options.output
    if output is not None and str(output) == STANDARD_INPUT:
        output = None
    if output is not None:
        check_output(output, options.model, options.data)
    program = load_program(options.model, options.require_signature)
    reading = reading_of(options)
    with ExitStack() as stack:
        rows = open_rows(options.data, reading, known_of(program))
        # A file is looked at before a board is opened; a stream may have nothing to look at yet.
        first = [rows] if options.data != STANDARD_INPUT else []
        batches = [stack.enter_context(each) for each in first]
        board = stack.enter_context(Board.open(options.board))
        with progress_bar("streaming weights", "B", delay=1.0) as progress:
            board.load(program, progress=progress)
        if not batches:
            batches = [stack.enter_context(rows)]
        count = _write_answers(board, program, batches[0], output, options)
    if output is not None:
        options.report.table(Line("rows", count), Line("answers", output, key="output"))
    _logger.debug("%d rows are predicted on %s", count, options.board)
    return 0


def _write_answers(board: Board, program: NetworkProgram, rows, output, options) -> int:
    """Predict and write row after row; what is written stays if a later row is bad."""
    failure: BaseException | None = None
    count = 0
    as_json = options.json or (output is not None and output.suffix in _JSON_SUFFIXES)
    with _destination(options.report, output, as_json, program, options.scores) as write:
        try:
            # Bars on a terminal would be mixed up with answers there.
            quiet = output is None and sys.stdout is not None and sys.stdout.isatty()
            with progress_bar("predicting", "row", delay=1e9 if quiet else 2.0) as progress:
                for answers in _answers(board, program, rows, options.scores):
                    write(answers)
                    count += len(answers)
                    progress(count, 0)  # nobody knows how many there will be
        except (TensorspinError, ValueError, OSError, KeyboardInterrupt) as error:
            if output is None:
                raise
            failure = error
    if failure is not None:
        _logger.info("%d answers are in %s", count, output)
        raise failure
    return count


@contextmanager
def _destination(report: Report, output: Path | None, as_json: bool, program, scores: bool):
    """Yield a function that writes answers to a file, or to standard output at once."""
    names = _columns(program, scores)
    if output is not None:
        with text_file(output) as file:
            write = file.write
            if not as_json:
                write(_csv_text([names]))
            yield lambda answers: write(_text(answers, as_json))
        return
    if options_json := report.as_json:
        report.stream()
    else:
        report.write(_csv_text([names]))
        report.flush()

    def write_at_once(answers: list[Answer]) -> None:
        report.write(_text(answers, options_json))
        report.flush()

    yield write_at_once


def _answers(board: Board, program: NetworkProgram, rows, scores: bool) -> Iterator[list[Answer]]:
    """Predict batch after batch, each as large as the time that the last one took suggests."""
    rows.most = _FIRST_BATCH
    for batch in rows:
        levels, refusal = _levels(program, batch)
        if len(levels):
            started = time.perf_counter()
            results = board.run(levels)
            seconds = max(time.perf_counter() - started, 1e-6)
            rows.most = min(2 * rows.most, max(1, int(len(levels) * _BATCH_SECONDS / seconds)))
            yield _interpreted(program, results, batch.first, scores)
        if refusal is not None:
            raise refusal


def _levels(program: NetworkProgram, batch: Batch) -> tuple[np.ndarray, DataError | None]:
    """Return the levels of a batch up to the first row that the program refuses."""
    from ..data.errors import DataError

    try:
        return program.encode(batch.X), None
    except ValueError:
        pass
    for row in range(len(batch.X)):
        try:
            program.encode(batch.X[row : row + 1])
        except ValueError as error:
            message = str(error).replace(" of sample 0", "")
            refusal = DataError(f"{batch.places[row]}: {message}")
            return program.encode(batch.X[:row]), refusal
    raise AssertionError("a batch is refused of which no row is")


def _columns(program: NetworkProgram, scores: bool) -> list[str]:
    """Name the columns of answers, as they stand in a .csv file."""
    from ..compiler.outputs import Classification, OutlierDetection

    task = program.task
    kind = "class" if isinstance(task, Classification) else "value"
    if isinstance(task, OutlierDetection):
        kind = "outlier"
    names = ["row", kind]
    if scores:
        if isinstance(task, OutlierDetection):
            names.append("log_likelihood")
        names += ["exponent", *(f"score {name}" for name in _outputs(program))]
    return names


def _outputs(program: NetworkProgram) -> list:
    from ..compiler.outputs import Classification

    if isinstance(program.task, Classification):
        return program.classes.tolist()
    return list(range(program.n_outputs))


def _interpreted(
    program: NetworkProgram, results: ContractorResults, first: int, scores: bool
) -> list[Answer]:
    from ..compiler.outputs import Classification, OutlierDetection

    task = program.task
    predictions = program.interpret(results.scores, results.exponents).tolist()
    kind = "class" if isinstance(task, Classification) else "value"
    likelihoods = None
    if isinstance(task, OutlierDetection):
        kind = "outlier"
        predictions = [prediction == -1 for prediction in predictions]
        likelihoods = task.log_likelihood(results.scores, results.exponents, program.log2_scale)
    answers: list[Answer] = [
        {"row": row, kind: prediction} for row, prediction in enumerate(predictions, first)
    ]
    if scores:
        names = list(map(str, _outputs(program)))
        columns = zip(answers, results.exponents.tolist(), results.scores.tolist())
        for place, (answer, exponent, values) in enumerate(columns):
            if likelihoods is not None:
                answer["log_likelihood"] = float(likelihoods[place])
            answer["exponent"] = exponent
            answer["scores"] = dict(zip(names, values))
    return answers


def _text(answers: list[Answer], as_json: bool) -> str:
    if as_json:
        return "".join(json.dumps(jsonable(answer), allow_nan=False) + "\n" for answer in answers)
    rows = []
    for answer in answers:
        scores = answer.pop("scores", {})
        if "outlier" in answer:
            answer["outlier"] = str(answer["outlier"]).lower()
        rows.append([*answer.values(), *scores.values()])
    return _csv_text(rows)


def _csv_text(rows: list[list]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
