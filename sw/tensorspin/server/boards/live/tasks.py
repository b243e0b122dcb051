"""A task for the live page's slider: a board beside a quantum processor, and a deadline."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ....contract.device.boards import find_board
from ....feasibility.barriers.encoding import price_of
from ....feasibility.barriers.figure import Barrier
from ....feasibility.barriers.latency import latency_barrier, modelled_phases
from ....feasibility.barriers.link import LINKS
from ....feasibility.barriers.local import Local, local_times
from ....feasibility.barriers.report import Task, assess
from ....feasibility.barriers.verdict import verdict
from ....hybrid import SNAPSHOTS
from ....hybrid.circuits.circuit import born_circuit
from .limits import DEADLINES

_SEED = 0


class Slider:
    """An anomaly detector on six sensors, which a board and a processor could compute.

    The detector is trained when it is first asked for. All numbers are modelled or simulated but
    the times of this computer; `tensorspin.feasibility.barriers` says how each is known.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts = lru_cache(maxsize=64)(self._compute)
        self._task = lru_cache(maxsize=1)(self._train)

    @staticmethod
    def _train() -> tuple[Any, np.ndarray]:
        from ....models import MPSAnomalyDetector

        rng = np.random.default_rng(_SEED)
        X = rng.normal(size=(400, 6))
        X[:, 1::2] = 0.8 * X[:, ::2] + 0.3 * X[:, 1::2]  # sensors that go in pairs
        return MPSAnomalyDetector(epochs=10, random_state=_SEED).fit(X).quantize(), X[:100]

    def judge(self, deadline: float, link: str, noise: str, board: str) -> dict[str, Any]:
        """Say where the task can be done.

        Parameters
        ----------
        deadline : float
            Seconds within which an answer counts, as `DEADLINES` allows.
        link : str
            Link to the processor, one of `LINKS`.
        noise : str
            Processor, one of `SNAPSHOTS`.
        board : str
            Kind of the board, a row of the board table with a contractor.

        Returns
        -------
        dict
            The verdict, whether the board and how many requests to the processor are in time, and
            the five barriers, as JSON has them.

        Raises
        ------
        ValueError
            If there is no such link, processor or board.
        """
        for what, name, known in (("link", link, LINKS), ("noise", noise, SNAPSHOTS)):
            if name not in known:
                raise ValueError(f"{what} must be one of {', '.join(known)}, not {name!r}")
        with self._lock:
            others, local, phases, rows = self._parts(link, noise, board)
        rng = np.random.default_rng(_SEED)
        latency = latency_barrier(phases, deadline, LINKS[link], None, rng)
        barriers = {"latency": latency, **others}
        found = verdict(barriers, local, deadline)
        total = np.sum(list(phases.values()), axis=0)
        return {
            "answer": found.answer,
            "barrier": found.barrier,
            "words": found.words,
            "board": {
                "seconds": local.whole.number,
                "kind": local.whole.kind,
                "in_time": local.fits and local.whole.number <= deadline,
            },
            "processor": {
                "median": float(np.median(total)),
                "slow": float(np.quantile(total, 0.95)),
                "kind": latency.known_by,
                "in_time": float(np.mean(total <= deadline)),
            },
            "barriers": [
                {"name": name, "passed": each.passed, "words": each.words}
                for name, each in barriers.items()
            ],
            "rows": rows,
        }

    def _compute(
        self, link: str, noise: str, board: str
    ) -> tuple[dict[str, Barrier], Local, dict[str, np.ndarray], list[dict[str, Any]]]:
        """Compute all that does not depend on the deadline."""
        program, X = self._task()
        row = find_board(board)
        row.require_contractor()
        processor = SNAPSHOTS[noise]
        task = Task(program, X, None, DEADLINES[1], row, processor, link=LINKS[link], seed=_SEED)
        report = assess(task)
        others = {name: each for name, each in report.barriers.items() if name != "latency"}
        circuit = born_circuit(program)
        price = price_of(circuit, processor)
        rng = np.random.default_rng(_SEED)
        phases = modelled_phases(circuit, X, price, LINKS[link], task.shots, rng)
        rows = report.barriers["latency"].rows
        # Both measurements of this computer are one.
        local = replace(local_times(program, row, X, None), host=rows["host"])
        told = [
            {"name": name, "text": figure.text, "kind": figure.kind}
            for name, figure in rows.items()
            if "deadline" not in name and "queue" not in name
        ]
        return others, local, phases, told
