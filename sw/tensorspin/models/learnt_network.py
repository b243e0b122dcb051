"""Training of a network together with its feature map.

The vector of a feature x is ``functions(x) @ coefficients``. The product with a tensor may be taken
the other way round: coefficients and tensor make a wider tensor, which is contracted with the
functions' values. So the wider network is contracted and differentiated, by the same kernel as any
other, and the gradients of its tensors give those of the coefficients and of the narrower tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .descent import Contraction
from .feature_maps import COMPONENT_LIMIT, FeatureMap
from .half_chains import HalfChains
from .learnt_map import LearntMap
from .tree_network import TreeNetwork


def with_learnt_map(
    feature_map: FeatureMap, network: Any, rest: Any, trainable: Any
) -> tuple[Any, Any, Any]:
    """Add the coefficients of a learnt feature map to what `descend` trains.

    Parameters
    ----------
    feature_map : FeatureMap
        The map of an estimator, learnt or not.
    network, rest, trainable : HalfChains or TreeNetwork
        What `descend` takes.

    Returns
    -------
    network, rest, trainable : Network
        The same, as `LearntNetwork` if the map is learnt. At rest it is the map of its start.
    """
    if not isinstance(feature_map, LearntMap):
        return network, rest, trainable
    return (
        LearntNetwork(network, feature_map.coefficients, feature_map),
        LearntNetwork(rest, feature_map.start),
        LearntNetwork(trainable, np.ones_like(feature_map.start)),
    )


class LearntNetwork:
    """A network and the coefficients of its feature map.

    Parameters
    ----------
    network : HalfChains or TreeNetwork
        The network behind the map.
    coefficients : ndarray of float of shape (n_functions, local_dim)
        The coefficients. Where they are beyond plus or minus 1, as an update may leave them, the
        limit is used instead.
    feature_map : LearntMap, optional
        The map that they belong to.

    Attributes
    ----------
    arrays : list of ndarray
        The coefficients, then the arrays of the network.
    n_steps : int
        As that of the network.
    n_exact : int
        1: coefficients are no weights of a program, but make its feature table.
    threads : int
        Number of threads that may contract the network, 1 or 2; the results are the same.
    """

    def __init__(
        self,
        network: HalfChains | TreeNetwork,
        coefficients: np.ndarray,
        feature_map: LearntMap | None = None,
    ) -> None:
        self.network = network
        self.coefficients = coefficients.astype(network.arrays[0].dtype)
        self.n_steps = network.n_steps
        self.n_exact = 1
        self.threads = 1
        self._feature_map = feature_map
        self._wide: WideChains | WideTree | None = None  # made with the first contraction

    @property
    def arrays(self) -> list[np.ndarray]:
        """What is trained."""
        return [self.coefficients, *self.network.arrays]

    @arrays.setter
    def arrays(self, arrays: Sequence[np.ndarray]) -> None:
        self.coefficients, *self.network.arrays = arrays

    def trained_map(self) -> LearntMap:
        """Return the feature map with the coefficients as they are."""
        assert self._feature_map is not None, "networks at rest have no map"
        return self._feature_map.trained(self.coefficients)

    def unpack(self, arrays: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """Return the tensors of the network, or of other such arrays, without the coefficients."""
        return self.network.unpack(None if arrays is None else arrays[1:])

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Map scaled inputs by `feature_map`, the basis of a learnt map."""
        return self._widened().network.encode(inputs, feature_map)

    def contract(self, features: np.ndarray) -> Contraction:
        """Compute the scores of a batch, each sample's up to one positive factor."""
        wide = self._widened()
        wide.fill(self._limited())
        wide.network.threads = self.threads
        return wide.network.contract(features)

    def gradients(self, contraction: Any, score_gradient: np.ndarray) -> list[np.ndarray]:
        """Compute the gradients of `arrays` from that of the scores."""
        wide = self._widened()
        gradients = wide.network.gradients(contraction, score_gradient)
        gradient, arrays = wide.narrowed(gradients, self._limited())
        # At a limit only what leads back counts.
        outwards = self.coefficients * gradient < 0
        gradient[outwards & (np.abs(self.coefficients) >= COMPONENT_LIMIT)] = 0
        return [gradient, *arrays]

    def _limited(self) -> np.ndarray:
        return np.clip(self.coefficients, -COMPONENT_LIMIT, COMPONENT_LIMIT)

    def _widened(self) -> WideChains | WideTree:
        if self._wide is None:
            n_functions = len(self.coefficients)
            if isinstance(self.network, TreeNetwork):
                self._wide = WideTree(self.network, n_functions)
            else:
                self._wide = WideChains(self.network, n_functions)
        return self._wide


