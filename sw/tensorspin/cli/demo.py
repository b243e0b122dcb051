"""The command ``tensorspin demo``: train, quantise, stream to a board, classify there, compare."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..progress import progress_bar
from .common import DEFAULT_URL, URL_HELP
from .figures import check_matplotlib

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram
    from ..contract.contractor.results import Results
    from ..data.datasets import Dataset
    from ..driver.board import Board
    from ..models import MPSClassifier

IMAGE_SIDE = 8
"""Pixels of scikit-learn's digits."""


@dataclass(frozen=True)
class Effort:
    """How much the demonstration does."""

    bond_dim: int
    epochs: int
    images: int | None


FULL = Effort(bond_dim=16, epochs=100, images=None)
QUICK = Effort(bond_dim=8, epochs=15, images=60)


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    demo = commands.add_parser("demo", help="train on handwritten digits and classify on a board")
    demo.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_HELP)
    demo.add_argument("--output", type=Path, default=Path("results"), help="folder for the figure")
    demo.add_argument("--quick", action="store_true", help="a smaller network, fewer images")
    demo.set_defaults(command=_demo)


def _demo(options) -> int:
    return 0 if run_demo(options.board, options.output, options.quick) else 1


def run_demo(url: str, output: Path, quick: bool, say: Callable[[str], None] = print) -> bool:
    """Train on handwritten digits and classify the held-out ones on a board.

    Parameters
    ----------
    url : str
        The board.
    output : Path
        Folder for the figure and the program; made if need be.
    quick : bool
        A smaller network and fewer images.
    say : callable
        Called with each line of the report.

    Returns
    -------
    bool
        The board's answers equal the golden model's, bit for bit, in the cycles promised.

    Raises
    ------
    TensorspinError
        If matplotlib is missing, or the board fails.
    OSError
        If the folder can't be written.
    """
    from ..contract.device.boards import find_board
    from ..data.datasets import load_dataset
    from ..driver.board import Board
    from ..feasibility.programs import estimate
    from ..golden.contractor.cycles import utilisation

    # Before the training, not after it.
    check_matplotlib()
    output.mkdir(parents=True, exist_ok=True)
    effort = QUICK if quick else FULL
    data = load_dataset("digits")
    X_test, y_test = data.X_test[: effort.images], data.y_test[: effort.images]
    classifier = _train(data, effort, say)
    float_predictions = classifier.predict(X_test)

    program = classifier.quantize()
    golden = program.run_golden(X_test)

    say(f"\nOpening {url} ...")
    with Board.open(url) as board:
        result, busy_cycles, loading = _classify(board, program, X_test, say)
        info = board.info
    size = info.contractor
    expected = estimate(program, find_board(info.board))

    accuracies = {
        "float": np.mean(float_predictions == y_test),
        "golden model": np.mean(program.classes[golden.classes] == y_test),
        "board": np.mean(program.classes[result.classes] == y_test),
    }
    say(f"\nAccuracy on {len(y_test)} held-out images")
    for name, accuracy in accuracies.items():
        say(f"  {name:<14}{accuracy:8.2%}")
    same = _compare(result, golden, program.cycles(size.lanes), say)

    cycles = float(result.cycles.mean())
    busy = utilisation(program.nodes, size.multipliers, busy_cycles / len(X_test))
    microseconds = 1e6 / info.clock_hz
    say(f"\nSpeed of {info.board} at {info.clock_hz / 1e6:g} MHz, {size.multipliers} lanes")
    say(f"  cycles per image               {cycles:8.0f}  (counted by the board)")
    say(f"  computing, per image           {cycles * microseconds:8.1f} us")
    say(f"  multiplier utilisation         {busy:8.1%}  (multiply-accumulates / lanes x cycles)")
    say(
        f"  serial line, per image         {expected.line_seconds * 1e6:8.1f} us  (modelled: "
        f"{info.baud} baud, while the image before is computed)"
    )
    say(
        f"  program                        {program.words(size.lanes) * size.lanes:8d} bytes of "
        f"{size.program_bytes}, streamed in {loading:.2f} s"
    )

    program.save(output / "digits.npz")
    _draw(output / "demo.png", classifier, program, X_test, y_test, result, info.board)
    say(f"\nFigure: {output / 'demo.png'}   Program: {output / 'digits.npz'}")
    return same


def _train(data: Dataset, effort: Effort, say) -> MPSClassifier:
    from ..models import MPSClassifier

    say(
        f"Training a matrix product state of bond dimension {effort.bond_dim} on "
        f"{len(data.X_train)} images of {data.X_train.shape[1]} pixels ..."
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
    say(f"  trained in {time.perf_counter() - started:.1f} s")
    return classifier


def _classify(
    board: Board, program: NetworkProgram, X: np.ndarray, say
) -> tuple[Results, int, float]:
    """What the board answers, the cycles that it was busy, the seconds that loading took."""
    started = time.perf_counter()
    with progress_bar("streaming weights", "B") as progress:
        board.load(program, force=True, progress=progress)
    loading = time.perf_counter() - started
    before = board.status().busy_cycles
    started = time.perf_counter()
    with progress_bar("classifying", "image") as progress:
        result = board.run(program.levels(X), progress=progress)
    elapsed = time.perf_counter() - started
    busy = (board.status().busy_cycles - before) % (1 << 32)
    say(f"  {len(X)} images classified in {elapsed:.1f} s on {board.url}")
    return result, busy, loading


def _compare(result: Results, golden: Results, cycles: int, say) -> bool:
    """Hold the board to the golden model and to the promised cycles."""
    differences = {
        "scores": np.count_nonzero(result.scores != golden.scores),
        "exponents": np.count_nonzero(result.exponents != golden.exponents),
        "classes": np.count_nonzero(result.classes != golden.classes),
        f"cycle counts (promised: {cycles})": np.count_nonzero(result.cycles != cycles),
    }
    if not any(differences.values()):
        say(
            f"  Board and golden model agree on every bit of all {result.scores.size} scores, and "
            f"on the cycles."
        )
        return True
    for what, count in differences.items():
        if count:
            say(f"  DIFFERENT from the golden model: {count} {what}")
    return False


def _draw(path, classifier, program, X, y, result, board_name) -> None:
    from .demo_figure import demo_figure

    demo_figure(
        path,
        images=X.reshape(-1, IMAGE_SIDE, IMAGE_SIDE),
        truth=y,
        predicted=program.classes[result.classes],
        scores=result.scores,
        classes=program.classes,
        entropy=classifier.entanglement_entropy(),
        label_position=classifier.label_position_,
        bond_dims=classifier.bond_dimensions(),
        needed_dims=classifier.largest_bond_dimensions(),
        title=f"Handwritten digits, classified by a matrix product state on {board_name}",
    )
