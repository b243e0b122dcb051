"""The command ``tensorspin demo``: train, quantise, stream to a board, classify there, compare.

`run_demo` is the demonstration from the first step to the last. Its steps follow in their order.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..files import check_writable, make_folder
from ..progress import progress_bar
from .common import DEFAULT_URL, URL_DEFAULT_HELP
from .figures import check_matplotlib
from .report import Report

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram
    from ..contract.contractor.results import ContractorResults
    from ..contract.device.description import DeviceDescription
    from ..data.datasets import Dataset
    from ..driver.board import Board
    from ..models import MPSClassifier

_logger = logging.getLogger(__name__)

FIGURE, PROGRAM = "demo.png", "digits.npz"
"""Names of the files that are written, in the folder that the user names."""

IMAGE_SIDE = 8
"""Height and width of scikit-learn's digits in pixels."""

_COUNTER_VALUES = 1 << 32
"""The device's counter of busy cycles has 32 bits and starts again at 0 after its last value."""


@dataclass(frozen=True)
class Effort:
    """How much the demonstration does.

    Parameters
    ----------
    bond_dim : int
        Bond dimension of the network: length of the vectors that neighbouring tensors exchange.
    epochs : int
        Passes over the training data.
    images : int or None
        Held-out images to classify; None for all.
    """

    bond_dim: int
    epochs: int
    images: int | None


FULL = Effort(bond_dim=16, epochs=100, images=None)
QUICK = Effort(bond_dim=8, epochs=15, images=60)


@dataclass(frozen=True)
class BoardRun:
    """What a board did with the images.

    Parameters
    ----------
    results : ContractorResults
        Scores and cycle count of each image.
    info : DeviceDescription
        The board's description of itself.
    busy_cycles : int
        Clock cycles in which the engine was busy with any image.
    loading_seconds : float
        Time that it took to load the program, by the host's clock.
    """

    results: ContractorResults
    info: DeviceDescription
    busy_cycles: int
    loading_seconds: float


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_DEFAULT_HELP)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="folder for the figure and the program; by default %(default)s",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"train a smaller network for fewer epochs, and classify {QUICK.images} images",
    )
    parser.set_defaults(command=_demo)


def _demo(options) -> int:
    return 0 if run_demo(options.board, options.output, options.quick, options.report) else 1


def run_demo(url: str, output: Path, quick: bool, report: Report) -> bool:
    """Train on handwritten digits and classify the held-out ones on a board.

    Parameters
    ----------
    url : str
        Where the board is, as `tensorspin.Board.open` takes it.
    output : Path
        Folder for the figure and the program; it is made if it does not exist.
    quick : bool
        Whether to train a smaller network and classify fewer images.
    report : Report
        Takes the results.

    Returns
    -------
    bool
        Whether the board's answers equal the golden model's, bit for bit, and took the number of
        cycles that the program promises.

    Raises
    ------
    TensorspinError
        If matplotlib is missing, or the board fails.
    OSError
        If the folder cannot be written.
    """
    from ..data.datasets import load_dataset
    from ..driver.board import Board

    # What can be missing is found out before the training, not after it.
    check_matplotlib()
    make_folder(output)
    for name in (FIGURE, PROGRAM):
        check_writable(output / name)
    effort = QUICK if quick else FULL
    data = load_dataset("digits")
    X, y = data.X_test[: effort.images], data.y_test[: effort.images]

    classifier = _train(data, effort, report)
    program = classifier.quantize()
    golden = program.run_golden(X)
    _logger.info("opening %s ...", url)
    with Board.open(url) as board:
        run = _classify(board, program, X, report)

    _report_accuracy(classifier.predict(X), program, golden, run, y, report)
    same = _compare(run, golden, program, report)
    _report_speed(run, program, report)
    _save(output, classifier, program, run, X, y, report)
    return same


def _train(data: Dataset, effort: Effort, report: Report) -> MPSClassifier:
    from ..models import MPSClassifier

    _logger.info(
        "training a matrix product state of bond dimension %d on %d images of %d pixels ...",
        effort.bond_dim,
        *data.X_train.shape,
    )
    classifier = MPSClassifier(
        effort.bond_dim,
        feature_range=data.feature_range,
        epochs=effort.epochs,
        random_state=0,
        verbose=True,
    )
    started = time.perf_counter()
    classifier.fit(data.X_train, data.y_train)
    seconds = time.perf_counter() - started
    _logger.info("trained in %.1f s", seconds)
    report.record(training_seconds=seconds)
    return classifier


def _classify(board: Board, program: NetworkProgram, X: np.ndarray, report: Report) -> BoardRun:
    """Load the program, classify all images, and count the cycles that the engine was busy."""
    started = time.perf_counter()
    with progress_bar("streaming weights", "B") as progress:
        # A board that still holds the program would skip the upload, which is to be shown.
        board.load(program, force=True, progress=progress)
    loading = time.perf_counter() - started
    before = board.status().busy_cycles
    started = time.perf_counter()
    with progress_bar("classifying", "image") as progress:
        results = board.run(program.levels(X), progress=progress)
    elapsed = time.perf_counter() - started
    busy = (board.status().busy_cycles - before) % _COUNTER_VALUES
    _logger.info("%d images classified in %.1f s on %s", len(X), elapsed, board.url)
    report.record(url=board.url, images=len(X), classifying_seconds=elapsed)
    return BoardRun(results, board.info, busy, loading)


