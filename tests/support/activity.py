"""How much of a board rests while nothing is asked of it: ``python -m tests.support.activity``.

The gateware itself is simulated, idle and at work on a task that is always the same, and the
changes of its signals are counted. Each board prints its row of docs/boards.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import numpy as np

from tensorspin import Board, MPSClassifier
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.device.boards import BOARDS, BoardSpec, find_board
from tensorspin.data.datasets import load_dataset
from tensorspin_gateware.simulation import activity, simulator

from .anneals import cooling, random_ising

LIMIT = 0.03
"""Greatest share of the toggles of a board at work that it may have while it is idle."""

SHOWN = ("icebreaker", "icebreaker_annealer")
"""The boards of the table of docs/boards.md. Boards with the same engines have the same counts,
whatever their line."""

SAMPLES = 4
"""Digits a group of lanes, one after the other."""

SETTLING, IDLE = 2_000, 10_000
"""Cycles from the last byte until an idle board is counted, and cycles for which it is."""


@dataclass(frozen=True)
class Activity:
    """Toggles a cycle.

    Parameters
    ----------
    busy, idle : dict of str to float
        By the part of the device, at work and idle.
    """

    busy: dict[str, float]
    idle: dict[str, float]

    @property
    def share(self) -> float:
        """Toggles a cycle idle, as a share of those at work."""
        return sum(self.idle.values()) / sum(self.busy.values())

    def row(self, name: str) -> str:
        """Show the counts as a row of the table."""
        parts = ", ".join(
            f"{part} {toggles:,.0f} / {self.idle.get(part, 0):,.1f}"
            for part, toggles in self.busy.items()
        )
        busy, idle = (sum(found.values()) for found in (self.busy, self.idle))
        return f"| `{name}` | {busy:,.0f} | {idle:,.1f} | {self.share:.1%} | {parts} |"


def measure(name: str, counted: activity.CountedBoard) -> Activity:
    """Count a board's toggles at work, and then idle.

    Parameters
    ----------
    name : str
        Name of the board's row.
    counted : CountedBoard
        The board, fresh from its reset.

    Returns
    -------
    Activity
        The counts. With two engines, each works in its turn.
    """
    row = find_board(name)
    with mock.patch.object(simulator, "load", lambda name: counted):
        board = Board.open(f"sim://{name}")
    with board:
        tasks = [task(board, row) for task in (_digits, _ising) if _engine(task, row)]
        busy = _count(counted, lambda: [work() for work in tasks])
        counted.run(SETTLING)
        idle = _count(counted, lambda: counted.run(IDLE))
    return Activity(busy, idle)


def _count(counted: activity.CountedBoard, work: Callable[[], object]) -> dict[str, float]:
    begin = counted.cycles
    with counted.counting():
        work()
    cycles = counted.cycles - begin
    return {part: toggles / cycles for part, toggles in counted.toggles().items()}


def _engine(task: Callable, row: BoardSpec) -> object:
    return row.contractor if task is _digits else row.annealer


def _digits(board: Board, row: BoardSpec) -> Callable[[], object]:
    """Load a small network, and return what classifies a few digits."""
    data = load_dataset("digits")
    # Weights of a real training, as far as toggles go: a short one has them, too.
    classifier = MPSClassifier(bond_dim=16, epochs=1, random_state=0)
    program = classifier.fit(data.X_train[:200], data.y_train[:200]).quantize()
    board.load(program)
    levels = program.levels(data.X_test[: SAMPLES * row.require_contractor().groups])
    return lambda: board.run(levels)


def _ising(board: Board, row: BoardSpec) -> Callable[[], object]:
    """Load a random dense problem, and return what anneals it again."""
    size = row.annealer
    assert size is not None
    job = AnnealJob(random_ising(0, size.spins, 1.0, size), cooling(2, 5, size), seed=1)
    board.anneal_job(job)
    return lambda: board.anneal_job(job)


def main() -> int:
    """Print the table's rows."""
    parser = argparse.ArgumentParser(prog="make activity", description=__doc__)
    parser.add_argument("boards", nargs="*", default=SHOWN, metavar="BOARD")
    names = [find_board(name).name for name in parser.parse_args().boards or BOARDS]
    shares = []
    for name in names:
        found = measure(name, activity.load(name))
        shares.append(found.share)
        print(found.row(name), flush=True)
    print(f"idle: at most {max(shares):.1%} of busy, must be {LIMIT:.0%} or less")
    return int(np.max(shares) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
