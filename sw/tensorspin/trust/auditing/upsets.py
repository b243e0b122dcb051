"""What flipped bits cost: some at random, the worst ones, and those that come with time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import poisson

from ...compiler.network_program import NetworkProgram
from ...contract.contractor.image import read_image
from ...contract.contractor.memory import MemorySpace
from ...contract.contractor.results import ContractorResults
from ...driver.board import Board
from ...errors import TensorspinError
from ...golden.contractor.contraction import contract
from ...progress import progress_bar
from ..campaign import Outcome, campaign
from ..faults import Fault, inject
from ..intervals import share
from ..judges import Judge
from ..memory_map import MemoryMap, Region
from .settings import Settings

_WORST = 10
"""Bits that are listed."""

_BITS_OF_NODE = 2
"""Bits of each node that are tried before the worst nodes are tried wholly."""

_SEARCH = 4
"""The search for the worst bits tries so many times `Settings.faults`."""

DAYS = {"a day": 1.0, "a month": 30.0, "a year": 365.0, "ten years": 3650.0}
"""Times without reloading for which accuracy is expected."""

_MOST_UPSETS = 1e4
"""Upsets from which on more of them change nothing that was measured."""

_CAMPAIGN_SAMPLES = 20
"""Samples that are run with each single fault, to see whether it is noticed."""

_RELOADED = 50
"""Bits from which on loading the program again is quicker than flipping them back."""


class UpsetTrial:
    """A board with a program, samples, and what is right for them.

    Parameters
    ----------
    board : Board
        The board, best a virtual one.
    program : NetworkProgram
        The program.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The samples.
    judge : Judge
        What is right for them.
    """

    def __init__(
        self, board: Board, program: NetworkProgram, levels: np.ndarray, judge: Judge
    ) -> None:
        self.board, self.program, self.levels, self.judge = board, program, levels, judge
        self.used = MemoryMap.of(program, board.info.require_contractor().lanes)

    def run(self, faults: Sequence[Fault]) -> ContractorResults | None:
        """Answer samples with some bits flipped, and repair them.

        Parameters
        ----------
        faults : sequence of Fault
            The bits.

        Returns
        -------
        ContractorResults or None
            The answers; None if board or driver have refused.
        """
        with self.board.exclusive():
            self.board.load(self.program)
            inject(self.board, *faults)
            try:
                results = self.board.run(self.levels)
            except TensorspinError:
                self.board.load(self.program, force=True)
                return None
            if len(faults) > _RELOADED:
                self.board.load(self.program, force=True)
            else:
                inject(self.board, *faults)
            return results

    def curve(
        self, region: Region | None, settings: Settings, progress: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Flip bits at random, more and more of them.

        Parameters
        ----------
        region : Region or None
            Where; None: anywhere.
        settings : Settings
            How many, and how often each.
        progress : callable, optional
            Called after each trial.

        Returns
        -------
        dict
            For each number of bits the mean and the worst headline of trials that were answered,
            and the share of those that were refused.
        """
        rng = np.random.default_rng([settings.seed, 1 if region is None else 2])
        available = self.used.bits if region is None else self.used.count(region)
        rows = []
        for count in settings.flips:
            values: list[float] = []
            for _ in range(settings.trials):
                results = self.run(self.used.faults(count, rng, region))
                if results is not None:
                    values.append(self.judge.headline(results).value)
                if progress is not None:
                    progress()
            row: dict[str, Any] = {"flips": min(count, available), "trials": settings.trials}
            row["refused"] = 1 - len(values) / settings.trials
            if values:
                worst = min(values) if self.judge.decides else max(values)
                row |= {"mean": float(np.mean(values)), "worst": worst}
            rows.append(row)
        return {"where": "anywhere" if region is None else str(region), "rows": rows}

    def worst_bits(
        self, settings: Settings, progress: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Search for the weights' bits that cost most: the sign bits of the worst nodes.

        Bits are tried on the golden model, which answers as the board does to changed weights, and
        what is found is tried on the board again.

        Parameters
        ----------
        settings : Settings
            How many bits are tried.
        progress : callable, optional
            Called after each trial.

        Returns
        -------
        dict
            The worst bits that were found, and how many were tried of how many.
        """
        search = _WorstBits(self, settings, progress)
        found = search.find()
        worst = []
        for node, fault in found[:_WORST]:
            results = self.run((fault,))
            entry: dict[str, Any] = {"node": self.program.names[node], "space": fault.space.name}
            entry |= {"address": fault.address, "bit": fault.bit}
            worst.append({**entry, "loss": search.loss(results) if results is not None else None})
        total = sum(map(len, search.candidates))
        return {"tried": len(found), "sign_bits": total, "worst": worst}


class _WorstBits:
    """A search for the worst sign bits of weights: a few of each node, then the worst nodes'."""

    def __init__(self, trial: UpsetTrial, settings: Settings, progress) -> None:
        self._trial, self._progress = trial, progress
        self._left = _SEARCH * settings.faults
        self._lanes = trial.board.info.require_contractor().lanes
        self._clean = trial.judge.headline(self._answers(None)).value
        rng = np.random.default_rng([settings.seed, 3])
        used = trial.used
        self.candidates: list[list[Fault]] = []
        for index, node in enumerate(trial.program.nodes):
            places = used.weights[used.owners == index]
            bits = (7, 3) if node.narrow else (7,)  # two weights of 4 bits share a byte
            every = [Fault(MemorySpace.PROGRAM, int(at), bit) for at in places for bit in bits]
            self.candidates.append([every[place] for place in rng.permutation(len(every))])
        self._found: list[tuple[float, int, Fault]] = []

    def loss(self, results: ContractorResults) -> float:
        """Return how much worse answers are than without a fault."""
        judge = self._trial.judge
        value = judge.headline(results).value
        return self._clean - value if judge.decides else value - self._clean

    def find(self) -> list[tuple[int, Fault]]:
        """Return all that were tried, with their nodes, the worst first."""
        losses = np.zeros(len(self.candidates))
        for node, faults in enumerate(self.candidates):
            losses[node] = self._attempt(node, faults[:_BITS_OF_NODE])
        for node in np.argsort(-losses, kind="stable").tolist():
            self._attempt(node, self.candidates[node][_BITS_OF_NODE:])
        self._found.sort(key=lambda each: -each[0])
        return [(node, fault) for _, node, fault in self._found]

    def _attempt(self, node: int, faults: list[Fault]) -> float:
        worst = 0.0
        for fault in faults[: self._left]:
            self._left -= 1
            loss = self.loss(self._answers(fault))
            worst = max(worst, loss)
            self._found.append((loss, node, fault))
            if self._progress is not None:
                self._progress()
        return worst

    def _answers(self, fault: Fault | None) -> ContractorResults:
        program = self._trial.program
        image = bytearray(program.image(self._lanes))
        if fault is not None:
            image[fault.address] ^= 1 << fault.bit
        nodes, weights = read_image(bytes(image), self._lanes, program.protected)
        return contract(nodes, weights, program.table, self._trial.levels, self._lanes)


def over_time(curve: dict[str, Any], clean: float, bits: int, rate: float) -> list[dict[str, Any]]:
    """Expect a headline after some time without reloading.

    Upsets come independently of each other, so that their number has Poisson's distribution.

    Parameters
    ----------
    curve : dict
        What `UpsetTrial.curve` returned for bits anywhere.
    clean : float
        The headline without faults.
    bits : int
        Bits in use.
    rate : float
        Upsets of a bit in a day.

    Returns
    -------
    list of dict
        For each of `DAYS` the number of upsets that is expected, the headline of answers that are
        given, and the share of devices that refuse to answer. Beyond the last number of flips that
        was tried, what was found there is assumed.

    Examples
    --------
    >>> curve = {"rows": [{"flips": 1, "mean": 0.9, "refused": 0.0}]}
    >>> rows = over_time(curve, clean=1.0, bits=1000, rate=1e-3)
    >>> [round(row["expected"], 3) for row in rows][:2]
    [0.937, 0.9]
    """
    flips = np.array([0, *(row["flips"] for row in curve["rows"])], dtype=float)
    refused = np.array([0.0, *(row["refused"] for row in curve["rows"])])
    known = [(0.0, clean)]
    known += [(row["flips"], row["mean"]) for row in curve["rows"] if "mean" in row]
    at, values = np.array(known).T
    rows = []
    for name, days in DAYS.items():
        upsets = bits * rate * days
        mean = min(upsets, _MOST_UPSETS)
        numbers = np.arange(int(poisson.ppf(1 - 1e-9, mean)) + 2)
        weights = poisson.pmf(numbers, mean)
        silent = weights * (1 - np.interp(numbers, flips, refused))
        answered = float(silent.sum())
        row: dict[str, Any] = {"time": name, "days": days, "upsets": upsets}
        row["refused"] = float(1 - answered / weights.sum())
        expected = np.interp(numbers, at, values)
        row["expected"] = float(silent @ expected / answered) if answered > 1e-9 else None
        row["beyond_what_was_tried"] = bool(upsets > flips[-1])
        rows.append(row)
    return rows


def coverage(
    board: Board, program: NetworkProgram, X, used: MemoryMap, settings: Settings
) -> list[dict[str, Any]]:
    """Tell which single faults today's driver and device notice.

    Parameters
    ----------
    board : Board
        The board.
    program : NetworkProgram
        The program.
    X : ndarray of float64 of shape (n_samples, `n_features_in_`)
        Samples, as the program takes them; the first are run.
    used : MemoryMap
        The bytes that the program uses.
    settings : Settings
        How many faults are tried.

    Returns
    -------
    list of dict
        For each region its bits, how many were tried, and what came of them; the share of faults
        that changed answers in silence, with its interval.
    """
    rows = []
    for number, region in enumerate(Region):
        rng = np.random.default_rng([settings.seed, 10 + number])
        faults = used.faults(settings.faults, rng, region)
        with progress_bar(f"faults in {region}", "fault", delay=1.0) as progress:
            report = campaign(board, program, X[:_CAMPAIGN_SAMPLES], faults, progress=progress)
        silent = [each in (Outcome.SILENT, Outcome.CLASS) for each in report.outcomes]
        unchanged = (Outcome.MASKED, Outcome.CORRECTED)
        changed = [each not in unchanged for each in report.outcomes]
        noticed = np.array([not each for each in silent])[np.array(changed, dtype=bool)]
        rows.append(
            {
                "region": str(region),
                "bits": used.count(region),
                "tried": len(faults),
                "outcomes": {str(each): count for each, count in report.counts.items()},
                "silent": share(np.array(silent)),
                "noticed_of_harmful": share(noticed) if len(noticed) else None,
            }
        )
    return rows
