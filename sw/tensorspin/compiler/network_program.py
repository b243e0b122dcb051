"""A quantised network, ready to be run by a contractor or by its golden model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.contractor.results import ContractorResults
from ..contract.fixed import WEIGHT
from ..golden.contractor.contraction import contract
from . import program_file
from .capacity import check_sound, check_table
from .categories import Categories
from .columns import ColumnLevels
from .device_program import DeviceProgram
from .gradient import Weights, contract_with_gradient, feature_vectors
from .knots import Knots
from .nodes import FloatNode
from .once import attributes_alone, read_only
from .outputs import Classification, Task, check_finite
from .program_lock import ProgramLock
from .quantise import quantise_network
from .samples import SampleLevels

_NEW_FIELDS = {"knots": None, "missing": False, "categories": None, "lock": None}
"""What programs lack that were pickled by an earlier version, and what they have instead."""

REFERENCE_LANES = 8
"""Lanes assumed where only the scores matter, which are the same for any number of lanes."""


@dataclass(frozen=True, eq=False)  # arrays have no single answer; `digest` compares
class NetworkProgram(SampleLevels, DeviceProgram):
    """A quantised tensor network: nodes, weights, feature table, and how to read its answers.

    The program is fixed once it is made, and its arrays are read-only. A prediction of one sample
    needs the digest of all bytes that a device holds, and computing these takes longer than the
    board's answer; so they are computed once. `dataclasses.replace` makes another program.

    Parameters
    ----------
    nodes : tuple of Node
        The bilinear operations, in the order of their execution.
    weights : tuple of ndarray of int8 of shape (outputs, left.size, right.size)
        Weight tensor of each node.
    names : tuple of str
        Name of each node, for messages.
    table : ndarray of int16 of shape (components, 256)
        Feature table: the mantissas of each component for each level. A level is the byte that a
        feature's value is rounded to; components are the entries of the vector that the network
        reads for one feature.
    feature_minimum, feature_maximum : ndarray of float64 of shape (n_features,)
        The values that levels 0 and 255 stand for.
    clip : bool
        Whether values outside are clipped; if not, they are refused.
    task : Classification, Regression or OutlierDetection
        What the scores mean.
    log2_scale : float
        The network's own scores are ``mantissa * 2**(log2_scale - exponent)``.
    columns : ColumnLevels, optional
        How columns become levels if a pipeline with scalers or selections was folded into the
        program; see `tensorspin.deploy`. `feature_minimum`, `feature_maximum` and `clip` then tell
        what became of its ranges, and `columns` decides. None: the columns are the features.
    feature_names : tuple of str, optional
        Name of each column of the samples, in their order, as scikit-learn's `feature_names_in_`;
        None if the columns have no names. Data frames are checked against them.
    knots : Knots, optional
        The scale of each feature between `feature_minimum` and `feature_maximum`, where values
        outside are clipped. None: the scale is linear, or `columns` has it.
    missing : bool
        Whether level 255 stands for a missing value; values then have levels 0 to 254. If not,
        missing values are refused, or `columns` has a level for them.
    categories : Categories, optional
        The columns of words, and the number that stands for each word. Numbers become levels as
        those of any other column. None: all columns are numbers.
    lock : ProgramLock, optional
        The tags that let locked boards run it, `tensorspin.compiler.locking.lock_program`.

    Raises
    ------
    ValueError
        If the program is not sound: the message names the node.
    CapacityError
        If something is larger than any device holds.

    Examples
    --------
    A network of a single node that tells whether two features differ:

    >>> import numpy as np
    >>> from tensorspin.compiler import Classification, FloatNode, NetworkProgram
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> first, second = (Operand(OperandKind.FEATURE, index, size=2) for index in (0, 1))
    >>> node = Node(first, second, outputs=2, destination=0, wait=False, last=True)
    >>> weights = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])
    >>> ramp = np.linspace(0, 1, 256)
    >>> program = NetworkProgram.from_nodes(
    ...     [FloatNode(node, weights, "label")],
    ...     table=np.stack([1 - ramp, ramp], axis=1),
    ...     feature_minimum=np.zeros(2),
    ...     feature_maximum=np.ones(2),
    ...     clip=True,
    ...     task=Classification(np.array(["equal", "different"]), temperature=1.0),
    ... )
    >>> program.predict([[0, 0], [0, 1], [1, 1]]).tolist()
    ['equal', 'different', 'equal']
    >>> program.words(lanes=8), program.cycles(lanes=8)
    (5, 28)
    """

    feature_minimum: np.ndarray = field(repr=False)
    feature_maximum: np.ndarray = field(repr=False)
    clip: bool
    task: Task
    log2_scale: float
    columns: ColumnLevels | None = field(default=None, repr=False)
    feature_names: tuple[str, ...] | None = field(default=None, repr=False)
    knots: Knots | None = field(default=None, repr=False)
    missing: bool = False
    categories: Categories | None = field(default=None, repr=False)
    lock: ProgramLock | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_table(self.table, self.feature_minimum, self.feature_maximum)
        check_sound(self.nodes, self.weights, self.names, self.n_features, len(self.table))
        self.task.check(self.n_outputs)
        check_finite(log2_scale=self.log2_scale)
        self.check_inputs()
        self._protect_arrays()

    def _protect_arrays(self) -> None:
        object.__setattr__(self, "weights", tuple(map(read_only, self.weights)))
        object.__setattr__(self, "table", read_only(self.table))
        for name in ("feature_minimum", "feature_maximum"):
            object.__setattr__(self, name, read_only(getattr(self, name).astype(np.float64)))

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: a copy computes its own results when it needs them."""
        return attributes_alone(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Programs that were pickled by an earlier version lack the fields that are new.
        vars(self).update(_NEW_FIELDS | state)
        self._protect_arrays()  # copied and unpickled arrays are writable

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
        feature_names: Sequence[str] | None = None,
        knots: Knots | None = None,
        missing: bool = False,
        categories: Categories | None = None,
        weight_bits: int | Sequence[int] = WEIGHT.width,
    ) -> NetworkProgram:
        """Quantise a network.

        Parameters
        ----------
        nodes : sequence of FloatNode
            The operations with their weights as floats, in the order of their execution.
        table : ndarray of float of shape (256, components)
            Feature table: the vector that the network reads for each level, its entries within
            -1..1.
        feature_minimum, feature_maximum : array-like of shape (n_features,)
            The values that levels 0 and 255 stand for.
        clip : bool
            Whether values outside are clipped; if not, they are refused.
        task : Classification, Regression or OutlierDetection
            What the scores mean.
        feature_names : sequence of str, optional
            Name of each column of the samples.
        knots : Knots, optional
            The scale of each feature between these values; by default it is linear.
        missing : bool
            Whether level 255 stands for a missing value.
        categories : Categories, optional
            The columns of words, and the number that stands for each word.
        weight_bits : int or sequence of int
            Bits of the stored weights, 8 or 4: of all nodes, or of each.

        Returns
        -------
        NetworkProgram
            The program, sound for some device; see `check` for a particular one.
        """
        return cls(
            **quantise_network(nodes, table, weight_bits),
            feature_minimum=np.asarray(feature_minimum),
            feature_maximum=np.asarray(feature_maximum),
            clip=bool(clip),
            task=task,
            feature_names=None if feature_names is None else tuple(map(str, feature_names)),
            knots=knots,
            missing=bool(missing),
            categories=categories,
        )

    @property
    def classes(self) -> np.ndarray:
        """Label of each score, if the program is for `Classification`.

        Raises
        ------
        TypeError
            If the program is for another task.
        """
        if not isinstance(self.task, Classification):
            raise TypeError(f"a program for {type(self.task).__name__} has no classes")
        return self.task.labels

    def run_golden(self, X) -> ContractorResults:
        """Compute what any device answers, with the bit-exact NumPy model.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_features_in_`)
            Samples, as `levels` takes them.

        Returns
        -------
        ContractorResults
            Scores, exponents and classes; the cycles are those of a contractor of
            `REFERENCE_LANES` lanes.
        """
        return contract(self.nodes, self.weights, self.table, self.levels(X), REFERENCE_LANES)

    def interpret(self, mantissas, exponents) -> np.ndarray:
        """Turn what a device returns into predictions, as `task` describes.

        Parameters
        ----------
        mantissas : array-like of int of shape (n_samples, n_outputs)
            Scores, in units of their exponent.
        exponents : array-like of int of shape (n_samples,)
            Exponent of each sample's scores.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels; or numbers in the unit of the target; or 1 for inliers, -1 for outliers.
        """
        return self.task.predict(mantissas, exponents, self.log2_scale)

    def predict(self, X) -> np.ndarray:
        """Predict with the golden model.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_features_in_`)
            Samples, as `levels` takes them.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions; see `interpret`.
        """
        results = self.run_golden(X)
        return self.interpret(results.scores, results.exponents)

    def input_gradient(
        self, X, *, return_scores: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Differentiate the scores by the samples, for explanations and attacks.

        A board computes a step function, so what is differentiated is the smooth function that
        has the board's values at the levels, up to its rounding of numbers: the feature table is
        interpolated, and the quantised weights are contracted in float64. The module
        `tensorspin.compiler.gradient` describes it.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_features_in_`)
            Samples, as `levels` takes them.
        return_scores : bool, default=False
            Whether to return the scores of that function, too.

        Returns
        -------
        gradient : ndarray of float64 of shape (n_samples, n_outputs, `n_features_in_`)
            Derivative of each score by each column, in the unit of the column. The scores are the
            network's own, ``mantissa * 2**(log2_scale - exponent)`` of what a board returns. The
            derivative is 0 where values are clipped, missing, or names of categories, and in
            columns that nothing reads. At the limits of a column it is that of values within.
        scores : ndarray of float64 of shape (n_samples, n_outputs)
            The scores, only if `return_scores` is set.

        Raises
        ------
        ValueError, TypeError
            If `levels` refuses the samples.

        Examples
        --------
        A regressor of a sum, whose second term counts twice:

        >>> import numpy as np
        >>> from tensorspin.models import MPSRegressor
        >>> X = np.random.default_rng(0).random((200, 2))
        >>> program = MPSRegressor(2, epochs=20, random_state=0).fit(X, X @ [1, 2]).quantize()
        >>> gradient = program.input_gradient([[0.5, 0.5]])[0, 0] * program.task.factor
        >>> bool(np.all(np.abs(gradient - [1, 2]) < 0.2))
        True
        """
        gradient, scores = self._gradient(X)
        return (gradient, scores) if return_scores else gradient

    def _gradient(self, X, weighted_by: Weights | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return gradient and scores; of one sum of scores if their weights are given."""
        numbers, levels, slopes, scales = self._smooth_levels(X)
        vectors, derivatives = feature_vectors(self.table, levels, slopes, scales)
        scores, by_feature = contract_with_gradient(
            self.nodes, self.weights, vectors, derivatives, self.log2_scale, weighted_by
        )
        gradient = by_feature
        if self.columns is not None:  # several features may read one column, and none may
            gradient = np.zeros((*by_feature.shape[:2], numbers.shape[1]))
            for feature, column in enumerate(self.columns.features):
                gradient[:, :, column] += by_feature[:, :, feature]
        return gradient, scores

    def save(self, path: str | Path) -> None:
        """Write the program to a file; see `tensorspin.compiler.program_file`.

        Parameters
        ----------
        path : str or Path
            File to write; customarily it ends in ``.npz``.
        """
        program_file.save(path, {item.name: getattr(self, item.name) for item in fields(self)})

    @classmethod
    def load(cls, path: str | Path, *, public_key: str | Path | None = None) -> NetworkProgram:
        """Read a program from a file; see `tensorspin.compiler.program_file`.

        Parameters
        ----------
        path : str or Path
            File that `save` wrote, with this version of the package or an earlier one.
        public_key : str or Path, optional
            File with a public key (Ed25519, of OpenSSH or PEM). The program's file must then be
            what was signed with it by ``tensorspin sign``; see docs/security.md.

        Returns
        -------
        NetworkProgram
            The program.

        Raises
        ------
        SignatureError
            If a key is given, and the file is not, byte for byte, what was signed with it.
        ProgramFileError
            If the file is damaged, is something else, or was written by a later version.
        ImportError
            If a key is given and the extra ``signing`` is not installed.
        """
        return program_file.load(path, cls, public_key)
