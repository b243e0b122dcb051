"""A board whose annealer is the golden model, without a link."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.thresholds import expand_seed
from tensorspin.golden.annealer import Anneal, Annealer

SIZE = AnnealerSize(32, 4, 9, 8, (1,) * 8, 32, 64)
WIDE = AnnealerSize(32, 8, 14, 8, (1,) * 12, 64, 64)


class StandIn:
    def __init__(self, size: AnnealerSize = SIZE) -> None:
        self.info = SimpleNamespace(annealer=size, clock_hz=10_000_000, board="stand-in")
        self.seconds = 0.0
        self.runs = []

    def anneal(self, problem, steps, seed, *, refresh=0, initial_states=None, progress=None):
        size = problem.size
        annealer = Annealer(problem, expand_seed(seed, size), refresh)
        if initial_states is not None:
            states = np.asarray(initial_states, dtype=np.int32)
            annealer.states = states.copy()
            annealer.best_states = states.copy()
            annealer._fields = (problem.linear + states @ problem.couplings).astype(np.int32)
            annealer.energies = problem.energy(states)
            annealer.best_energies = annealer.energies.copy()
        annealer.fill(steps[0])
        for step in steps:
            annealer.run(step)
        cycles = annealer.rounds * size.replicas
        self.seconds += cycles / self.info.clock_hz + 0.01
        self.runs.append((problem, steps, seed, refresh, initial_states))
        return Anneal(
            annealer.states.astype(np.int8),
            annealer.best_states.astype(np.int8),
            annealer.energies,
            annealer.best_energies,
            annealer.flips,
            cycles,
        )

    def __getstate__(self) -> dict:
        # A sampler on it is a parameter of estimators, which must not change.
        return {**self.__dict__, "seconds": 0.0, "runs": []}

    def close(self) -> None:
        pass
