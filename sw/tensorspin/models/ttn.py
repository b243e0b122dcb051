"""A tree tensor network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..compiler.nodes import FloatNode
from ..compiler.tree import tree_nodes
from .chain_shapes import Shape
from .classifier import NetworkClassifier, rescaled
from .contraction import prediction_batches
from .feature_order import check_image_size, chosen_order
from .forecast import zeros
from .losses import CrossEntropy
from .recipes import TTN_CLASSIFIER
from .repeats import repeated_tree
from .shared_docs import with_shared_docs
from .tree_network import TreeNetwork
from .tree_shape import balanced_tree, image_tree, users_tree
from .tree_tensors import initial_tensors, node_shapes
from .weighting import Samples

INITIAL_ROOT_NOISE = 0.3
"""Standard deviation of the noise in the initial root, which gives equal scores otherwise."""


@with_shared_docs
class TTNClassifier(NetworkClassifier):
    """Classifier whose model is a tree tensor network (TTN).

    The features' vectors are the leaves of a binary tree. Each node has a tensor that joins the
    vectors of its two children to the vector of the node; the vector of the root is the scores::

        vector[k] = sum over a, b of  tensor[k, a, b] * left[a] * right[b]

    Tree tensor networks: Shi, Duan and Vidal 2006, arXiv:quant-ph/0511070; as classifiers:
    Stoudenmire 2018, arXiv:1801.00315. Two features are at most 2 log2(n_features) nodes apart,
    where in a matrix product state they may be n_features apart. All tensors are trained at once by
    gradient descent on the cross entropy of ``temperature * scores / ||scores||``, so that the
    class does not depend on the scale of a sample's scores.

    Parameters
    ----------
    bond_dim : int or "auto", default="auto"
        Largest bond dimension, 2 to 32: the number of entries of a node's vector. Near the leaves
        vectors are shorter. "auto": 16, or down to 12 if some board then holds the network with
        weights of 8 bits.
    tree : None, nested pairs of feature indices, or ndarray of int of shape (n_features - 1, 2), \
            default=None
        None: a balanced tree, over the features in the order of ``feature_order``. Nested pairs,
        such as ``((0, 1), (2, (3, 4)))``, hold each feature once. A NumPy array is taken as
        `children_`; so ``FeatureAgglomeration().fit(X).children_`` of scikit-learn can be used.
        Every level of the tree costs time, and trees of far more than 100 levels hardly learn: for
        a chain of features take `MPSClassifier`.
    feature_order : None, "morton", "snake", "strips", "mutual_information" or array-like of int \
            of shape (n_features,), default=None
        Order of the leaves of the balanced tree. None: the order of the columns of X. "morton": for
        the pixels of an image; each node joins the two halves of a rectangle, which for a square
        whose side is a power of two is Morton order. "snake", "strips", "mutual_information": see
        `MPSClassifier`. An array: a permutation of the column indices. An order cannot be given
        together with ``tree``.
    %(image_size)s
    %(repeats)s
    %(tree_feature_map)s
    %(feature_range)s
    %(scaling)s
    %(missing)s
    %(categorical_features)s
    learning_rate : float or "auto", default="auto"
        Largest change of a tensor's entry in one update by the optimiser (Adam); it falls to zero
        along a half cosine in the course of the training. In trees of more than 64 features the
        nodes take smaller steps, in inverse proportion to their number. "auto": 0.01.
    epochs : int, default=60
        Number of passes over the training data.
    %(batch_size)s
    weight_decay : float or "auto", default="auto"
        Strength of the pull of the nodes towards their initial isometries, and of the root towards
        equal scores. "auto": as in `MPSClassifier`.
    input_noise : float or "auto", default="auto"
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]), against overfitting. "auto": 0.03 for up to 48 features (0.01 with
        weights of 4 bits), 0.13 for more.
    %(max_shift)s
    %(distortion)s
    %(label_smoothing)s
    %(calibration)s
    %(weight_bits)s
    %(board)s
    %(class_weight)s
    %(warm_start)s
    %(early_stopping)s
    %(random_state)s
    %(verbose)s

    Attributes
    ----------
    %(classes_)s
    %(features_in_)s
    children_ : ndarray of int of shape (n_leaves - 1, 2)
        Left and right child of each node, in topological order, the root last. Values below
        ``n_leaves`` are leaves, ``n_leaves + i`` is node i; as in `sklearn.cluster`.
    tensors_ : list of ndarray of float64 of shape (outputs, left, right)
        The tensor of each node. Its largest entry is 127/128 in magnitude.
    site_features_ : ndarray of int of shape (n_leaves,)
        The feature that each leaf reads: the leaf's index, modulo the number of features if there
        are several copies. A single feature is read by at least two leaves.
    %(scaling_)s
    %(settled_)s
    %(temperature_)s
    loss_curve_ : list of float
        Mean training loss of each epoch in nats.
    %(n_iter_)s
    %(validation_)s

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.models import TTNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = TTNClassifier(tree=((0, 1), (2, 3)), random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _recipe = TTN_CLASSIFIER

    _shape_parameters = (*NetworkClassifier._shape_parameters, "tree")

    def __init__(
        self,
        bond_dim="auto",
        *,
        tree=None,
        feature_order=None,
        image_size=None,
        n_repeats="auto",
        repeat_order="tile",
        feature_map="auto",
        local_dim=None,
        feature_range=None,
        feature_margin=0.0,
        scaling="auto",
        missing="refuse",
        categorical_features=None,
        learning_rate="auto",
        epochs=60,
        batch_size="auto",
        weight_decay="auto",
        input_noise="auto",
        max_shift=0.0,
        distortion=0.0,
        label_smoothing="auto",
        calibration="auto",
        weight_bits=None,
        board=None,
        class_weight=None,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=0.0001,
        random_state=None,
        verbose=False,
    ):
        self.bond_dim = bond_dim
        self.tree = tree
        self.feature_order = feature_order
        self.image_size = image_size
        self.n_repeats = n_repeats
        self.repeat_order = repeat_order
        self.feature_map = feature_map
        self.local_dim = local_dim
        self.feature_range = feature_range
        self.feature_margin = feature_margin
        self.scaling = scaling
        self.missing = missing
        self.categorical_features = categorical_features
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.max_shift = max_shift
        self.distortion = distortion
        self.label_smoothing = label_smoothing
        self.calibration = calibration
        self.weight_bits = weight_bits
        self.board = board
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def _learn_sites(self, samples: Samples, rng: np.random.Generator) -> None:
        # Leaves stand copy by copy, features in order; the tree says which are neighbours.
        self.site_features_ = np.tile(np.arange(self.n_features_in_), self._sites_of_each)
        self.children_ = self._tree(
            lambda: chosen_order(
                self.feature_order,
                self.image_size,
                self._scaled(samples.X),
                rng,
                samples.weights,
                further=("morton",),
            )
        )

    def _tree(self, order: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the children of each node; `order` gives the leaves of a balanced tree."""
        children = self._tree_of_features(order)
        return repeated_tree(children, self.n_features_in_, self._sites_of_each, self.repeat_order)

    def _tree_of_features(self, order: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the children of each node of a tree with one leaf for each feature."""
        n_features = self.n_features_in_
        if self.tree is not None:
            if self.feature_order is not None:
                raise ValueError("give tree or feature_order, not both: a tree has its own order")
            return users_tree(self.tree, n_features)
        if isinstance(self.feature_order, str) and self.feature_order == "morton":
            size = check_image_size(self.image_size, n_features)
            return image_tree(*size)
        return balanced_tree(order())

    def _planned_nodes(self) -> list[FloatNode]:
        n_features = self.n_features_in_
        children = self._tree(lambda: np.arange(n_features))
        shapes = node_shapes(
            children, self.feature_map_.local_dim, self.bond_dim_, len(self.classes_)
        )
        leaves = np.arange(len(children) + 1) % n_features
        return tree_nodes(children, [zeros(shape) for shape in shapes], leaves.tolist())

    def _initial_network(
        self, inputs: np.ndarray, loss: CrossEntropy, rng: np.random.Generator
    ) -> tuple[TreeNetwork, TreeNetwork, TreeNetwork]:
        children, feature_map = self.children_, self.feature_map_
        shapes = node_shapes(children, feature_map.local_dim, self.bond_dim_, len(self.classes_))
        initial = initial_tensors(children, shapes, feature_map.constant, rng)
        root = initial[-1] + INITIAL_ROOT_NOISE * rng.standard_normal(shapes[-1])
        return (
            TreeNetwork.pack(children, [*initial[:-1], root]),
            TreeNetwork.pack(children, initial),
            self._mask(shapes),
        )

    def _packed(self, tensors: list[np.ndarray]) -> TreeNetwork:
        return TreeNetwork.pack(self.children_, tensors)

    def _mask(self, shapes: Sequence[Shape]) -> TreeNetwork:
        return self._packed([np.ones(shape) for shape in shapes])

    def _keep(self, network: TreeNetwork) -> None:
        self.tensors_ = [rescaled(tensor) for tensor in network.unpack()]

    def _network_scores(self, inputs: np.ndarray) -> np.ndarray:
        # Predictions are computed in float64. In float32 a sample's scores would noticeably depend
        # on the batch: the order in which a library adds numbers depends on the array's size.
        network = TreeNetwork.pack(self.children_, self.tensors_, dtype=np.float64)
        scores = np.empty((len(inputs), len(self.classes_)))
        for batch in prediction_batches(len(inputs)):
            features = network.encode(inputs[batch], self.feature_map_)
            scores[batch] = network.contract(features, record=False).scores.T
        return scores

    def _nodes(self) -> list[FloatNode]:
        return tree_nodes(self.children_, self.tensors_, self.site_features_.tolist())
