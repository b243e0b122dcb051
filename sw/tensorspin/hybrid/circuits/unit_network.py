"""A network and the vectors of its features, both divided by their norms.

The outputs of a network are linear in the vector of each feature. In components of these vectors
that are orthonormal over the levels, the network is one large tensor T, and output k of a sample is
the product of T[k] with the vectors v of its features. Divided by all norms, it is the amplitude
with which a quantum state passes a test; what was divided out is known for each sample:

    log output^2 = log amplitude^2 + log ||T||^2 + sum over leaves of log ||v||^2.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ...compiler.network_program import NetworkProgram
from ...compiler.nodes import FloatNode
from ...compiler.outputs import Task
from ...contract.contractor.memory import LEVELS
from ...contract.fixed import LEVEL, MANTISSA
from ...models.base import NetworkEstimator
from ...models.board_estimator import BoardEstimator
from ...models.born import RANK_TOLERANCE
from ...models.born_estimator import IMPOSSIBLE, BornEstimator
from ...models.contraction import prediction_batches
from ...models.missing import VALUE_LEVELS
from ...models.pipelines import quantize
from .isometries import (
    Branching,
    compacted,
    contract,
    isometric,
    leaves,
    mirrored,
    tree_of,
    with_components,
)
from .loading import qubits_for

NODE_SHIFT = 31
"""Binary places by which a contractor shifts the result of a node to the right, but for what it
counts in the exponent: 15 for the product of two mantissas, and 16 for an accumulator."""

OUTSIDE = 1e-9
"""Share of a tensor's norm that may be outside of a basis through rounding."""

ROUNDING = 1e-26
"""Share of the largest squared singular value of a feature table below which another is a rounding
error."""

Encode = Callable[[Any], tuple[np.ndarray, np.ndarray]]
"""Takes samples as users have them; returns the level of each feature that the network reads,
ndarray of uint8 of shape (n_samples, n_features), and what is taken from the log-likelihood beside
the network, ndarray of float64 of shape (n_samples,)."""


@dataclass(frozen=True)
class UnitNetwork:
    """A network of norm 1, and vectors of norm 1 for all levels.

    Parameters
    ----------
    tree : list of Branching
        The network: isometries, and a root of norm 1.
    vectors : ndarray of float64 of shape (256, 2 ** site_qubits)
        The vector of each level, of norm 1. It is the first unit vector where the network's own
        vector is 0.
    log_norms : ndarray of float64 of shape (256,)
        Natural logarithm of the squared norm of each level's vector; `IMPOSSIBLE` if that is 0.
    log_scale : float
        Natural logarithm of the squared norm of the network.
    components : int
        Number of entries of the vectors that are not zero at all levels.
    read : ndarray of int of shape (n_features,)
        The features that the network reads, in their order; of these alone there are levels.
    encode : callable
        From samples to levels, see `Encode`.
    """

    tree: list[Branching]
    vectors: np.ndarray
    log_norms: np.ndarray
    log_scale: float
    components: int
    read: np.ndarray
    encode: Encode

    @property
    def site_qubits(self) -> int:
        """Number of qubits that hold the vector of a feature."""
        return qubits_for(self.vectors.shape[1])

    def behind(self, front: Pipeline | None) -> UnitNetwork:
        """Put the steps of a pipeline in front of the network.

        Parameters
        ----------
        front : Pipeline or None
            Fitted steps that transform.

        Returns
        -------
        UnitNetwork
            The same network for samples as the pipeline takes them.
        """
        if front is None:
            return self
        return replace(self, encode=_LevelsOfPipeline(front, self.encode))

    def probabilities(self, levels: np.ndarray) -> np.ndarray:
        """Compute the squared amplitude of each output.

        Parameters
        ----------
        levels : ndarray of uint8 of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_outputs)
            From 0 to 1; those of a sample sum to at most 1.
        """
        found = np.empty((len(levels), len(self.tree[-1].tensor)))
        for batch in prediction_batches(len(levels)):
            vectors = self.vectors[levels[batch], : self.components]
            found[batch] = contract(self.tree, vectors) ** 2
        return np.minimum(found, 1.0)

    def log_offsets(self, levels: np.ndarray) -> np.ndarray:
        """Compute what is missing from the logarithms of these probabilities.

        Parameters
        ----------
        levels : ndarray of uint8 of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            ``log output^2 - log amplitude^2`` in nats.
        """
        times_read = np.bincount(leaves(self.tree), minlength=len(self.read))
        return self.log_norms[levels] @ times_read + self.log_scale


