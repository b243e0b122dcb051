"""Make a fitted estimator of tensors that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from ..compiler.scaling import check_feature_range
from ..compiler.tree import check_children
from .bounded_maps import bounded_map
from .canonical import CanonicalChain
from .chain_forms import SITE_AXES, LabelledChain, labelled_chain
from .classifier import rescaled
from .feature_maps import SIZED_MAPS, FeatureMap
from .mps import MPSClassifier
from .parameters import flattened, is_number
from .regression import MPSRegressor
from .training_state import TrainingState
from .ttn import TTNClassifier

TREE_AXES = "olr"
"""Order of the axes of a tree's tensors: outputs, left child, right child."""


def from_tensors(
    cores: Iterable[ArrayLike],
    label: int | ArrayLike | None = None,
    *,
    axes: str | None = None,
    label_axes: str | None = None,
    label_position: int | None = None,
    tree: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    offset: float = 0.0,
    factor: float = 1.0,
    temperature: float = 8.0,
    feature_map: str | Callable | ArrayLike = "linear",
    local_dim: int | None = None,
    feature_range: tuple | None = (0.0, 1.0),
    clip: bool = True,
    feature_order: ArrayLike | None = None,
    feature_names: Sequence[str] | None = None,
) -> MPSClassifier | MPSRegressor | TTNClassifier:
    """Make a fitted estimator of the tensors of a network that was trained elsewhere.

    The estimator predicts what the given tensors do when they are contracted with the vectors of
    the features; it can be quantised, deployed, saved and compressed as any other, and with
    ``warm_start=True`` its ``fit`` trains the given tensors further. The conventions of the
    libraries are described in docs/models.md.

    Parameters
    ----------
    cores : iterable of array-like
        The tensors of a matrix product state from one end to the other, those of PyTorch and JAX
        included; or with `tree` those of its nodes. All must be real and finite. The outermost
        tensors of a chain may lack the outermost bond, or have it with a dimension of 1.
    label : int, array-like of shape (n_outputs, left_bond, right_bond) or None, default=None
        Of a chain: which tensor of `cores` has the axis of the outputs, counted from 0, negative
        from the end. It may be anywhere; the tensor may read a feature, too, or not. Or a label
        tensor that is not among `cores`. None: there is no such axis, and one output.
    axes : str, default="lpr", with `tree` "olr"
        Order of the axes of the tensors: "l" for the left bond, "p" for the components of the
        feature's vector, "r" for the right bond; of a tree's node "o" for the outputs (the vector
        passed on), "l" and "r" for the left and the right child.
    label_axes : str, default=None
        Order of the axes of the tensor with the label, with "o" for the outputs. None: `axes` with
        "o" in place of "p"; or with "o" behind if the tensor reads a feature, too; "olr" for a
        label tensor that is not among `cores`.
    label_position : int, default=None
        Number of sites to the left of the label, 1 to n_sites - 1: where the label tensor stands
        if it is not among `cores` (None: in the middle), and else where it is moved to (None: it
        stays, or moves by one site from the end of a chain). A bond that the label passes may
        become wider by a factor of up to the number of outputs.
    tree : array-like of int of shape (n_leaves - 1, 2), default=None
        The left and the right child of each node of a binary tree, the root last: values below
        n_leaves are leaves, ``n_leaves + i`` is node i, as in `sklearn.cluster`. None: a chain.
    classes : array-like of shape (n_outputs,), default=None
        Label of each output. None: 0, 1, ... A network with one output and two classes gives the
        second class where its output is positive. A chain with one output and no classes is a
        regressor.
    offset, factor : float, default=0 and 1
        A regressor predicts ``offset + factor * output``.
    temperature : float, default=8
        Largest logit of a classifier: its probabilities are the softmax of ``temperature * scores /
        ||scores||``, which needs no common scale of the scores. The class does not depend on it.
    feature_map : str, callable or array-like of shape (levels, local_dim), default="linear"
        The map from a feature, scaled to [0, 1], to its vector, as `FeatureMap` takes it. If its
        components exceed 1, the map is divided by the largest, and the tensors are multiplied.
    local_dim : int, default=None
        Number of components of a named map, where it has a choice; None: that of the tensors.
    feature_range : (low, high), default=(0, 1)
        The values of a feature that are scaled to 0 and 1: two numbers, or two arrays of one number
        for each feature.
    clip : bool, default=True
        Whether values outside of that range are clipped; if not, they are refused.
    feature_order : array-like of int of shape (n_sites,), default=None
        The feature that each site or leaf reads, from 0; several may read one. None: each site
        reads the next feature.
    feature_names : sequence of str, default=None
        Names of the features, against which data frames are checked.

    Returns
    -------
    MPSClassifier, MPSRegressor or TTNClassifier
        A fitted estimator. Chains are in canonical form, in which rounding harms them least.

    Raises
    ------
    ValueError
        If a tensor has a wrong number of axes, does not fit its neighbour, or is not real and
        finite, or if another argument does not fit the network. The message names the tensor or
        the site by its number from 0.

    Examples
    --------
    Two sites of which the label tells whether they read the same, as quimb orders axes:

    >>> import numpy as np
    >>> import tensorspin
    >>> first = np.eye(2)  # (right bond, feature)
    >>> last = np.stack([np.eye(2), 1 - np.eye(2)], axis=-1)  # (left bond, feature, label)
    >>> model = tensorspin.from_tensors(
    ...     [first, last], label=1, axes="lrp", classes=["same", "different"]
    ... )
    >>> model.predict([[0, 0], [0, 1], [1, 1]]).tolist()
    ['same', 'different', 'same']
    >>> program = model.quantize()
    >>> program.predict([[1, 0]]).tolist()
    ['different']
    """
    if not isinstance(cores, Iterable):
        raise ValueError(f"cores must be the tensors of a network, not {cores!r}")
    tensors = [_array(f"tensor {index}", tensor) for index, tensor in enumerate(cores)]
    feature_range = (0.0, 1.0) if feature_range is None else feature_range
    if tree is None:
        chain = _placed(tensors, label, axes or SITE_AXES, label_axes, label_position)
        sizes = [core.shape[1] for core in chain.cores]
        outputs = chain.label_tensor
    else:
        for name, value in (("label", label), ("label_position", label_position)):
            if value is not None:
                raise ValueError(f"{name} is for chains; the root of a tree has the outputs")
        children = np.asarray(tree)
        nodes = _tree_tensors(children, tensors, axes or TREE_AXES)
        sizes = _leaf_sizes(children, nodes)
        outputs = nodes[-1]
    definition, enlargement = bounded_map(feature_map)
    if local_dim is None and isinstance(feature_map, str) and feature_map in SIZED_MAPS:
        local_dim = sizes[0]
    mapping = FeatureMap(definition, local_dim)
    for site, size in enumerate(sizes):
        if size != mapping.local_dim:
            raise ValueError(
                f"{'site' if tree is None else 'leaf'} {site} reads a vector of {size} components, "
                f"the feature map has {mapping.local_dim}"
            )
    options = {"feature_map": definition, "local_dim": local_dim}
    options |= {"feature_range": None if clip else feature_range}
    regression = len(outputs) == 1 and classes is None
    estimator: MPSClassifier | MPSRegressor | TTNClassifier
    if tree is None:
        estimator = (MPSRegressor if regression else MPSClassifier)(**options)
    elif regression:
        raise ValueError("a tree needs 2 outputs, or one and 2 classes: regressors are chains")
    else:
        estimator = TTNClassifier(tree=children, **options)
    if isinstance(estimator, MPSRegressor):
        estimator.target_mean_ = _number("offset", offset)
        estimator.target_scale_ = _number("factor", factor)
    else:
        estimator.classes_, outputs = _classes(classes, outputs)
        estimator.temperature_ = _number("temperature", temperature)
        if estimator.temperature_ <= 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
    sites = _sites(feature_order, len(sizes))
    n_features = int(sites.max()) + 1
    estimator.feature_map_ = mapping
    estimator.feature_minimum_, estimator.feature_maximum_ = check_feature_range(
        feature_range, n_features
    )
    estimator.feature_knots_ = None
    estimator.n_features_in_ = n_features
    estimator.site_features_ = sites
    estimator.loss_curve_, estimator.n_iter_ = [], 0
    if feature_names is not None:
        estimator.feature_names_in_ = _names(feature_names, n_features)
    if isinstance(estimator, TTNClassifier):
        estimator.children_ = children
        estimator.tensors_ = [rescaled(node) for node in [*nodes[:-1], outputs]]
        widest = max(len(node) for node in nodes)
    else:
        estimator.label_position_ = chain.position
        enlarged = [enlargement * core for core in chain.cores]
        canonical = CanonicalChain.of(enlarged, outputs, chain.position)
        estimator._adopt(canonical.truncated()[0])
        widest = int(estimator.bond_dimensions().max())
    # What a network that is trained anew with the same parameters would have.
    estimator.set_params(bond_dim=max(2, widest))
    estimator._training_state = _state(estimator)
    return estimator


