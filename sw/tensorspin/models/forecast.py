"""Whether a network will fit a device, before it is trained.

The nodes of a program follow from the number of features, the feature map, the bond dimension and
the number of outputs; training only fills in the weights. So the compiler is given weights that are
all zero, and its nodes are compared with what devices have.

A forecast assumes what `tensorspin.models.deployment.DeployableMixin.quantize` can do at best with
``weight_bits="auto"``: all weights take 4 bits, and chains are in canonical form. So a network that
is refused here can't be made to fit but by narrower bonds: by training it with a smaller bond_dim,
or by `tensorspin.models.chain_estimator.MPSEstimator.compress`.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..compiler.capacity import Demand, demands
from ..compiler.chain import chain_nodes
from ..compiler.nodes import FloatNode
from ..contract.contractor.program import MAX_FEATURES, MAX_OUTPUTS
from ..contract.contractor.size import ContractorSize
from ..contract.device.boards import CONTRACTORS, find_board
from ..contract.fixed import NARROW_WEIGHT
from ..errors import CapacityError, CapacityWarning
from .chain_shapes import bond_dimensions
from .feature_maps import FeatureMap
from .weighting import Samples


class ForecastMixin:
    """The method `check_capacity` of an estimator, and the warning that its ``fit`` gives.

    Subclasses define `_planned_nodes`, and `_n_outputs` if there may be more than one.
    """

    n_features_in_: int
    feature_map_: FeatureMap

    feature_map: Any

    def check_capacity(self, X: ArrayLike, y: object = None, *, board: str | None = None) -> None:
        """Refuse samples whose network would not fit once it is trained.

        Nothing is trained, so that the answer comes at once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples, as for ``fit``.
        y : array-like of shape (n_samples,), optional
            Targets, as for ``fit``.
        board : str, optional
            Name of the board that must hold the network, such as "icebreaker". Without it only the
            limits of all boards are checked: the numbers of features and of classes.

        Raises
        ------
        CapacityError
            If the network can't fit, even with weights of 4 bits. The error says what there is too
            much of, the number, and the limit.
        ValueError
            If ``fit`` would refuse X, y or a parameter, or if `board` is no name of a board with a
            contractor.
        """
        size = None if board is None else find_board(board).require_contractor()
        # The checks of `fit` set attributes, which this estimator must not get.
        planned: Any = clone(self)
        planned._check_parameters()
        validated = planned._validated(X, y, reset=True)
        samples = Samples(validated[0], validated[1], None)
        planned._learn_target(samples)
        planned._settle(samples, new=True)
        planned._check_limits()
        if size is not None:
            excess = planned._excess(planned._planned_nodes(), size)
            if excess is not None:
                raise excess

    def _warn_of_capacity(self) -> None:
        """Warn if no board can hold the network; `fit` calls this once it knows the target."""
        reason = self._reason_against_boards(self._planned_nodes)
        if reason is not None:
            warnings.warn(
                f"the trained network will fit no board: {reason}",
                CapacityWarning,
                # The caller of `fit`, which calls `_fit` and `_train`, which calls this.
                stacklevel=5,
            )

    def _reason_against_boards(
        self, plan: Callable[[], list[FloatNode]], narrow: bool = True
    ) -> str | None:
        """Return why no board can hold the network; None if one can.

        `plan` returns the nodes, and is not called if they do not matter. `narrow` tells whether
        all weights may take 4 bits.
        """
        try:
            self._check_limits()
        except CapacityError as error:
            return str(error)
        planned = plan()
        sizes = {name: board.require_contractor() for name, board in CONTRACTORS.items()}
        excesses = {name: self._excess(planned, size, narrow) for name, size in sizes.items()}
        if not all(excesses.values()):
            return None
        largest = max(sizes, key=lambda name: (sizes[name].program_bytes, sizes[name].slots))
        return f"on {largest}, the largest one, {excesses[largest]}"

    def _check_limits(self) -> None:
        """Refuse what no device can take, whatever its size."""
        if self.n_features_in_ > MAX_FEATURES:
            raise CapacityError(
                "features of a sample",
                self.n_features_in_,
                MAX_FEATURES,
                "select features, or pool them",
            )
        if self._n_outputs > MAX_OUTPUTS:
            raise CapacityError("classes", self._n_outputs, MAX_OUTPUTS, "join some of them")

    def _excess(
        self, planned: Sequence[FloatNode], size: ContractorSize, narrow: bool = True
    ) -> CapacityError | None:
        """Return what a device has too little of, as an error; None if the network will fit.

        `narrow` tells whether all weights may take 4 bits.
        """

        def needs(narrow: bool) -> list[Demand]:
            return demands(
                [replace(item.node, narrow=narrow) for item in planned],
                [item.name for item in planned],
                self.n_features_in_,
                self.feature_map_.local_dim,
                size,
            )

        for need, wide in zip(needs(narrow), needs(narrow=False), strict=True):
            if not need.fits:
                bits = f" with weights of {NARROW_WEIGHT.width} bits" if need != wide else ""
                return CapacityError(need.what + bits, need.needed, need.limit, need.advice)
        return None

    @property
    def _n_outputs(self) -> int:
        """Number of scores of the network, once `_learn_target` knows the target."""
        return 1

    def _largest_nodes(self) -> list[FloatNode]:
        """Return nodes that are at least as large as those of the network once it is trained."""
        return self._planned_nodes()

    @abstractmethod
    def _planned_nodes(self) -> list[FloatNode]:
        """Return the nodes of the network as a device will execute them, with weights of zero.

        Called when n_features_in_, feature_map_ and the target are known. In which order features
        are read does not matter.
        """


def planned_chain(
    n_sites: int,
    local_dim: int,
    bond_dim: int,
    n_outputs: int,
    rank: int | None = None,
    label_rank: int | None = None,
) -> list[FloatNode]:
    """Return the nodes of a chain in canonical form, with weights of zero.

    Parameters
    ----------
    n_sites : int
        Number of sites, at least 2.
    local_dim : int
        Number of components of a feature vector.
    bond_dim : int
        Largest bond dimension.
    n_outputs : int
        Number of scores.
    rank : int, optional
        Number of components that are independent, if the cores know no others; by default all.
    label_rank : int, optional
        Bonds that the label tensor surely uses, if it need not use all of them.

    Returns
    -------
    list of FloatNode
        The nodes, no larger than those of a trained chain. Their arrays take no memory, and all
        sites read feature 0, as the size of a node does not depend on what it reads.
    """
    rank = local_dim if rank is None else rank
    position = n_sites // 2
    bonds = bond_dimensions(n_sites, position, rank, bond_dim)
    left, right = (
        bonds[:position],
        bonds[: position - 1 : -1],
    )  # both from the end to the label tensor
    # In canonical form a bond is not wider than what lies on its other side, either.
    left[-1], right[-1] = (
        min(left[-1], n_outputs * right[-1]),
        min(right[-1], n_outputs * left[-1]),
    )
    for half in (left, right):
        half[-1] = min(half[-1], label_rank or half[-1])
        for site in range(len(half) - 2, -1, -1):
            half[site] = min(half[site], rank * half[site + 1])
    cores = [zeros((outer, local_dim, inner)) for outer, inner in zip([1, *left], left)]
    cores += [
        zeros((inner, local_dim, outer)) for outer, inner in reversed([*zip([1, *right], right)])
    ]
    label_tensor = zeros((n_outputs, left[-1], right[-1]))
    return chain_nodes(cores, label_tensor, position, [0] * n_sites)


def zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of zeros that takes no memory, whatever its shape."""
    return np.broadcast_to(np.zeros(()), shape)