def parted(model: Any) -> tuple[Pipeline | None, NetworkEstimator | NetworkProgram]:
    """Take a model out of what holds it.

    Parameters
    ----------
    model : estimator, BoardEstimator, Pipeline, NetworkProgram, str or Path
        A fitted estimator, which is taken as it was trained; a pipeline, or a search over
        parameters, that ends in one; its program, a file with that, or what holds it; or whatever
        else `tensorspin.models.quantize` takes, such as an ensemble, which is quantised.

    Returns
    -------
    front : Pipeline or None
        Copies of the steps in front of the estimator, if there are any and they are not in the
        program.
    model : NetworkEstimator or NetworkProgram
        The model.

    Raises
    ------
    TypeError
        If the model is none of these.
    """
    if isinstance(model, (str, Path)):
        model = NetworkProgram.load(model)
    if isinstance(model, BoardEstimator):
        model = model.program
    steps, last = [], model
    while isinstance(last, Pipeline) or hasattr(last, "best_estimator_"):
        last = getattr(last, "best_estimator_", last)
        if isinstance(last, Pipeline):
            steps += [step for _, step in last.steps[:-1] if _transforms(step)]
            last = last.steps[-1][1]
    if not isinstance(last, NetworkEstimator):
        return None, quantize(model)
    check_is_fitted(last)
    if not steps:
        return None, last
    named = [(f"step {place}", step) for place, step in enumerate(copy.deepcopy(steps))]
    return Pipeline(named), last


def _transforms(step: Any) -> bool:
    # imbalanced-learn's pipelines change the training samples alone by a step without `transform`.
    return hasattr(step, "transform") and step not in (None, "passthrough")


def task_of(model: NetworkEstimator | NetworkProgram) -> Task:
    """Tell what the outputs of a model mean.

    Parameters
    ----------
    model : NetworkEstimator or NetworkProgram
        A fitted estimator or a program.

    Returns
    -------
    Task
        Its task.
    """
    return model.task if isinstance(model, NetworkProgram) else model._task()


def unit_network(model: Any, own_components: bool = False) -> UnitNetwork:
    """Divide a network and the vectors of its features by their norms.

    Parameters
    ----------
    model : estimator, BoardEstimator, Pipeline, NetworkProgram, str or Path
        A model as `parted` takes it.
    own_components : bool
        Whether vectors keep the components of the feature map, which need not be orthonormal over
        the levels.

    Returns
    -------
    UnitNetwork
        The network.

    Raises
    ------
    TypeError
        If the model is none of these.
    ValueError
        If the network is zero, or its nodes are no tree.
    """
    front, model = parted(model)
    if isinstance(model, NetworkProgram):
        return _of_program(model, own_components)
    return _of_estimator(model, own_components).behind(front)