def _state(estimator: MPSClassifier | MPSRegressor | TTNClassifier) -> TrainingState:
    """Return what a training goes on from; weight decay pulls towards the given tensors."""
    if isinstance(estimator, TTNClassifier):
        tensors = estimator.tensors_
    else:
        tensors = [*estimator.cores_, estimator.label_tensor_]
    if isinstance(estimator, MPSRegressor):
        estimator._standardisation = 1.0, estimator.target_mean_, estimator.target_scale_
        parameters = None
    else:
        parameters = np.log(np.full(1, estimator.temperature_, dtype=np.float32))
    return TrainingState(
        parameters={
            name: flattened(getattr(estimator, name)) for name in estimator._shape_parameters
        },
        tensors=[tensor.astype(np.float32) for tensor in tensors],
        rest=[tensor.astype(np.float32) for tensor in tensors],
        loss_parameters=parameters,
        rng=np.random.default_rng(0),
        split_seed=None,
        optimiser=None,
    )


def _array(what: str, tensor: ArrayLike) -> np.ndarray:
    """Return a tensor as float64; those of PyTorch may be on a GPU, or take part in a training."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
    try:
        array = np.asarray(tensor)
    except ValueError as error:  # nested lists of different lengths
        raise ValueError(f"{what} is no array: {error}") from error
    if array.dtype.kind not in "biuf":
        # Arrays of jax in bfloat16 have a kind of their own, and become floats all the same.
        if array.dtype.kind != "V" or array.dtype.names is not None:
            raise ValueError(f"{what} must hold real numbers, not {array.dtype}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{what} has an entry that is not finite")
    if array.size == 0:
        raise ValueError(f"{what} has no entries: its shape is {array.shape}")
    return array


def _placed(
    tensors: list[np.ndarray],
    label: int | ArrayLike | None,
    axes: str,
    label_axes: str | None,
    position: int | None,
) -> LabelledChain:
    """Bring a chain to the form of this package, with the label where the compiler takes it."""
    separate: int | np.ndarray | None = None
    if label is not None and (isinstance(label, bool) or np.ndim(_plain(label)) == 0):
        if not is_number(label, Integral):
            raise ValueError(f"label must be None, an integer or a tensor, not {label!r}")
        place = int(label)  # type: ignore[arg-type]  # it is an integer, as was just checked
        if not -len(tensors) <= place < len(tensors):
            raise ValueError(
                f"label must be the number of one of {len(tensors)} tensors, 0 to "
                f"{len(tensors) - 1}, not {place}"
            )
        separate = place % len(tensors)
    elif label is not None:
        separate = _array("the label tensor", label)
    if position is not None and not is_number(position, Integral):
        raise ValueError(f"label_position must be None or an integer, not {position!r}")
    if not tensors:
        raise ValueError("at least one tensor is needed, not none")
    chain = labelled_chain(tensors, separate, position, axes, label_axes)
    most = len(chain.cores) - 1
    if most < 1:
        raise ValueError(f"a chain needs at least 2 sites that read features, not {most + 1}")
    if position is None or isinstance(separate, np.ndarray):
        return chain.moved(min(max(chain.position, 1), most))
    if not 1 <= position <= most:
        raise ValueError(f"label_position must be 1 to {most}, not {position}")
    return chain.moved(int(position))


def _plain(label):
    """Return a label that NumPy can look at, whatever library it is from."""
    return label.detach().cpu() if hasattr(label, "detach") else label


def _tree_tensors(children: np.ndarray, tensors: list[np.ndarray], axes: str) -> list[np.ndarray]:
    """Return the tensors (outputs, left, right) of a tree, checked."""
    check_children(children)
    if sorted(axes) != sorted(TREE_AXES):
        raise ValueError(f"axes must be an order of the letters {TREE_AXES!r}, not {axes!r}")
    if len(tensors) != len(children):
        raise ValueError(
            f"a tree of {len(children)} nodes needs as many tensors, not {len(tensors)}"
        )
    n_leaves = len(children) + 1
    nodes: list[np.ndarray] = []
    for index, (tensor, pair) in enumerate(zip(tensors, children.tolist())):
        if tensor.ndim == 2 and index == len(children) - 1:  # the root of one output
            tensor = np.expand_dims(tensor, axes.index("o"))
        if tensor.ndim != 3:
            raise ValueError(
                f"tensor {index} must have 3 axes ({axes}), not {tensor.ndim}: its shape is "
                f"{tensor.shape}"
            )
        node = tensor.transpose([axes.index(letter) for letter in TREE_AXES])
        for child, size in zip(pair, node.shape[1:]):
            if child >= n_leaves and len(nodes[child - n_leaves]) != size:
                raise ValueError(
                    f"tensor {index} reads {size} entries of node {child - n_leaves}, whose tensor "
                    f"has {len(nodes[child - n_leaves])} outputs"
                )
        nodes.append(node)
    return nodes


def _leaf_sizes(children: np.ndarray, nodes: list[np.ndarray]) -> list[int]:
    """Return the number of components that each leaf of a tree is read with."""
    n_leaves = len(children) + 1
    sizes = [0] * n_leaves
    for node, pair in zip(nodes, children.tolist()):
        for child, size in zip(pair, node.shape[1:]):
            if child < n_leaves:
                sizes[child] = size
    return sizes


def _classes(classes: ArrayLike | None, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sorted labels, and the tensor whose outputs are in their order."""
    if classes is None:
        return np.arange(len(outputs)), outputs
    labels = np.asarray(classes)
    if len(outputs) == 1 and labels.shape == (2,):
        outputs = np.concatenate([-outputs, outputs])
    if labels.shape != (len(outputs),):
        raise ValueError(
            f"classes must be one label for each of {len(outputs)} outputs, not of shape "
            f"{labels.shape}"
        )
    distinct, order = np.unique(labels, return_index=True)
    if len(distinct) != len(labels):
        raise ValueError(f"classes must be different labels, not {labels.tolist()}")
    return distinct, outputs[order]


def _sites(feature_order: ArrayLike | None, n_sites: int) -> np.ndarray:
    """Return the feature that each site reads."""
    if feature_order is None:
        return np.arange(n_sites)
    sites = np.asarray(feature_order)
    if sites.shape != (n_sites,) or sites.dtype.kind not in "iu":
        raise ValueError(
            f"feature_order must be an integer for each of {n_sites} sites, not {sites.dtype} of "
            f"shape {sites.shape}"
        )
    if sites.min() < 0:
        raise ValueError(f"feature_order must hold numbers of features from 0, not {sites.min()}")
    missing = np.setdiff1d(np.arange(sites.max() + 1), sites)
    if len(missing):
        raise ValueError(f"feature_order must name each feature, but {missing[0]} is read nowhere")
    return sites.astype(np.int64)


def _number(name: str, value: float) -> float:
    if not is_number(value, Real) or not np.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return float(value)


def _names(feature_names: Sequence[str], n_features: int) -> np.ndarray:
    names = np.array(list(feature_names), dtype=object)
    if names.shape != (n_features,) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"feature_names must be {n_features} words, not {list(feature_names)!r}")
    return names
