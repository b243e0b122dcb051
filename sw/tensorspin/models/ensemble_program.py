"""From several fitted classifiers to one program: shared features, joint nodes, what fits a board.

A device is sent one byte a feature and has one feature table. Networks that scale a column in the
same way read the same byte; where they scale it differently, the column is sent once for each
scale, as further features of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..compiler.capacity import demands
from ..compiler.ensemble import Member, joint_nodes, may_be_narrow
from ..compiler.knots import Knots
from ..compiler.mixed_bits import mixed_bits
from ..compiler.network_program import NetworkProgram
from ..compiler.nodes import FloatNode
from ..compiler.outputs import Task
from ..compiler.sample_rounding import rounded_for_samples
from ..compiler.scaling import rounded_levels
from ..contract.contractor.program import Operand, OperandKind
from ..contract.contractor.size import ContractorSize
from ..contract.fixed import NARROW_WEIGHT, WEIGHT
from ..errors import CapacityError
from .classifier import NetworkClassifier
from .folding import Step


@dataclass(frozen=True)
class SharedFeatures:
    """The features that a program of several networks reads.

    Parameters
    ----------
    columns : ndarray of int of shape (n_features,)
        The column of the samples that each feature reads. The first features are the columns in
        their order.
    low, high : ndarray of float64 of shape (n_features,)
        The values that levels 0 and 255 stand for.
    knots : None or Knots
        The scale between them, if that of some feature is not linear.
    places : list of ndarray of int of shape (n_columns,)
        For each network the feature that it reads in place of each column.
    missing : bool
        Whether missing values have a level.
    """

    columns: np.ndarray
    low: np.ndarray
    high: np.ndarray
    knots: Knots | None
    places: list[np.ndarray]
    missing: bool = False

    @classmethod
    def of(cls, members: Sequence[NetworkClassifier]) -> SharedFeatures:
        """Find the features of fitted classifiers for the same columns."""
        n_columns = members[0].n_features_in_
        scales = [_scales(member) for member in members]
        width = max(len(values) for each in scales for values, _ in each)
        found: dict[tuple, int] = {}
        features: list[tuple[int, np.ndarray, np.ndarray]] = []
        places = []
        # Feature i is column i as the first network scales it, also where two columns are alike.
        for each in scales:
            place = np.empty(n_columns, dtype=int)
            for column, (values, positions) in enumerate(each):
                key = (column, values.tobytes(), positions.tobytes())
                if key not in found:
                    found[key] = len(features)
                    features.append((column, values, positions))
                place[column] = found[key]
            places.append(place)
        values, positions = (
            np.stack([np.pad(row, (0, width - len(row)), mode="edge") for row in rows])
            for rows in list(zip(*features))[1:]
        )
        return cls(
            np.array([feature[0] for feature in features]),
            values[:, 0].copy(),
            values[:, -1].copy(),
            Knots(values, positions) if width > 2 else None,
            places,
            members[0].missing == "level",
        )

    def levels(self, X: np.ndarray) -> np.ndarray:
        """Round samples (n_samples, n_columns) to levels, uint8 (n_samples, n_features)."""
        return rounded_levels(X[:, self.columns], self.low, self.high, self.knots, self.missing)


def _scales(member: NetworkClassifier) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the knots of each column, values and positions; two if its scale is linear."""
    knots = member.feature_knots_
    if knots is None:
        ends = zip(member.feature_minimum_, member.feature_maximum_)
        # A constant column has level 0.
        return [(np.array(pair), np.array([0.0, float(pair[0] < pair[1])])) for pair in ends]
    return [
        (values[: (last := _length(values))], positions[:last])
        for values, positions in zip(knots.values, knots.positions)
    ]


def _length(values: np.ndarray) -> int:
    """Return the number of knots of a feature without the repetitions of its last one."""
    return max(2, 1 + int(np.argmax(values == values[-1])))


