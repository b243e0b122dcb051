"""Problems for the live page's annealer, and an anneal that can be watched.

An anneal is cut into stages, each a run of its own on the board: a part of the range of
temperatures, from the states in which the stage before has ended. Between two stages other clients
have their turns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import dimod
import numpy as np

from ....driver.board import Board
from ....sampling import BoardSampler

STAGES = 24
"""Stages of an anneal."""

_SWEEPS = 8
"""Sweeps of a stage."""

_READS = 16
"""Reads that anneal side by side."""

_COLD = 8.0
"""Last inverse temperature, times the greatest coefficient."""

_HOT = 0.15
"""First inverse temperature, times the greatest coefficient."""

Kind = Literal["graph", "knapsack"]
"""What can be watched."""


@dataclass(frozen=True)
class Puzzle:
    """A problem that can be drawn.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The problem, with binary variables 0, 1 and so on.
    drawing : dict
        What the page draws, as JSON has it.
    judge : callable
        Tells of a state, an array of 0 and 1, what it is worth.
    """

    bqm: dimod.BinaryQuadraticModel
    drawing: dict[str, Any]
    judge: Callable[[np.ndarray], dict[str, Any]]


def cut_graph(nodes: int, seed: int) -> Puzzle:
    """Make a random graph in the plane, whose nodes are to be parted so that many edges are cut.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    seed : int
        Seed of the graph.

    Returns
    -------
    Puzzle
        The problem: each edge that is cut lowers the energy by 1.

    Examples
    --------
    >>> puzzle = cut_graph(4, seed=0)
    >>> puzzle.judge(np.zeros(4, dtype=int))["cut"]
    0
    """
    rng = np.random.default_rng([nodes, seed])
    places = _spread(rng, nodes)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    near = np.argsort(distances, axis=1)[:, 1:4]  # three neighbours of each, and it of others
    edges = sorted({(min(a, b), max(a, b)) for a, row in enumerate(near.tolist()) for b in row})
    bqm = dimod.BinaryQuadraticModel(dimod.BINARY)
    bqm.add_linear_from((node, 0.0) for node in range(nodes))
    for a, b in edges:  # -1 if they differ
        bqm.add_linear_from([(a, -1.0), (b, -1.0)])
        bqm.add_quadratic(a, b, 2.0)

    def judge(state: np.ndarray) -> dict[str, Any]:
        return {"cut": int(sum(state[a] != state[b] for a, b in edges)), "edges": len(edges)}

    drawing = {"places": places.round(4).tolist(), "edges": [list(edge) for edge in edges]}
    return Puzzle(bqm, drawing, judge)


def _spread(rng: np.random.Generator, nodes: int) -> np.ndarray:
    """Draw places in the unit square that keep their distance, each the best of a few."""
    places = rng.random((1, 2))
    for _ in range(nodes - 1):
        offered = rng.random((20, 2))
        distances = np.linalg.norm(offered[:, None] - places[None], axis=2).min(axis=1)
        places = np.vstack([places, offered[distances.argmax()]])
    return places


def pack_knapsack(items: int, seed: int) -> Puzzle:
    """Make items with weights and values, of which a knapsack holds about a half.

    The limit has no slack variables: a penalty that is linear and quadratic in the room that is
    left (unbalanced penalisation, arXiv:2211.13914) makes overweight dear. So the lowest energy
    may be beside the best packing, and what is shown is the best that keeps the limit.

    Parameters
    ----------
    items : int
        Number of items.
    seed : int
        Seed of the items.

    Returns
    -------
    Puzzle
        The problem.

    Examples
    --------
    >>> pack_knapsack(4, seed=0).judge(np.zeros(4, dtype=int))["weight"]
    0
    """
    rng = np.random.default_rng([items, seed])
    weights, values = rng.integers(1, 10, items), rng.integers(1, 10, items)
    limit = int(weights.sum()) // 2
    # For the room r = limit - weight: -values - first * r + second * r ** 2. With these two, the
    # lowest energy keeps the limit in 35 of 36 such problems, and has 95 % of the best value.
    first, second = 1.6, 0.2
    bqm = dimod.BinaryQuadraticModel(dimod.BINARY)
    bqm.offset = second * limit**2 - first * limit
    for a in range(items):
        own = second * (int(weights[a]) ** 2 - 2 * limit * int(weights[a]))
        bqm.add_linear(a, float(-values[a] + first * weights[a] + own))
        for b in range(a):
            bqm.add_quadratic(a, b, float(2 * second * weights[a] * weights[b]))

    def judge(state: np.ndarray) -> dict[str, Any]:
        weight = int(weights @ state)
        return {"value": int(values @ state), "weight": weight, "fits": weight <= limit}

    drawing = {"weights": weights.tolist(), "values": values.tolist(), "limit": limit}
    return Puzzle(bqm, drawing, judge)


def make_puzzle(kind: Kind, size: int, seed: int) -> Puzzle:
    """Make a problem.

    Parameters
    ----------
    kind : {"graph", "knapsack"}
        Which.
    size : int
        Nodes or items, as `limits.SIZES` allows.
    seed : int
        Its seed.

    Returns
    -------
    Puzzle
        The problem.
    """
    return cut_graph(size, seed) if kind == "graph" else pack_knapsack(size, seed)


def watch(board: Board, puzzle: Puzzle, seed: int) -> Iterator[dict[str, Any]]:
    """Anneal, and tell after each stage how far it is.

    Parameters
    ----------
    board : Board
        A board with an annealer.
    puzzle : Puzzle
        The problem.
    seed : int
        Seed of the anneal.

    Yields
    ------
    dict
        ``stage`` of ``stages``, ``sweeps`` so far, the inverse temperature ``beta``; the ``lowest``
        and ``mean`` energy of all reads; of the best state so far the ``state``, its ``energy`` and
        what it is worth (``told``); the board's ``cycles`` so far; and ``rounding``, the share by
        which the rounding to the board's integers changes the energy in the mean.

    Raises
    ------
    CapacityError
        If the problem is larger than the device.
    TensorspinError
        If the board is lost, or not free in time.
    """
    # BoardSampler leaves a board that was given to it open.
    sampler = BoardSampler(board)
    bqm, order = puzzle.bqm, list(range(puzzle.bqm.num_variables))
    greatest = max(map(abs, [*bqm.spin.linear.values(), *bqm.spin.quadratic.values()]))
    betas = np.geomspace(_HOT, _COLD, STAGES + 1) / greatest
    rng = np.random.default_rng(seed)
    states = rng.integers(0, 2, (_READS, len(order)))
    best: tuple[Any, ...] = ()
    cycles = 0
    for stage, (begins, ends) in enumerate(zip(betas, betas[1:]), start=1):
        with warnings.catch_warnings():
            # The page tells how much rounding has changed the problem.
            warnings.simplefilter("ignore")
            found = sampler.sample(
                bqm,
                num_reads=_READS,
                num_sweeps=_SWEEPS,
                num_restarts=1,
                beta_range=(float(begins), float(ends)),
                initial_states=(states, order),
                initial_states_generator="tile",
                states="final",
                refine=None,
                seed=seed + stage,
            )
        states = found.record.sample[:, [found.variables.index(name) for name in order]]
        energies = bqm.energies((states, order))
        cycles += int(np.sum(found.info["cycles"]))
        for state, energy in zip(states, energies):
            told = puzzle.judge(state)
            # What does not fit a knapsack is shown only while nothing better is known.
            rank = (not told.get("fits", True), -told.get("value", 0), float(energy))
            if not best or rank < best[0]:
                best = rank, state.tolist(), float(energy), told
        yield {
            "stage": stage,
            "stages": STAGES,
            "sweeps": stage * _SWEEPS,
            "beta": float(ends),
            "lowest": round(float(energies.min()), 4),
            "mean": round(float(energies.mean()), 4),
            "state": best[1],
            "energy": round(best[2], 4),
            "told": best[3],
            "cycles": cycles,
            "rounding": found.info["quantization_error"]["relative_error"],
        }
