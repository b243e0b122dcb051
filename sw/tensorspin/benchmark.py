"""Measurements behind ``make bench``: accuracy, training time, and speed of the virtual board.

All in one run, on the same splits and the same samples; written as JSON and as a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from .board import Board
from .datasets import FEATURE_RANGES, NAMES, load_named
from .golden.cycles import utilisation
from .models import MPSClassifier
from .progress import progress_over

SPLITS = 5
TEST_SIZE = 0.2


def measure_accuracy(name: str, splits: int) -> dict:
    """Accuracy of one data set over stratified splits, float beside quantised.

    Parameters
    ----------
    name : str
        Of `tensorspin.datasets.NAMES`.
    splits : int

    Returns
    -------
    dict
        Means over the splits; accuracies 0..1, seconds of training on one core.
    """
    X, y = load_named(name)
    splitter = StratifiedShuffleSplit(splits, test_size=TEST_SIZE, random_state=0)
    rows = []
    for seed, (train, test) in enumerate(
        progress_over(list(splitter.split(X, y)), f"training on {name}", "split")
    ):
        classifier = MPSClassifier(feature_range=FEATURE_RANGES.get(name), random_state=seed)
        started = time.perf_counter()
        classifier.fit(X[train], y[train])
        seconds = time.perf_counter() - started
        program = classifier.quantize()
        quantised = np.mean(program.predict(X[test]) == y[test])
        rows.append((classifier.score(X[test], y[test]), quantised, seconds))
    float_accuracy, quantised, seconds = np.mean(rows, axis=0)
    return {
        "data": name,
        "splits": splits,
        "float": float_accuracy,
        "quantised": quantised,
        "standard_error": float(np.std(rows, axis=0, ddof=1)[0] / np.sqrt(splits)),
        "training_seconds": seconds,
        "longest_training_seconds": float(np.max(rows, axis=0)[2]),
    }


def measure_board(url: str) -> dict:
    """The whole digits test set on a board, against the golden model.

    Parameters
    ----------
    url : str

    Returns
    -------
    dict
        Accuracy, differences from the golden model, cycles, and speed of the run.
    """
    X, y = load_named("digits")
    splitter = StratifiedShuffleSplit(1, test_size=TEST_SIZE, random_state=0)
    train, test = next(splitter.split(X, y))
    classifier = MPSClassifier(feature_range=FEATURE_RANGES["digits"], random_state=0)
    program = classifier.fit(X[train], y[train]).quantize()
    golden, golden_seconds = _timed(lambda: program.run_golden(X[test]))
    with Board.open(url) as board:
        board.load(program, force=True)
        before, clock_before = board.status(), board.seconds
        result, seconds = _timed(lambda: board.run(program.levels(X[test])))
        clock = (board.seconds - clock_before) * board.info.clock_hz
        busy = (board.status().busy_cycles - before.busy_cycles) % (1 << 32)
        lanes = board.info.contractor.lanes
    return {
        "url": url,
        "samples": len(test),
        "accuracy": float(np.mean(program.classes[result.classes] == y[test])),
        "scores_unlike_golden": int(np.count_nonzero(result.scores != golden.scores)),
        "cycles_unlike_promise": int(np.count_nonzero(result.cycles != program.cycles(lanes))),
        "cycles_per_sample": float(result.cycles.mean()),
        "utilisation": utilisation(program.nodes, lanes, busy / len(test)),
        "clock_cycles_per_second": clock / seconds,
        "golden_samples_per_second": len(test) / golden_seconds,
        "board_samples_per_second": len(test) / seconds,
    }


def markdown(report: dict) -> str:
    """The report as tables."""
    lines = [
        f"# Benchmark, {report['machine']}",
        "",
        f"Accuracy: mean of stratified splits with {TEST_SIZE:.0%} held out; training on one core.",
        "",
        "| data | splits | float | 8-bit weights | difference, points | training, s (longest) |",
        "|---|---|---|---|---|---|",
    ]
    for row in report["accuracy"]:
        difference = 100 * (row["quantised"] - row["float"])
        lines.append(
            f"| {row['data']} | {row['splits']} | {row['float']:.2%} "
            f"(+-{row['standard_error']:.2%}) | {row['quantised']:.2%} | {difference:+.2f} "
            f"| {row['training_seconds']:.1f} ({row['longest_training_seconds']:.1f}) |"
        )
    board = report["board"]
    lines += [
        "",
        f"Digits on {board['url']}, {board['samples']} held-out images:",
        "",
        "| quantity | value |",
        "|---|---|",
        f"| accuracy | {board['accuracy']:.2%} |",
        f"| scores that differ from the golden model | {board['scores_unlike_golden']} |",
        f"| cycle counts that differ from the promise | {board['cycles_unlike_promise']} |",
        f"| cycles per image | {board['cycles_per_sample']:.0f} |",
        f"| multiplier utilisation, measured | {board['utilisation']:.1%} |",
        f"| simulated clock cycles per second | {board['clock_cycles_per_second']:,.0f} |",
        f"| golden model's samples per second, over the board's here "
        f"| {board['golden_samples_per_second'] / board['board_samples_per_second']:.1f} |",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables, write them to a folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--board", default="sim://icebreaker", metavar="URL")
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--output", type=Path, default=Path("results"))
    options = parser.parse_args(arguments)
    if options.splits < 2:
        parser.error(f"--splits must be at least 2, not {options.splits}: for the standard error")
    # Training is compared on one core, whatever the machine has.
    with threadpool_limits(1):
        report = {
            "machine": f"{platform.machine()}, Python {platform.python_version()}, "
            f"NumPy {np.__version__}",
            "accuracy": [measure_accuracy(name, options.splits) for name in NAMES],
            "board": measure_board(options.board),
        }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "benchmark.json").write_text(json.dumps(report, indent=2) + "\n")
    text = markdown(report)
    (options.output / "benchmark.md").write_text(text)
    print(text)
    print(f"written to {options.output}/benchmark.json and benchmark.md")
    return 0


def _timed(action: Callable):
    started = time.perf_counter()
    result = action()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
