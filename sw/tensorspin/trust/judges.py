"""When an answer is wrong, by the task of a program, and which way a sample must go to make it so.

Each task has a judge, with one number a sample that attacks increase (`Judge.wrongness`), the
derivative of the same by the network's scores (`Judge.slopes`), and one headline for all samples
(`Judge.headline`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..compiler.outputs import Classification, OutlierDetection, Regression
from ..contract.contractor.results import ContractorResults
from .intervals import Estimate, bootstrap, share


class Judge(ABC):
    """What is right for some samples.

    Parameters
    ----------
    program : NetworkProgram
        The program that answers.
    """

    metric: str
    """Name of the headline."""

    decides = True
    """Whether answers are right or wrong; numbers are only more or less so."""

    def __init__(self, program: NetworkProgram) -> None:
        self.program = program

    @abstractmethod
    def of(self, rows) -> Judge:
        """Return the judge of some of the samples: a slice, indices, or bool for each."""

    @abstractmethod
    def wrongness(self, results: ContractorResults) -> np.ndarray:
        """Tell how wrong answers are: ndarray of float64 of shape (n_samples,).

        Where the judge decides, an answer is wrong if this is above 0.
        """

    @abstractmethod
    def slopes(self, scores: np.ndarray) -> np.ndarray:
        """Differentiate wrongness, up to a positive factor of each sample, by the scores.

        Parameters
        ----------
        scores : ndarray of float64 of shape (n_samples, n_outputs)
            The network's own scores.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_outputs)
            The derivatives.
        """

    def right(self, results: ContractorResults) -> np.ndarray:
        """Tell which answers are right: ndarray of bool of shape (n_samples,)."""
        return self.wrongness(results) <= 0

    def headline(self, results: ContractorResults, seed: int = 0) -> Estimate:
        """Measure answers by one number, with its 95 % confidence interval."""
        return share(self.right(results))


class ClassJudge(Judge):
    """An answer is right if its class is.

    Parameters
    ----------
    program : NetworkProgram
        A program for `Classification`.
    labels : ndarray of int of shape (n_samples,)
        Place of each sample's true class among the program's.
    """

    metric = "accuracy"

    def __init__(self, program: NetworkProgram, labels: np.ndarray) -> None:
        super().__init__(program)
        self.labels = labels

    def of(self, rows) -> ClassJudge:
        """Return the judge of some of the samples."""
        return ClassJudge(self.program, self.labels[rows])

    def wrongness(self, results: ContractorResults) -> np.ndarray:
        """Return how far another class is ahead, as a share of the length of the scores.

        Of equal scores the first counts, so that one of them may be wrong by 0.
        """
        own, other, _ = self._ahead(_unit(results.scores.astype(np.float64)))
        ahead = other - own
        wrong = results.classes != self.labels
        return np.where(wrong, np.maximum(ahead, np.finfo(float).tiny), np.minimum(ahead, 0))

    def slopes(self, scores: np.ndarray) -> np.ndarray:
        """Differentiate the greatest other score less the true one, both of unit length."""
        unit = _unit(scores)
        own, other, place = self._ahead(unit)
        rows = np.arange(len(unit))
        # d(s / |s|) is the part of ds across s, divided by |s|, which is a factor.
        found = -(other - own)[:, None] * unit
        found[rows, place] += 1
        found[rows, self.labels] -= 1
        return found

    def _ahead(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = np.arange(len(scores))
        others = scores.copy()
        others[rows, self.labels] = -np.inf
        place = others.argmax(axis=1)
        return scores[rows, self.labels], others[rows, place], place


class NumberJudge(Judge):
    """An answer is as wrong as it is far from the true number.

    Parameters
    ----------
    program : NetworkProgram
        A program for `Regression`.
    target : ndarray of float64 of shape (n_samples,)
        True numbers.
    """

    metric = "root mean square error"
    decides = False

    def __init__(self, program: NetworkProgram, target: np.ndarray) -> None:
        super().__init__(program)
        self.target = target

    def of(self, rows) -> NumberJudge:
        """Return the judge of some of the samples."""
        return NumberJudge(self.program, self.target[rows])

    def wrongness(self, results: ContractorResults) -> np.ndarray:
        """Return the distance from the true number, in the unit of the target."""
        found = self.program.interpret(results.scores, results.exponents)
        return np.abs(found - self.target)

    def slopes(self, scores: np.ndarray) -> np.ndarray:
        """Return on which side of the target the number lies."""
        task = self.program.task
        assert isinstance(task, Regression)
        away = task.offset + task.factor * scores - self.target[:, None]
        return np.where(away < 0, -1.0, 1.0) * np.sign(task.factor)

    def headline(self, results: ContractorResults, seed: int = 0) -> Estimate:
        """Return the root mean square error, with an interval by the bootstrap."""
        squares = self.wrongness(results) ** 2
        return bootstrap(squares, lambda each: np.sqrt(each.mean(axis=-1)), seed)


class OutlierJudge(Judge):
    """An answer is right if it takes outliers for outliers, and nothing else.

    Parameters
    ----------
    program : NetworkProgram
        A program for `OutlierDetection`.
    outlier : ndarray of bool of shape (n_samples,)
        Whether each sample is an outlier. Attacks hide outliers, and raise alarms for others.
    """

    metric = "share of right decisions"

    def __init__(self, program: NetworkProgram, outlier: np.ndarray) -> None:
        super().__init__(program)
        self.outlier = outlier

    def of(self, rows) -> OutlierJudge:
        """Return the judge of some of the samples."""
        return OutlierJudge(self.program, self.outlier[rows])

    def likelihoods(self, results: ContractorResults) -> np.ndarray:
        """Return log-likelihoods in nats."""
        task = self.program.task
        assert isinstance(task, OutlierDetection)
        return task.log_likelihood(results.scores, results.exponents, self.program.log2_scale)

    def wrongness(self, results: ContractorResults) -> np.ndarray:
        """Return how far the log-likelihood is on the wrong side of the threshold, in nats."""
        task = self.program.task
        assert isinstance(task, OutlierDetection)
        above = self.likelihoods(results) - task.offset
        tiny = np.finfo(float).tiny
        hidden = np.where(above >= 0, np.maximum(above, tiny), above)  # the threshold is inside
        return np.where(self.outlier, hidden, -above)

    def slopes(self, scores: np.ndarray) -> np.ndarray:
        """Return the way to a likelier sample for outliers, and away from it for others."""
        up = np.where(scores < 0, -1.0, 1.0)
        return np.where(self.outlier[:, None], up, -up)


def judge_of(program: NetworkProgram, y: np.ndarray) -> Judge:
    """Return the judge of a program's task.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    y : ndarray of shape (n_samples,)
        Class labels; or numbers; or, for outliers, bool: whether each sample is one.

    Returns
    -------
    Judge
        The judge.

    Raises
    ------
    ValueError
        If a label is none of the program's classes, or a number is not finite.
    """
    y = np.asarray(y)
    task = program.task
    if isinstance(task, Classification):
        places = {label: place for place, label in enumerate(task.labels.tolist())}
        unknown = [label for label in y.tolist() if label not in places]
        if unknown:
            raise ValueError(
                f"y has the label {unknown[0]!r}, which is none of the program's classes "
                f"{task.labels.tolist()[:10]}"
            )
        return ClassJudge(program, np.array([places[label] for label in y.tolist()], dtype=int))
    if isinstance(task, Regression):
        target = y.astype(np.float64)
        if not np.isfinite(target).all():
            raise ValueError("y must be finite numbers")
        return NumberJudge(program, target)
    if y.dtype != bool:
        raise ValueError(f"y must be bool, whether a sample is an outlier, not {y.dtype}")
    return OutlierJudge(program, y)


def _unit(scores: np.ndarray) -> np.ndarray:
    largest = np.abs(scores).max(axis=1, keepdims=True)
    scores = scores / np.where(largest > 0, largest, 1)
    norm = np.linalg.norm(scores, axis=1, keepdims=True)
    return scores / np.where(norm > 0, norm, 1)
