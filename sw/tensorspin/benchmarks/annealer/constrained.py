"""Models with constraints: how far the best read is from the optimum, beside dwave-samplers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dimod
import numpy as np

from ...contract.device.boards import BoardSpec, find_board
from ...errors import CapacityError
from ...sampling.enumeration import MOST_ENUMERATED, ground_state
from .constrained_ways import WAYS, sampled
from .kinds import KINDS, feasible

READS, SWEEPS = 16, 300
"""Reads of a call, and sweeps of a read."""

INSTANCES = 3
"""Instances of a kind, with the seeds 1, 2, and so on."""

SEEDS = 10
"""Seeds of the samplers for each instance."""

EQUAL = 1e-9
"""Relative difference of energies that counts as rounding of floats."""

BOARD_NAMES = ("ulx3s_25f_annealer", "ulx3s_85f_annealer", "ulx3s_25f_annealer_8bit")
"""Boards that are measured: couplings of four, two and eight bits."""


def constrained_rows() -> dict[str, BoardSpec]:
    """Give the boards to measure, by their names."""
    return {name: find_board(name) for name in BOARD_NAMES}


def measure_kind(
    kind: str,
    rows: dict[str, BoardSpec],
    instances: Sequence[int] = range(1, INSTANCES + 1),
    seeds: Sequence[int] = range(SEEDS),
    progress: Callable[[], object] = lambda: None,
) -> dict:
    """Compare the gaps of boards and of dwave-samplers on instances of a kind.

    Parameters
    ----------
    kind : str
        One of `kinds.KINDS`.
    rows : dict of str to BoardSpec
        Rows of boards by their names.
    instances : sequence of int
        Seeds of the instances.
    seeds : sequence of int
        Seeds of the samplers.
    progress : callable
        Called without arguments after each instance on each row.

    Returns
    -------
    dict
        ``kind``, ``variables`` (of the largest instance), ``library`` (with ``gap``, the mean gap
        of the best read, ``solved``, the share of the calls without a gap, ``feasible``, the share
        of the reads that keep the constraints, or None, and ``seconds``, of a call), and
        ``boards``: a list of dict with ``board``, ``way``, ``gap``, ``solved``, ``feasible``,
        ``device_seconds``, ``transfer_seconds`` and ``host_seconds`` of a call, in the mean, and
        ``library_gap``, the gap of dwave-samplers in as much time as all three together; or
        ``board`` and ``obstacle``.
    """
    models = [KINDS[kind](seed) for seed in instances]
    found: dict[tuple, _Called] = {}
    obstacles: dict[str, str] = {}
    for name, row in rows.items():
        for number, model in enumerate(models):
            try:
                done = sampled(row, model, READS, SWEEPS, seeds)
                for way, (calls, times) in done.items():
                    energies = np.array([each.record.energy for each in calls])
                    found[name, way, number] = _Called(energies, _share(kind, calls), times)
            except CapacityError as refused:
                obstacles[name] = refused.what
            progress()
    slowest = [
        max([called.seconds for (*_, m), called in found.items() if m == n], default=0.0)
        for n in range(len(models))
    ]
    library = [_library(kind, *each, seeds) for each in zip(models, slowest)]
    best = [
        min(
            [
                library[n].energies.min(),
                _best(model),
                *(called.energies.min() for (*_, m), called in found.items() if m == n),
            ]
        )
        for n, model in enumerate(models)
    ]
    boards: list[dict] = [{"board": name, "obstacle": why} for name, why in obstacles.items()]
    for name in rows:
        for way in WAYS if name not in obstacles else ():
            called = [found[name, way, n] for n in range(len(models))]
            together = [lib.lowest(own.seconds) for lib, own in zip(library, called)]
            times = np.mean([own.times for own in called], axis=0)
            boards.append(
                {
                    "board": name,
                    "way": way,
                    **_summary([own.lowest() for own in called], best),
                    "feasible": _mean([own.feasible for own in called]),
                    **dict(zip(("device_seconds", "transfer_seconds", "host_seconds"), times)),
                    "library_gap": _summary(together, best)["gap"],
                }
            )
    return {
        "kind": kind,
        "variables": max(model.num_variables for model in models),
        "library": {
            **_summary([lib.lowest() for lib in library], best),
            "feasible": _mean([lib.feasible for lib in library]),
            "seconds": float(np.mean([lib.seconds for lib in library])),
        },
        "boards": boards,
    }


@dataclass(frozen=True, eq=False)
class _Called:
    """What the calls of a sampler with several seeds have given, for one model.

    Parameters
    ----------
    energies : ndarray of float64 of shape (seeds, reads)
        Energies of all reads; the first `READS` are those of a call.
    feasible : float or None
        Share of the reads that keep the constraints, if that is known.
    times : ndarray of float64 of shape (parts,)
        Seconds of a call, in the mean, by what they were spent for.
    """

    energies: np.ndarray
    feasible: float | None
    times: np.ndarray

    @property
    def seconds(self) -> float:
        """Seconds of a call, in the mean."""
        return float(self.times.sum())

    def lowest(self, seconds: float = 0.0) -> np.ndarray:
        """Give each seed's lowest energy of a call, or of as many calls as the time allows."""
        calls = max(1, round(seconds / self.seconds)) if seconds else 1
        return self.energies[:, : calls * READS].min(axis=1)


def _summary(lowest: Sequence[np.ndarray], best: Sequence[float]) -> dict:
    """Give the mean of all gaps, and the share of those that are zero."""
    gaps = [energies - least for energies, least in zip(lowest, best)]
    solved = np.array([gap <= EQUAL * max(1, abs(least)) for gap, least in zip(gaps, best)])
    return {"gap": float(np.where(solved, 0, gaps).mean()), "solved": float(solved.mean())}


def _mean(shares: Sequence[float | None]) -> float | None:
    """Average shares, which are all known or all not."""
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None


def _share(kind: str, found: Sequence[dimod.SampleSet]) -> float | None:
    """Give the share of the reads that keep the constraints; None if that is not known."""
    kept = [each for each in (feasible(kind, one) for one in found) if each is not None]
    return float(np.mean(np.concatenate(kept))) if kept else None


def _library(
    kind: str, model: dimod.BinaryQuadraticModel, seconds: float, seeds: Sequence[int]
) -> _Called:
    """Sample with dwave-samplers, with enough reads for so many seconds."""
    from dwave.samplers import SimulatedAnnealingSampler

    def sample(reads: int, seed: int) -> dimod.SampleSet:
        return SimulatedAnnealingSampler().sample(
            model, num_reads=reads, num_sweeps=SWEEPS, seed=seed
        )

    begun = time.process_time()
    calls = [sample(READS, seed) for seed in seeds]
    own = (time.process_time() - begun) / len(calls)
    reads = READS * max(1, round(seconds / own))
    energies = [sample(reads, seed).record.energy for seed in seeds]
    return _Called(np.array(energies), _share(kind, calls), np.array([own]))


def _best(model: dimod.BinaryQuadraticModel) -> float:
    """Find the optimum of a small model, or the best value of a long tabu search."""
    labels = list(model.variables)
    if len(labels) <= MOST_ENUMERATED:
        return float(model.energies((ground_state(model, labels)[None, :], labels))[0])
    from dwave.samplers import TabuSampler

    return float(TabuSampler().sample(model, num_reads=8, timeout=250, seed=0).first.energy)