def _report_accuracy(
    float_predictions: np.ndarray,
    program: NetworkProgram,
    golden: ContractorResults,
    run: BoardRun,
    y: np.ndarray,
    report: Report,
) -> None:
    """Report how many images the network classifies correctly before and after quantisation."""
    accuracies = {
        "float": np.mean(float_predictions == y),
        "golden_model": np.mean(program.classes[golden.classes] == y),
        "board": np.mean(program.classes[run.results.classes] == y),
    }
    report.say(f"Accuracy on {len(y)} held-out images")
    for name, accuracy in accuracies.items():
        report.say(f"  {name.replace('_', ' '):<14}{accuracy:8.2%}")
    report.record(accuracy=accuracies)


def _compare(
    run: BoardRun, golden: ContractorResults, program: NetworkProgram, report: Report
) -> bool:
    """Hold the board's answers to the golden model and to the promised number of cycles."""
    results = run.results
    size = _size(run)
    cycles = program.cycles(size.lanes, size.latencies)
    differences = {
        "scores": np.count_nonzero(results.scores != golden.scores),
        "exponents": np.count_nonzero(results.exponents != golden.exponents),
        "classes": np.count_nonzero(results.classes != golden.classes),
        "cycles": np.count_nonzero(results.cycles != cycles),
    }
    report.record(differences=differences, promised_cycles=cycles)
    if not any(differences.values()):
        report.say(
            f"  Board and golden model agree on every bit of all {results.scores.size} scores, and "
            f"on the cycles."
        )
        return True
    for what, count in differences.items():
        if count:
            promised = f" (promised: {cycles})" if what == "cycles" else ""
            report.say(f"  DIFFERENT from the golden model: {count} {what}{promised}")
    return False


def _report_speed(run: BoardRun, program: NetworkProgram, report: Report) -> None:
    """Report how long an image takes on the engine and on the line, and the size of the program."""
    from ..contract.device.boards import find_board
    from ..feasibility.programs import estimate_program
    from ..golden.contractor.cycles import utilisation

    info, size, results = run.info, _size(run), run.results
    line_seconds = estimate_program(program, find_board(info.board)).line_seconds
    cycles = float(results.cycles.mean())
    # A board with several groups of lanes computes that many images at once, so that an image's
    # share of the busy cycles is less than the cycles from its first to its last.
    busy = utilisation(program.nodes, size.multipliers, run.busy_cycles / len(results.cycles))
    seconds = cycles / info.clock_hz
    program_bytes = program.words(size.lanes) * size.lanes
    report.say(f"\nSpeed of {info.board} at {info.clock_hz / 1e6:g} MHz, {size.multipliers} lanes")
    report.say(f"  cycles per image               {cycles:8.0f}  (counted by the board)")
    report.say(f"  computing, per image           {seconds * 1e6:8.1f} us")
    report.say(
        f"  multiplier utilisation         {busy:8.1%}  (multiply-accumulates / lanes x cycles)"
    )
    report.say(
        f"  serial line, per image         {line_seconds * 1e6:8.1f} us  (modelled: "
        f"{find_board(info.board).line.describe(info.baud)}, while the image before is computed)"
    )
    report.say(
        f"  program                        {program_bytes:8d} bytes of {size.program_bytes}, "
        f"streamed in {run.loading_seconds:.2f} s"
    )
    report.record(
        board=info.board,
        clock_hz=info.clock_hz,
        lanes=size.multipliers,
        cycles_per_image=cycles,
        computing_seconds_per_image=seconds,
        multiplier_utilisation=busy,
        modelled_line_seconds_per_image=line_seconds,
        baud=info.baud,
        program_bytes=program_bytes,
        program_memory_bytes=size.program_bytes,
        loading_seconds=run.loading_seconds,
    )


def _size(run: BoardRun):
    """Return the size of the board's contractor, the engine that runs programs."""
    size = run.info.contractor
    assert size is not None  # a board without one has refused to load the program
    return size


def _save(
    output: Path,
    classifier: MPSClassifier,
    program: NetworkProgram,
    run: BoardRun,
    X: np.ndarray,
    y: np.ndarray,
    report: Report,
) -> None:
    """Write the program and the figure."""
    from .demo_figure import demo_figure

    figure_path, program_path = output / FIGURE, output / PROGRAM
    program.save(program_path)
    demo_figure(
        figure_path,
        images=X.reshape(-1, IMAGE_SIDE, IMAGE_SIDE),
        truth=y,
        predicted=program.classes[run.results.classes],
        scores=run.results.scores,
        classes=program.classes,
        entropy=classifier.entanglement_entropy(),
        label_position=classifier.label_position_,
        bond_dims=classifier.bond_dimensions(),
        needed_dims=classifier.largest_bond_dimensions(),
        title=f"Handwritten digits, classified by a matrix product state on {run.info.board}",
    )
    report.say(f"\nFigure: {figure_path}   Program: {program_path}")
    report.record(figure=figure_path, program=program_path)