@dataclass(frozen=True)
class EnsembleProgram:
    """Fitted classifiers as one program, before its weights are rounded.

    Parameters
    ----------
    nodes : list of FloatNode
        The program.
    table : ndarray of float64 of shape (256, components)
        Its feature table.
    features : SharedFeatures
        What it reads.
    may_be_narrow : list of bool
        Whether the weights of each node may have 4 bits.
    """

    nodes: list[FloatNode]
    table: np.ndarray
    features: SharedFeatures
    may_be_narrow: list[bool]

    @classmethod
    def of(
        cls,
        members: Sequence[NetworkClassifier],
        samples: np.ndarray,
        bits: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
    ) -> EnsembleProgram:
        """Join classifiers; one alone stays as it is.

        Parameters
        ----------
        members : sequence of NetworkClassifier
            Fitted to the same columns and classes.
        samples : ndarray of float64 of shape (n_samples, n_columns)
            Some hundred training samples, see `tensorspin.compiler.references`.
        bits : None or sequence of int
            Bits of the weights of each node; None: 8. Weights of 4 bits are rounded for the
            samples, see `tensorspin.compiler.sample_rounding`.
        weights : None or sequence of float
            Factor of the logits of each classifier in the sum, above 0; None: 1.

        Returns
        -------
        EnsembleProgram
            The program.
        """
        features = SharedFeatures.of(members)
        networks = [
            Member(
                _reading(member._nodes(), place),
                member.feature_map_.table(),
                weight * member.temperature_,
            )
            for member, place, weight in zip(
                members, features.places, weights or [1.0] * len(members)
            )
        ]
        levels = features.levels(samples)
        if len(networks) > 1:
            nodes, table = joint_nodes(networks, levels, bits)
            return cls(nodes, table, features, may_be_narrow(networks))
        nodes, table = list(networks[0].nodes), networks[0].table
        if bits is not None and NARROW_WEIGHT.width in bits:
            nodes = rounded_for_samples(nodes, table, levels, bits, scores_have_scale=False)
        return cls(nodes, table, features, [True] * len(nodes))

    def excess(self, size: ContractorSize, narrow: bool) -> CapacityError | None:
        """Return what a device has too little of; None if the program fits.

        Parameters
        ----------
        size : ContractorSize
            Size of the device's contractor.
        narrow : bool
            Whether weights take 4 bits wherever they may.

        Returns
        -------
        CapacityError or None
            The quantity, the number needed and the limit.
        """
        nodes = [
            replace(item.node, narrow=narrow and may)
            for item, may in zip(self.nodes, self.may_be_narrow)
        ]
        names = [item.name for item in self.nodes]
        for need in demands(nodes, names, len(self.features.columns), self.table.shape[1], size):
            if need.needed > need.limit:
                return CapacityError(need.what, need.needed, need.limit, need.advice)
        return None

    def bits(self, weight_bits: int, size: ContractorSize | None) -> list[int]:
        """Return the bits of each node's weights.

        Parameters
        ----------
        weight_bits : int
            8, or 4 for all nodes that may have so few.
        size : None or ContractorSize
            Size of a device's contractor: then 8, but 4 for as many nodes as it takes to fit.

        Returns
        -------
        list of int
            8 or 4 for each node.
        """
        if size is not None:
            return mixed_bits(self.nodes, size, self.may_be_narrow)
        return [weight_bits if may else WEIGHT.width for may in self.may_be_narrow]

    def quantised(self, weight_bits: Sequence[int], clip: bool, task: Task) -> NetworkProgram:
        """Round the weights; the program takes its features, not yet the columns."""
        return NetworkProgram.from_nodes(
            self.nodes,
            self.table,
            feature_minimum=self.features.low,
            feature_maximum=self.features.high,
            clip=clip,
            task=task,
            knots=self.features.knots,
            missing=self.features.missing,
            weight_bits=weight_bits,
        )


def fitting(
    members: Sequence[NetworkClassifier],
    samples: np.ndarray,
    sizes: Sequence[ContractorSize],
    narrow: bool,
) -> tuple[int, CapacityError | None]:
    """Count how many of the first members fit a device together.

    Parameters
    ----------
    members : sequence of NetworkClassifier
        Fitted classifiers, the best first.
    samples : ndarray of float64 of shape (n_samples, n_columns)
        Any samples.
    sizes : sequence of ContractorSize
        Sizes of the contractors of the devices, one of which is enough.
    narrow : bool
        Whether several may fit by weights of 4 bits. One alone always may.

    Returns
    -------
    n_members : int
        At least 1.
    excess : CapacityError or None
        What there is too little of for one more, on the first device; None if all fit.

    Raises
    ------
    CapacityError
        If not even the first one fits.
    """
    excess: CapacityError | None = None
    for n_members in range(len(members), 0, -1):
        program = EnsembleProgram.of(members[:n_members], samples)
        found = [program.excess(size, narrow or n_members == 1) for size in sizes]
        if None in found:
            return n_members, excess
        excess = found[0]
    assert excess is not None
    raise excess


def _reading(nodes: Sequence[FloatNode], places: np.ndarray) -> list[FloatNode]:
    """Let nodes read other features in place of the columns."""

    def moved(operand: Operand) -> Operand:
        if operand.kind is OperandKind.VECTOR:
            return operand
        return replace(operand, index=int(places[operand.index]))

    return [
        replace(
            item, node=replace(item.node, left=moved(item.node.left), right=moved(item.node.right))
        )
        for item in nodes
    ]


class Copies(Step):
    """A step in front of a program that gives it columns more than once.

    Parameters
    ----------
    columns : ndarray of int of shape (n_features,)
        The column that each feature of the program reads.
    n_columns : int
        Number of columns.
    missing : bool
        Whether the program has a level for missing values.
    """

    accepts_infinity = False

    def __init__(self, columns: np.ndarray, n_columns: int, missing: bool) -> None:
        self.accepts_nan = missing
        self.name = "the networks of the ensemble"
        self.n_columns = n_columns
        self.kept = columns

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return the columns that the features read."""
        return X[:, self.kept]
