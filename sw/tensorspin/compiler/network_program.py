"""A quantised network, ready to be run by a contractor or by its golden model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from ..contract.contractor.image import program_image
from ..contract.contractor.memory import LEVELS
from ..contract.contractor.program import Node, OperandKind
from ..contract.contractor.size import ContractorSize
from ..contract.fixed import LEVEL, MANTISSA, NARROW_WEIGHT, WEIGHT
from ..errors import CapacityError
from ..golden.contractor.contraction import Results, contract
from ..golden.contractor.cycles import cycle_count, multiply_accumulates
from . import program_file
from .capacity import Demand, check_sound, demands, program_words
from .chain import FloatNode
from .outputs import Classification, Task
from .quantise import quantise_table, quantise_weights
from .scaling import check_inside, scale_features

REFERENCE_LANES = 8
"""Lanes assumed where only the scores matter; they are the same for any number."""


@dataclass(frozen=True, eq=False)  # arrays have no single answer; `digest` compares
class NetworkProgram:
    """A quantised tensor network: nodes, weights, feature table, and how to read its answers.

    Attributes
    ----------
    nodes : tuple of Node
    weights : tuple of ndarray of int8, shape (outputs, left.size, right.size)
    names : tuple of str
        Of the nodes, for messages.
    table : ndarray of int16, shape (components, 256)
        Feature table.
    feature_minimum, feature_maximum : ndarray of float64, shape (n_features,)
        The values that levels 0 and 255 stand for.
    clip : bool
        Values outside are clipped; else refused.
    task : Classification, Regression or OutlierDetection
        What the scores mean.
    log2_scale : float
        The network's own scores are ``mantissa * 2**(log2_scale - exponent)``.

    Raises
    ------
    ValueError
        If the program is not sound: the message names the node.
    CapacityError
        If something is larger than any device holds.
    """

    nodes: tuple[Node, ...] = field(repr=False)
    weights: tuple[np.ndarray, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    table: np.ndarray = field(repr=False)
    feature_minimum: np.ndarray = field(repr=False)
    feature_maximum: np.ndarray = field(repr=False)
    clip: bool
    task: Task
    log2_scale: float

    def __post_init__(self) -> None:
        if self.table.ndim != 2 or self.table.shape[1] != LEVELS or self.table.dtype != np.int16:
            raise ValueError(
                f"a feature table of int16 and shape (components, {LEVELS}) is needed, not of "
                f"{self.table.dtype} and shape {self.table.shape}"
            )
        low, high = self.feature_minimum, self.feature_maximum
        if low.shape != high.shape or low.ndim != 1:
            raise ValueError(
                f"feature_minimum and feature_maximum have shapes {low.shape} and {high.shape}; "
                f"one number per feature is needed in both"
            )
        if not np.all(np.isfinite(low) & np.isfinite(high) & (low <= high)):
            raise ValueError("feature_minimum and feature_maximum must be finite and in order")
        check_sound(self.nodes, self.weights, self.names, self.n_features, len(self.table))
        self.task.check(self.n_outputs)
        if not np.isfinite(self.log2_scale):
            raise ValueError(f"log2_scale must be finite, not {self.log2_scale}")

    @classmethod
    def from_nodes(
        cls,
        nodes: Sequence[FloatNode],
        table: np.ndarray,
        *,
        feature_minimum: np.ndarray,
        feature_maximum: np.ndarray,
        clip: bool,
        task: Task,
        weight_bits: int | Sequence[int] = WEIGHT.width,
    ) -> NetworkProgram:
        """Quantise a network.

        Parameters
        ----------
        nodes : sequence of FloatNode
            In the order of their execution.
        table : ndarray of float, shape (256, components)
        feature_minimum, feature_maximum, clip, task
            As the attributes.
        weight_bits : int or sequence of int
            8 or 4: bits of the weights of all nodes, or of each.
        """
        bits = [weight_bits] * len(nodes) if np.ndim(weight_bits) == 0 else weight_bits
        quantised = [quantise_weights(item.weights, b) for item, b in zip(nodes, bits, strict=True)]
        stored = tuple(
            replace(item.node, narrow=b == NARROW_WEIGHT.width) for item, b in zip(nodes, bits)
        )
        table = np.asarray(table, dtype=np.float64)
        # 1 is just beyond the mantissas. Saturated at each of hundreds of sites it would shrink the
        # scores by percents, so all of the table is scaled instead.
        table_scale = min(1.0, MANTISSA.maximum / 2**MANTISSA.f_bits / max(table.max(), 1e-300))
        return cls(
            stored,
            tuple(integers for integers, _ in quantised),
            tuple(item.name for item in nodes),
            quantise_table(table * table_scale),
            np.asarray(feature_minimum, dtype=np.float64),
            np.asarray(feature_maximum, dtype=np.float64),
            bool(clip),
            task,
            _log2_scale(stored, [step for _, step in quantised], table_scale),
        )

    @property
    def n_features(self) -> int:
        """Features of a sample."""
        return len(self.feature_minimum)

    @property
    def n_outputs(self) -> int:
        """Scores of a sample."""
        return self.nodes[-1].outputs

    @property
    def classes(self) -> np.ndarray:
        """Label of each score; of a program for `Classification` only."""
        if not isinstance(self.task, Classification):
            raise TypeError(f"a program for {type(self.task).__name__} has no classes")
        return self.task.labels

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications of a weight that one sample needs."""
        return multiply_accumulates(self.nodes)

    def words(self, lanes: int) -> int:
        """Words of program memory, `lanes` bytes each."""
        return program_words(self.nodes, lanes)

    def cycles(self, lanes: int) -> int:
        """Clock cycles of one sample; exact."""
        return cycle_count(self.nodes, lanes)

    def demands(self, size: ContractorSize) -> list[Demand]:
        """What the program needs beside what a device has."""
        return demands(self.nodes, self.names, self.n_features, len(self.table), size)

    def check(self, size: ContractorSize) -> None:
        """Refuse a device that is too small.

        Raises
        ------
        CapacityError
            With the number and the limit.
        """
        for demand in self.demands(size):
            if not demand.fits:
                raise CapacityError(demand.what, demand.needed, demand.limit, demand.advice)

    def image(self, lanes: int) -> bytes:
        """Bytes of `MemorySpace.PROGRAM` from address 0 on."""
        return program_image(self.nodes, self.weights, lanes)

    def table_bytes(self) -> bytes:
        """Bytes of `MemorySpace.TABLE` from address 0 on."""
        return self.table.astype("<i2").tobytes()

    def digest(self, lanes: int) -> int:
        """32 bits that tell this program from another on a device."""
        content = self.image(lanes) + self.table_bytes() + self.n_features.to_bytes(2, "little")
        return zlib.crc32(content)

    def levels(self, X) -> np.ndarray:
        """What the device is sent: one byte a feature.

        Parameters
        ----------
        X : array_like of float, shape (n, n_features)

        Returns
        -------
        ndarray of uint8, shape (n, n_features)

        Raises
        ------
        ValueError
            If X has another shape, is not finite, or is outside the range and `clip` is False.
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ValueError(
                f"X has shape {X.shape}; this program needs (n, {self.n_features}), one column a "
                f"feature"
            )
        bad = np.argwhere(~np.isfinite(X))
        if len(bad):
            sample, feature = bad[0]
            raise ValueError(
                f"feature {feature} of sample {sample} is {X[sample, feature]}; it must be finite"
            )
        if not self.clip:
            check_inside(X, self.feature_minimum, self.feature_maximum)
        scaled = scale_features(X, self.feature_minimum, self.feature_maximum)
        return np.rint(scaled * LEVEL.maximum).astype(np.uint8)

    def run_golden(self, X) -> Results:
        """What any device answers, from the bit-exact NumPy model.

        Parameters
        ----------
        X : array_like of float, shape (n, n_features)

        Returns
        -------
        tensorspin.golden.contractor.contraction.Results
            With the cycles of a contractor of `REFERENCE_LANES` lanes.
        """
        return contract(self.nodes, self.weights, self.table, self.levels(X), REFERENCE_LANES)

    def interpret(self, mantissas, exponents) -> np.ndarray:
        """Predictions from what a device returns, as `task` describes.

        Parameters
        ----------
        mantissas : array_like of int, shape (n, n_outputs)
        exponents : array_like of int, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
            Class labels; or numbers in the unit of the target; or 1 for inliers, -1 for outliers.
        """
        return self.task.predict(mantissas, exponents, self.log2_scale)

    def predict(self, X) -> np.ndarray:
        """Predictions by the golden model, shape (n,); see `interpret`."""
        results = self.run_golden(X)
        return self.interpret(results.scores, results.exponents)

    def save(self, path: str | Path) -> None:
        """Write the program to a file; see `tensorspin.compiler.program_file`."""
        program_file.save(path, {item.name: getattr(self, item.name) for item in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> NetworkProgram:
        """Read a program from a file; see `tensorspin.compiler.program_file`."""
        return program_file.load(path, cls)


def _log2_scale(nodes: Sequence[Node], steps: Sequence[float], table_scale: float) -> float:
    """Constant factor between the scores' mantissas and the network's own scores.

    A mantissa m of a feature stands for m * 2**-15 / table_scale. A node divides products by 2**15
    and the accumulators by 2**16, less the shift that the exponent counts.
    """
    feature = -float(MANTISSA.f_bits) - float(np.log2(table_scale))
    per_node = MANTISSA.f_bits + 16
    slots: dict[int, float] = {}
    scale = 0.0
    for node, step in zip(nodes, steps):
        left, right = (
            feature if operand.kind is OperandKind.FEATURE else slots[operand.index]
            for operand in (node.left, node.right)
        )
        scale = left + right + per_node + float(np.log2(step))
        slots[node.destination] = scale
    return scale
