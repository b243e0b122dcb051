"""``python -m tensorspin.benchmarks.hybrid.demo``: one model on host, board and processor.

The appliance is stopped in the middle, and no answer is lost. Nothing needs a network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from ...cli.figures import check_matplotlib, pyplot, save_figure
from ...errors import TensorspinError
from ...files import check_writable, make_folder
from ...hybrid import HybridDetector, born_circuit
from ...hybrid.breaker import RESET_SECONDS
from ...hybrid.record import REMOTE, HybridRun, SampleRecord
from ...progress import progress_over
from .campaign import OVERSHOOT, SHOTS, Task, breast_cancer
from .servers import Appliance
from .tables import COLOURS

BOARD = "sim://icebreaker"
"""The board: its gateware, simulated bit for bit."""

SAMPLES = 150
"""Samples that are asked for one by one; a third of them while the appliance is stopped."""

DEADLINE = 0.5
"""Seconds for each of them."""

FIGURE = "hybrid_demo.png"
"""Name of the figure."""


def main(arguments: list[str] | None = None) -> int:
    """Show it.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line, without the program's name. By default those of this process.

    Returns
    -------
    int
        Exit status: 0 if every sample was answered in time, 1 if not or if something failed.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.hybrid.demo",
        description="One detector on host, board and quantum processor (simulated), with a "
        "deadline; the processor is stopped in the middle.",
    )
    parser.add_argument("--board", default=BOARD, metavar="URL", help="by default %(default)s")
    parser.add_argument("--samples", type=int, default=SAMPLES, metavar="N", help="at least 15")
    parser.add_argument("--output", type=Path, default=Path("results"), metavar="DIR")
    options = parser.parse_args(arguments)
    if options.samples < 15:
        parser.error(f"--samples must be at least 15, not {options.samples}")
    path = options.output / FIGURE
    try:
        check_matplotlib()
        make_folder(options.output)
        check_writable(path)
        return _show(options.board, options.samples, path)
    except (TensorspinError, ValueError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _show(board: str, count: int, path: Path) -> int:
    task = breast_cancer()
    program = born_circuit(task.detector)
    print(
        f"Breast cancer, benign samples learnt: a chain of {program.n_features} features, which is "
        f"a circuit of {program.n_qubits} qubits and {program.two_qubit_gates} two-qubit gates."
    )
    exact = program.exact_probability(task.X)
    print(f"  exact, on the host                     AUC {roc_auc_score(task.inlier, exact):.3f}")
    place, inlier = np.arange(count) % len(task.X), np.resize(task.inlier, count)
    with HybridDetector(task.detector, board=board, deadline=60.0) as alone:
        run = alone.run(task.X)
        auc = roc_auc_score(task.inlier, run.scores)
        each = run[0].seconds["local"] / len(run)
        print(f"  on the board, {board:24} AUC {auc:.3f}   {1e6 * each:.0f} us a sample")
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder)) as appliance:
        with appliance.client() as client:
            client.upload(program.circuit)
            print("An appliance is on loopback, with TLS and a simulated Heron processor.")
            hybrid = HybridDetector(
                task.detector, board=board, sampler=client, shots=SHOTS, deadline=DEADLINE
            )
            with hybrid:
                hybrid.run(task.X[:1])  # the first request also makes the connection

                def come_back() -> None:
                    appliance.start()
                    client.upload(program.circuit)  # the new process knows no circuits
                    time.sleep(RESET_SECONDS)  # until the next probe

                records = _ask(hybrid, task, place, appliance.kill, come_back)
    _tell(records, inlier)
    _draw(records, inlier, path)
    print(f"Figure: {path}")
    late = [record for record in records if record.seconds["total"] > DEADLINE + OVERSHOOT]
    lost = count - len(records)
    print(f"{count} samples, {lost} without an answer, {len(late)} after {DEADLINE:g} s.")
    return 1 if late or lost else 0


def _ask(
    hybrid: HybridDetector,
    task: Task,
    place: np.ndarray,
    kill: Callable[[], None],
    come_back: Callable[[], None],
) -> list[SampleRecord]:
    """Ask sample by sample; the appliance is killed after a third, and back for the last."""
    records: list[SampleRecord] = []
    for number in progress_over(range(len(place)), "samples", "sample"):
        if number == len(place) // 3:
            kill()
        if number == 2 * len(place) // 3:
            come_back()
        records += hybrid.run(task.X[[place[number]]])
    return records


def _tell(records: list[SampleRecord], inlier: np.ndarray) -> None:
    count = len(records)
    parts = {
        "appliance there": slice(0, count // 3),
        "appliance killed": slice(count // 3, 2 * count // 3),
        "appliance back": slice(2 * count // 3, count),
    }
    for name, part in parts.items():
        found = HybridRun(records[part])
        remote = sum(record.source == REMOTE for record in found)
        longest = max(record.seconds["total"] for record in found)
        print(
            f"  {name:16} {remote:3d} of {len(found)} answers from the processor, "
            f"longest {1000 * longest:4.0f} ms"
        )
    auc = roc_auc_score(inlier, [record.score for record in records])
    print(f"  all together                           AUC {auc:.3f}")


def _draw(records: list[SampleRecord], inlier: np.ndarray, path: Path) -> None:
    plt = pyplot()
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(9, 6), layout="constrained")
    numbers = np.arange(len(records))
    scores = np.array([record.score for record in records])
    seconds = np.array([record.seconds["total"] for record in records])
    names = {"remote": "processor (simulated, noisy)", "local": "board (simulated)"}
    for source, colour in COLOURS.items():
        from_here = np.array([record.source == source for record in records])
        for kind, marker in ((inlier, "o"), (~inlier, "x")):
            shown = from_here & kind
            above.plot(numbers[shown], scores[shown], marker, color=colour, markersize=5)
        above.plot([], [], "s", color=colour, label=names[source])
        below.plot(numbers[from_here], 1000 * seconds[from_here], ".", color=colour)
    for axes in (above, below):
        axes.axvspan(len(records) // 3, 2 * len(records) // 3, color="0.92", zorder=0)
    above.set_ylabel("P0 (o benign, x malignant)")
    below.axhline(1000 * DEADLINE, color="0.3", linestyle="--", linewidth=1)
    below.set_yscale("log")
    below.set_ylabel("ms (dashed: deadline)")
    below.set_xlabel("sample (grey: the appliance is killed)")
    figure.legend(loc="outside upper center", ncols=2)
    save_figure(path, figure)


if __name__ == "__main__":
    sys.exit(main())