@dataclass(frozen=True)
class _LevelsOfPipeline:
    """From samples to levels, behind other steps; it can be pickled."""

    front: Pipeline
    encode: Encode

    def __call__(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        return self.encode(self.front.transform(X))


@dataclass(frozen=True)
class _LevelsOfEstimator:
    """From samples to levels, as an estimator rounds them; it can be pickled.

    The estimator is a copy, so that another training does not change its scale.
    """

    estimator: NetworkEstimator

    def __call__(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        inputs = self.estimator._validated_inputs(X)
        damping = np.zeros(len(inputs))
        if isinstance(self.estimator, BornEstimator):
            damping = self.estimator._further_damping(inputs)
        # The first site that reads each feature.
        places = np.unique(self.estimator.site_features_, return_index=True)[1]
        highest = LEVEL.maximum - (self.estimator.missing == "level")
        levels = np.rint(inputs[:, places] * highest)
        return np.nan_to_num(levels, nan=LEVEL.maximum).astype(np.uint8), damping


@dataclass(frozen=True)
class _LevelsOfProgram:
    """From samples to the levels of the features that a program reads; it can be pickled."""

    program: NetworkProgram
    read: np.ndarray

    def __call__(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        levels = self.program.levels(X)[:, self.read]
        return levels, np.zeros(len(levels))


def _of_estimator(estimator: NetworkEstimator, own_components: bool) -> UnitNetwork:
    table, nodes = estimator.feature_map_.table(), estimator._nodes()
    encode = _LevelsOfEstimator(copy.copy(estimator))
    return _normalised(nodes, table, estimator.missing == "level", 0.0, encode, own_components)


def _of_program(program: NetworkProgram, own_components: bool) -> UnitNetwork:
    nodes = [
        FloatNode(node, weights.astype(float), name)
        for node, weights, name in zip(program.nodes, program.weights, program.names)
    ]
    table = program.table.T / 2.0**MANTISSA.f_bits
    # A network of n nodes has n + 1 leaves.
    binary_places = MANTISSA.f_bits * (len(nodes) + 1) - NODE_SHIFT * len(nodes)
    encode = _LevelsOfProgram(program, np.unique(leaves(tree_of(nodes))))
    return _normalised(
        nodes,
        table,
        program.missing,
        program.log2_scale + binary_places,
        encode,
        own_components,
    )


def _normalised(
    nodes: Sequence[FloatNode],
    table: np.ndarray,
    missing: bool,
    log2_scale: float,
    encode: Encode,
    own_components: bool,
) -> UnitNetwork:
    weighed = table
    if missing:  # a missing value and a value are alike; see `MissingMap.weighed_table`
        weighed = np.concatenate([table[:-1], np.repeat(table[-1:], VALUE_LEVELS, axis=0)])
    tree = mirrored(tree_of(nodes))
    read = np.unique(leaves(tree))
    tree = compacted(tree)
    basis, inverse = _orthonormal(weighed, RANK_TOLERANCE)
    if len(basis) < table.shape[1] and not _spans(tree, basis, inverse):
        basis, inverse = _orthonormal(weighed, ROUNDING)
    if own_components:
        basis = inverse = np.eye(table.shape[1])
    narrow = with_components(tree, inverse)
    tree, log_norm = isometric(narrow)
    vectors = table @ basis.T
    norms = np.linalg.norm(vectors, axis=1)
    padded = np.zeros((LEVELS, 1 << max(qubits_for(len(basis)), 1)))
    zero = norms == 0
    padded[~zero, : len(basis)] = vectors[~zero] / norms[~zero, None]
    padded[zero, 0] = 1
    log_norms = np.full(LEVELS, IMPOSSIBLE)
    log_norms[~zero] = 2 * np.log(norms[~zero])
    log_scale = 2 * (log_norm + log2_scale * np.log(2))
    return UnitNetwork(tree, padded, log_norms, log_scale, len(basis), read, encode)


def _orthonormal(table: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Find components of feature vectors that are orthonormal over the levels.

    They span what those of `tensorspin.models.born.orthonormal_basis` do.

    Returns the matrix (rank, local_dim) from a map's components to these, and that (local_dim,
    rank) back.
    """
    _, values, directions = np.linalg.svd(table, full_matrices=False)
    kept = values**2 > tolerance * values[0] ** 2
    scales = values[kept, None] / np.sqrt(len(table))
    return directions[kept] / scales, (directions[kept] * scales).T


def _spans(tree: Sequence[Branching], basis: np.ndarray, inverse: np.ndarray) -> bool:
    """Tell whether a network reads components of a basis only.

    What a detector's training left out of its basis, a network that was rounded may read again.
    """
    projected = with_components(with_components(tree, inverse), basis)
    return all(
        np.linalg.norm(node.tensor - other.tensor) <= OUTSIDE * np.linalg.norm(node.tensor)
        for node, other in zip(tree, projected)
    )
