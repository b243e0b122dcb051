"""All that a client on a microcontroller needs of a program, for one board."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..compiler.outputs import Classification, OutlierDetection, Regression
from ..contract.contractor.latency import PIPELINES
from ..contract.contractor.memory import LEVELS
from ..contract.device.boards import BoardSpec
from ..contract.fixed import EXPONENT, MANTISSA
from ..golden.contractor.contraction import contract
from .categories import category_names
from .thresholds import Thresholds, float_thresholds, short_thresholds

FRACTION_BITS = 24
"""Fraction bits of `OutlierNumbers.scale_fraction`: as many as float32 has."""


MOST_TESTS = 16
"""Most samples with known answers in an exported model; each takes some bytes of flash."""


@dataclass(frozen=True)
class RegressionNumbers:
    """A target is ``offset + mantissa * factor * 2**(power - exponent)``.

    Parameters
    ----------
    offset : float
        Target of a score of 0.
    factor : float
        0, or a number from 0.5 to below 1 or from above -1 to -0.5.
    power : int
        Exponent of two.

    Examples
    --------
    >>> numbers = RegressionNumbers.of(Regression(offset=20.0, factor=3.0), log2_scale=1.0)
    >>> numbers.offset, numbers.factor, numbers.power
    (20.0, 0.75, 3)
    """

    offset: float
    factor: float
    power: int

    @classmethod
    def of(cls, task: Regression, log2_scale: float) -> RegressionNumbers:
        """Make the numbers of a program's task and scale."""
        whole = int(np.floor(log2_scale))
        factor, power = np.frexp(task.factor)
        factor, more = np.frexp(factor * np.exp2(log2_scale - whole))
        return cls(task.offset, float(factor), int(power) + int(more) + whole)


@dataclass(frozen=True)
class OutlierNumbers:
    """What tells outliers by integers alone, and the likelihood in floating-point numbers.

    With an exponent below `first_exponent` each score is an inlier's, and from
    ``first_exponent + len(least)`` on none is. In between, that score is whose mantissa has at
    least the magnitude in `least`.

    Parameters
    ----------
    offset : float
        Log-likelihood in nats below which a sample is an outlier.
    first_exponent : int
        Exponent of the first entry of `least`.
    least : tuple of int
        Least magnitudes of an inlier's mantissa, for one exponent after the other.
    scale_whole, scale_fraction : int
        The logarithm of the scores' scale to base 2: whole part, and fraction in units of
        ``2**-FRACTION_BITS``.

    Examples
    --------
    >>> numbers = OutlierNumbers.of(OutlierDetection(offset=-2.0), log2_scale=0.25)
    >>> numbers.first_exponent, numbers.least[:3], len(numbers.least)
    (1, (1, 2, 3), 16)
    >>> numbers.scale_whole, numbers.scale_fraction / 2**FRACTION_BITS
    (0, 0.25)
    """

    offset: float
    first_exponent: int
    least: tuple[int, ...]
    scale_whole: int
    scale_fraction: int

    @classmethod
    def of(cls, task: OutlierDetection, log2_scale: float) -> OutlierNumbers:
        """Make the numbers of a program's task and scale; the task itself decides each case."""
        exponents = np.arange(EXPONENT.maximum + 1)

        def inliers(magnitudes: np.ndarray, of: np.ndarray) -> np.ndarray:
            return task.predict(magnitudes[:, None], of, log2_scale) > 0

        magnitudes = np.arange(-MANTISSA.minimum + 1)
        # Greater exponents and smaller magnitudes never make an inlier of an outlier.
        first = int(inliers(np.zeros_like(exponents), exponents).sum())
        beyond = int(inliers(np.full_like(exponents, magnitudes[-1]), exponents).sum())
        least = tuple(
            len(magnitudes) - int(inliers(magnitudes, np.full_like(magnitudes, exponent)).sum())
            for exponent in range(first, beyond)
        )
        units = round(log2_scale * (1 << FRACTION_BITS))
        whole, fraction = units >> FRACTION_BITS, units & ((1 << FRACTION_BITS) - 1)
        return cls(task.offset, first, least, whole, fraction)


@dataclass(frozen=True, eq=False)
class SelfTest:
    """A sample with its known answer, by which any client can check a board.

    Parameters
    ----------
    levels : bytes
        One level for each feature.
    scores : tuple of int
        Mantissas of the scores.
    exponent : int
        Their exponent.
    best : int
        Index of the greatest score.

    Examples
    --------
    >>> SelfTest(levels=b"abc", scores=(-5, 20000), exponent=7, best=1).best
    1
    """

    levels: bytes
    scores: tuple[int, ...]
    exponent: int
    best: int