class WideChains:
    """Half-chains that read the functions of a learnt map.

    Products are taken core by core: small matrices, whose sums do not depend on the number of
    threads that NumPy may use.

    Parameters
    ----------
    chains : HalfChains
        The half-chains that read the learnt map.
    n_functions : int
        Number of its functions.

    Attributes
    ----------
    network : HalfChains
        The half-chains that read the functions, after `fill`.
    """

    def __init__(self, chains: HalfChains, n_functions: int) -> None:
        self._narrow = chains
        n_steps, _, self._bond, _ = chains.weights.shape
        self._padding = chains.sites < 0
        self.network = HalfChains(
            np.zeros((n_steps, 2, self._bond, n_functions * self._bond), chains.weights.dtype),
            chains.label,
            chains.sites,
            [(left, n_functions, right) for left, _, right in chains.core_shapes],
            chains.label_shape,
        )

    def fill(self, coefficients: np.ndarray) -> None:
        """Compute the wide cores: coefficients of shape (n_functions, local_dim)."""
        bond = self._bond
        rows = self._narrow.weights.reshape(-1, coefficients.shape[1], bond)
        wide = (coefficients @ rows).reshape(*self._narrow.weights.shape[:3], -1, bond)
        # Padding passes vectors on by the first component.
        wide[self._padding] = 0
        wide[self._padding, :, 0] = np.eye(bond)
        self.network.arrays = [wide.reshape(self.network.weights.shape), self._narrow.label]

    def narrowed(
        self, gradients: Sequence[np.ndarray], coefficients: np.ndarray
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the gradients of coefficients and narrow arrays from those of the wide ones."""
        wide, label = gradients
        bond, weights = self._bond, self._narrow.weights
        wide = wide.reshape(*weights.shape[:3], -1, bond)
        wide[self._padding] = 0
        wide = wide.reshape(-1, *wide.shape[-2:])
        narrow = (coefficients.T @ wide).reshape(weights.shape)
        rows = weights.reshape(-1, coefficients.shape[1], bond)
        return (wide @ rows.swapaxes(1, 2)).sum(axis=0), [narrow, label]


class WideTree:
    """A tree whose leaves are the functions of a learnt map.

    Parameters
    ----------
    tree : TreeNetwork
        The tree whose leaves are vectors of the learnt map.
    n_functions : int
        Number of its functions.

    Attributes
    ----------
    network : TreeNetwork
        The tree whose leaves are the functions' values, after `fill`.
    """

    def __init__(self, tree: TreeNetwork, n_functions: int) -> None:
        self._narrow = tree
        children = tree.children
        is_leaf = children <= len(children)
        shapes: np.ndarray = np.array(tree.shapes)
        shapes[:, 1:][is_leaf] = n_functions
        dtype = tree.arrays[0].dtype.type
        self.network = TreeNetwork.pack(children, [np.zeros(shape) for shape in shapes], dtype)
        self._leaves = [is_leaf[layer.nodes] for layer in tree.layers]

    def fill(self, coefficients: np.ndarray) -> None:
        """Compute the wide tensors: coefficients of shape (n_functions, local_dim)."""
        arrays = []
        for narrow, sides in zip(self._narrow.arrays, self._factors(coefficients)):
            if sides is None:
                arrays.append(narrow)
                continue
            left, right = sides
            wide = left @ _square(narrow, left, right, 3) @ right.swapaxes(2, 3)
            arrays.append(wide.reshape(*narrow.shape[:2], -1))
        self.network.arrays = arrays

    def narrowed(
        self, gradients: Sequence[np.ndarray], coefficients: np.ndarray
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the gradients of coefficients and narrow arrays from those of the wide ones."""
        total = np.zeros_like(coefficients)
        arrays = []
        layers = zip(self._narrow.arrays, gradients, self._factors(coefficients), self._leaves)
        for narrow, gradient, sides, leaves in layers:
            if sides is None:
                arrays.append(gradient)
                continue
            left, right = sides
            wide = _square(gradient, left, right, 2)
            arrays.append((left.swapaxes(2, 3) @ wide @ right).reshape(narrow.shape))
            tensors = _square(narrow, left, right, 3)
            of_left = wide @ (tensors @ right.swapaxes(2, 3)).swapaxes(2, 3)
            of_right = wide.swapaxes(2, 3) @ (left @ tensors)
            for of_side, chosen in zip((of_left, of_right), leaves.T):
                if chosen.any():
                    n_functions, local_dim = coefficients.shape
                    total += of_side[chosen, :, :n_functions, :local_dim].sum(axis=(0, 1))
        return total, arrays

    def _factors(self, coefficients: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray] | None]:
        """Return by what the left and right axes of each layer's tensors are multiplied.

        Both are of shape (n_nodes, 1, wide, narrow): coefficients for a leaf, and the identity for
        a node. None stands for a layer without leaves.
        """
        for narrow, wide, leaves in zip(self._narrow.layers, self.network.layers, self._leaves):
            if not leaves.any():
                yield None
                continue
            yield (
                _factors(leaves[:, 0], coefficients, wide.left_rows, narrow.left_rows),
                _factors(leaves[:, 1], coefficients, wide.right_rows, narrow.right_rows),
            )


def _factors(
    leaves: np.ndarray, coefficients: np.ndarray, wide_rows: np.ndarray, narrow_rows: np.ndarray
) -> np.ndarray:
    """Return by what one axis of a layer's tensors is multiplied, see `WideTree`."""
    shape = wide_rows.shape[1], narrow_rows.shape[1]
    factors = np.tile(np.eye(*shape, dtype=coefficients.dtype), (len(leaves), 1, 1, 1))
    if leaves.any():
        factors[leaves] = 0
        n_functions, local_dim = coefficients.shape
        factors[leaves, 0, :n_functions, :local_dim] = coefficients
    return factors


def _square(array: np.ndarray, left: np.ndarray, right: np.ndarray, axis: int) -> np.ndarray:
    """Separate the products of a layer's tensors into left and right, as long as those factors."""
    return array.reshape(*array.shape[:2], left.shape[axis], right.shape[axis])
