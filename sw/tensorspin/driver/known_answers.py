"""Samples whose answers are known: what a device must answer if nothing is wrong with it.

The cycles of an answer, which the driver always compares, tell nothing of changed weights. A few
samples with known scores do, unless the change makes no difference to them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from ..contract.contractor.memory import LEVELS
from ..contract.contractor.results import ContractorResults
from .contractor import ContractorDriver
from .resident import ResidentDriver

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_logger = logging.getLogger(__name__)

SAMPLES = 16
"""Samples of a test. More find more: each weight of a chain takes part in every sample, but a small
change can vanish in rounding."""


class KnownAnswers:
    """Samples of a program and their answers, asked now and then.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    every : int or None
        Samples after which the answers are asked again; None: never.

    Attributes
    ----------
    levels : ndarray of uint8 of shape (SAMPLES, n_features)
        The samples.

    Raises
    ------
    ValueError
        If `every` is no whole number from 1 on.
    """

    def __init__(self, program: NetworkProgram, every: int | None) -> None:
        if every is not None and (not isinstance(every, Integral) or every < 1):
            raise ValueError(f"every must be 1 sample or more, or None, not {every!r}")
        self.program, self.every = program, every
        rng = np.random.default_rng(SAMPLES)
        self.levels = rng.integers(0, LEVELS, (SAMPLES, program.n_features), dtype=np.uint8)
        self._right: ContractorResults | None = None
        self._since = 0

    def check(self, driver: ContractorDriver) -> None:
        """Ask all of them.

        Parameters
        ----------
        driver : ContractorDriver
            The driver, with the program loaded.

        Raises
        ------
        FaultError
            If an answer is wrong. The device then holds no program any more.
        """
        self.compare(driver, driver.run(self.levels))

    def compare(self, driver: ContractorDriver, found: ContractorResults) -> None:
        """Judge answers to all of them.

        Parameters
        ----------
        driver : ContractorDriver
            The driver.
        found : ContractorResults
            What the program has answered to `levels`.

        Raises
        ------
        FaultError
            If an answer is wrong. The device then holds no program any more.
        """
        self._since = 0
        right = self._right = self._right or driver.expected(self.program, self.levels)
        same = (found.scores == right.scores).all(axis=1) & (found.exponents == right.exponents)
        if same.all():
            _logger.debug("%d known answers are right", SAMPLES)
            return
        raise driver.faulty(
            f"{SAMPLES - int(same.sum())} of {SAMPLES} answers of its self-test are wrong"
        )

    def answered(self, driver: ContractorDriver, samples: int) -> None:
        """Count samples that were answered, and check if it is time to.

        Parameters
        ----------
        driver : ContractorDriver
            The driver.
        samples : int
            Samples of a run, whose answers have not been given to anybody yet.

        Raises
        ------
        FaultError
            If an answer is wrong.
        """
        if self.is_due(samples):
            self.check(driver)

    def is_due(self, samples: int) -> bool:
        """Count samples that were answered.

        Parameters
        ----------
        samples : int
            Samples of a run.

        Returns
        -------
        bool
            Whether it is time for the test.
        """
        self._since += samples
        return self.every is not None and self._since >= self.every


class KnownPair:
    """The same of two programs that contract the same samples.

    Parameters
    ----------
    ours, theirs : KnownAnswers
        Those of the program that runs, and of the one that stands by; both have the same samples,
        as they have as many features.
    """

    def __init__(self, ours: KnownAnswers, theirs: KnownAnswers) -> None:
        self._each = ours, theirs

    def check(self, driver: ResidentDriver) -> None:
        """Ask both; see `KnownAnswers.check`."""
        found = driver.run_both(self._each[0].levels)
        for known, results in zip(self._each, found):
            known.compare(driver, results)

    def answered(self, driver: ResidentDriver, samples: int) -> None:
        """Count samples that both have answered, and check if it is time to."""
        if any([known.is_due(samples) for known in self._each]):
            self.check(driver)


def choose_answers(
    program: NetworkProgram, self_test: bool, every: int | None, kept: Iterable[KnownAnswers]
) -> KnownAnswers | None:
    """Find what a program is tested with, or make it.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    self_test : bool
        Whether it is tested.
    every : int or None
        Samples after which the test is repeated.
    kept : iterable of KnownAnswers
        Answers that may be those of the program.

    Returns
    -------
    KnownAnswers or None
        The answers; None if it is not tested.

    Raises
    ------
    ValueError
        If `every` is no whole number from 1 on, or is given without `self_test`.
    """
    if not self_test:
        if every is not None:
            raise ValueError(f"every={every} needs self_test=True")
        return None
    for known in kept:
        if known.program is program and known.every == every:
            return known
    return KnownAnswers(program, every)