@dataclass(frozen=True, eq=False)
class ClientModel:
    """A program for one board, as clients on microcontrollers take it.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    board : BoardSpec
        The board's row; the order of the weights depends on its lanes.

    Raises
    ------
    MissingEngineError
        If the board has no contractor.
    CapacityError
        If the program does not fit.
    ValueError
        If the program's levels are not those of thresholds, or it is protected.

    Examples
    --------
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.contract.device.boards import find_board
    >>> classifier = MPSClassifier(bond_dim=2, epochs=1, random_state=0)
    >>> program = classifier.fit([[0.0, 1.0], [1.0, 0.0]], ["low", "high"]).quantize()
    >>> model = ClientModel(program, find_board("icebreaker_spi"))
    >>> model.labels, model.lanes, model.outputs
    (('high', 'low'), 8, 2)
    """

    program: NetworkProgram = field(repr=False)
    board: BoardSpec = field(repr=False)

    def __post_init__(self) -> None:
        if self.program.protected:
            raise ValueError(
                "the drivers for microcontrollers load no protected programs; quantize without "
                "protect=True (train without --protect)"
            )
        self.program.check(self.board.require_contractor())

    @property
    def lanes(self) -> int:
        """Lanes of the board's contractor."""
        return self.board.require_contractor().lanes

    @property
    def signed(self) -> bool:
        """Whether the board computes a signature of what it reads, which then stands in `image`."""
        return bool(self.board.require_contractor().signature)

    @property
    def features(self) -> int:
        """Levels of a sample."""
        return self.program.n_features

    @property
    def outputs(self) -> int:
        """Scores of a sample."""
        return self.program.n_outputs

    @property
    def needs(self) -> tuple[int, ...]:
        """What the program needs of a contractor, in the order of the fields of `ContractorSize`.

        Lanes, which must be these; words of program memory, features, components, vector slots and
        entries of a slot, of which a device may have more.
        """
        inner = [node for node in self.program.nodes if not node.last]
        return (
            self.lanes,
            self.program.words(self.lanes) + self.signed,
            self.features,
            len(self.program.table),
            max((node.destination + 1 for node in inner), default=0),
            max((node.outputs for node in inner), default=0),
        )

    @property
    def image(self) -> bytes:
        """Content of the program memory."""
        return self.program.image(self.lanes, self.signed)

    @property
    def table(self) -> bytes:
        """Content of the feature table's memory."""
        return self.program.table_bytes()

    @property
    def digest(self) -> int:
        """The number by which a device tells this program from others."""
        return self.program.digest(self.lanes, self.signed)

    @property
    def cycles(self) -> int:
        """Clock cycles that each sample takes on the board in `Mode.THROUGHPUT`."""
        return self.program.cycles(self.lanes, self.board.require_contractor().latencies)

    @property
    def cycles_of_pipelines(self) -> tuple[int, ...]:
        """Clock cycles that each sample takes in `Mode.THROUGHPUT`, for each of the pipelines.

        The model serves them all: only the cycles depend on the pipeline.
        """
        return tuple(self.program.cycles(self.lanes, pipeline) for pipeline in PIPELINES)

    @property
    def single_cycles(self) -> int:
        """Clock cycles of a sample on the board in `Mode.SINGLE`; 0 if it lacks the mode."""
        size = self.board.require_contractor()
        return self.program.single_cycles(size) if size.single_drain else 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes as text; none if the task is another."""
        task = self.program.task
        return tuple(map(_text, task.labels)) if isinstance(task, Classification) else ()

    @property
    def categories(self) -> dict[int, tuple[str | None, ...]]:
        """Names of the categories by the number of their column, in the order of their places.

        None stands for any other value, where the network takes one.
        """
        found = self.program.categories
        columns = {} if found is None else found.columns
        return {
            place: tuple(None if name is None else _text(name) for name in category_names(column))
            for place, column in sorted(columns.items())
        }

    @property
    def gaps_for_others(self) -> frozenset[int]:
        """Columns of categories in which any other value counts as missing."""
        columns = {} if self.program.categories is None else self.program.categories.columns
        return frozenset(
            place
            for place, column in columns.items()
            if column.unknown is not None and np.isnan(column.unknown)
        )

    @cached_property
    def regression(self) -> RegressionNumbers | None:
        """How a score becomes a target; None if the task is another."""
        program = self.program
        if not isinstance(program.task, Regression):
            return None
        return RegressionNumbers.of(program.task, program.log2_scale)

    @cached_property
    def outliers(self) -> OutlierNumbers | None:
        """How a score becomes a flag and a likelihood; None if the task is another."""
        program = self.program
        if not isinstance(program.task, OutlierDetection):
            return None
        return OutlierNumbers.of(program.task, program.log2_scale)

    @cached_property
    def float_scale(self) -> Thresholds:
        """How readings of float32 become levels."""
        return float_thresholds(self.program)

    @cached_property
    def short_scale(self) -> Thresholds:
        """How readings of int16 become levels."""
        return short_thresholds(self.program)

    @cached_property
    def self_tests(self) -> tuple[SelfTest, ...]:
        """Samples with the answers of the golden model.

        So many of them that each level, and with it each entry of the feature table, is read by
        one, but at most `MOST_TESTS`.
        """
        program, lanes = self.program, self.lanes
        count = min(MOST_TESTS, -(-LEVELS // self.features))
        order = np.random.default_rng(self.digest).permutation(LEVELS).astype(np.uint8)
        levels = np.resize(order, (count, self.features))
        found = contract(program.nodes, program.weights, program.table, levels, lanes)
        return tuple(
            SelfTest(sample.tobytes(), tuple(scores), exponent, best)
            for sample, scores, exponent, best in zip(
                *(levels, found.scores.tolist(), found.exponents.tolist(), found.classes.tolist())
            )
        )


def _text(label: object) -> str:
    """Write a label as text, as Python prints it; bytes are text of UTF-8.

    What UTF-8 or a string of C cannot hold, a half of a pair or a zero, becomes a question mark.
    """
    text = label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")
