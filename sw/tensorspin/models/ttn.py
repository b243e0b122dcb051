"""A tree tensor network as a scikit-learn classifier."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.utils.validation import validate_data

from ..compiler.quantise import check_weight_bits
from ..compiler.tree import tree_nodes
from .base import PREDICTION_BATCH, NetworkClassifier
from .feature_order import check_image_size, chosen_order
from .limits import CLASSIFIER_LIMITS, check_limits
from .tensors import constant_combination, rescaled
from .training import train
from .tree_network import TreeNetwork, initial_tensors, node_shapes
from .tree_shape import balanced_tree, image_tree, users_tree

BOND_DIM_RANGE = (2, 32)
"""Least and largest bond dimension. At 1 all inner nodes would only scale the root."""

INITIAL_ROOT_NOISE = 0.3


class TTNClassifier(NetworkClassifier):
    """Classifier whose model is a tree tensor network (TTN).

    The features' vectors are the leaves of a binary tree. Each node joins the vectors of its two
    children; the vector of the root is the scores::

        vector[k] = sum over a, b of  tensor[k, a, b] * left[a] * right[b]

    Tree tensor networks: Shi, Duan and Vidal 2006, arXiv:quant-ph/0511070; as classifiers:
    Stoudenmire 2018, arXiv:1801.00315. Two features are at most 2 log2(n_features) nodes apart,
    where in a matrix product state they may be n_features apart. All tensors are trained at once by
    gradient descent on the cross entropy of ``temperature * scores / ||scores||``, so that the
    class does not depend on the scale of a sample's scores.

    Parameters
    ----------
    bond_dim : int, default=16
        Bond dimension, 2 to 32: the largest number of entries of a node's vector. Near the leaves
        vectors are shorter.
    tree : None, nested pairs of feature indices, or int array (n_features - 1, 2), default=None
        None: balanced, over the features in the order of ``feature_order``. Nested pairs, such as
        ``((0, 1), (2, (3, 4)))``, hold each feature once. A NumPy array is taken as `children_`; so
        ``FeatureAgglomeration().fit(X).children_`` of scikit-learn can be used. Every level costs
        time, and trees of far more than 100 levels hardly learn: for a chain of features take
        `MPSClassifier`.
    feature_order : None, "morton", "snake", "strips", "mutual_information" or int array \
            (n_features,), default=None
        Order of the leaves of the balanced tree. None: as given. "morton": for the pixels of an
        image; each node joins the two halves of a rectangle, which for a square whose side is a
        power of two is Morton order. "snake", "strips", "mutual_information": see
        `MPSClassifier`. An array: a permutation. Not together with ``tree``.
    image_size : None or (height, width), default=None
        Of the images whose pixels are the features, row by row. None: square.
    feature_map : {"linear", "trigonometric", "polynomial"}, callable or table, default="linear"
        From a feature scaled to [0, 1] to the vector of its leaf; see `FeatureMap`.
    feature_range : None or (low, high), default=None
        None: the least and largest value of each feature are learnt from the training data; later
        values outside are clipped, as by a sensor that saturates. (low, high), two numbers or two
        arrays of one number per feature: a promise; values outside raise ValueError.
    learning_rate : float, default=0.01
        Largest step of Adam; the rate falls to zero along a half cosine. In trees of more than 64
        features the nodes take smaller steps, in inverse proportion to their number.
    epochs : int, default=60
        Passes over the training data.
    batch_size : int or "auto", default="auto"
        Samples per update. "auto": a 24th of the training samples, at least 16, at most 256.
    weight_decay : float, default=0.3
        Strength of the pull of the nodes towards their initial isometries, and of the root towards
        equal scores.
    input_noise : float, default=0.13
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]). The main means against overfitting.
    max_shift : float, default=0.0
        For images: move each by up to so many pixels along both axes at each update, at random and
        by fractions of a pixel too.
    distortion : float, default=0.0
        For images: displace the pixels of each along both axes at each update, by a smooth random
        field of this root mean square, in pixels. It slants, stretches and bends what the image
        shows, as other hands would draw it (Simard, Steinkraus and Platt 2003). Wants more epochs.
    label_smoothing : float, default=0.0
        Share of the target probability that all classes get alike, 0 to 1 (Szegedy et al.,
        arXiv:1512.00567).
    weight_bits : None, 8 or 4, default=None
        None: train as if weights were real numbers. 8 or 4: train for weights of so many bits,
        which `quantize` then rounds no more; the fitted tensors have at most 255 or 15 different
        entries. 4 bits halve the memory that a device needs, so that bonds can be wider.
    random_state : int, RandomState or None, default=None
        Seed of the initial tensors, the order of samples and the noise.
    verbose : bool, default=False
        Show progress on stderr.

    Attributes
    ----------
    classes_ : array (n_classes,)
    n_features_in_ : int
    feature_names_in_ : array (n_features,), only if X had string column names
    children_ : int array (n_leaves - 1, 2)
        Left and right child of each node, in topological order, the root last. Values below
        ``n_leaves`` are leaves, ``n_leaves + i`` is node i; as in `sklearn.cluster`.
    tensors_ : list of n_leaves - 1 float64 arrays (outputs, left, right)
        One for each node. The largest entry of each is 127/128 in magnitude.
    site_features_ : int array (n_leaves,)
        The feature that each leaf reads: its own index; but a single feature is read by two leaves.
    feature_map_ : FeatureMap
    feature_minimum_, feature_maximum_ : float64 arrays (n_features,)
        The values scaled to 0 and 1.
    temperature_ : float
        Largest logit.
    loss_curve_ : list of float
        Mean training loss of each epoch in nats.
    n_iter_ : int
        Number of epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.models import TTNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = TTNClassifier(tree=((0, 1), (2, 3)), random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        bond_dim=16,
        *,
        tree=None,
        feature_order=None,
        image_size=None,
        feature_map="linear",
        feature_range=None,
        learning_rate=0.01,
        epochs=60,
        batch_size="auto",
        weight_decay=0.3,
        input_noise=0.13,
        max_shift=0.0,
        distortion=0.0,
        label_smoothing=0.0,
        weight_bits=None,
        random_state=None,
        verbose=False,
    ):
        self.bond_dim = bond_dim
        self.tree = tree
        self.feature_order = feature_order
        self.image_size = image_size
        self.feature_map = feature_map
        self.feature_range = feature_range
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.max_shift = max_shift
        self.distortion = distortion
        self.label_smoothing = label_smoothing
        self.weight_bits = weight_bits
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Train the network.

        Parameters
        ----------
        X : array-like (n_samples, n_features), finite numbers
        y : array-like (n_samples,), class labels, at least two different ones

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its limits, the tree is none or does not hold each feature
            once, X or y is invalid, or X is outside feature_range.
        """
        check_limits(self, {"bond_dim": (Integral, *BOND_DIM_RANGE), **CLASSIFIER_LIMITS})
        check_weight_bits(self.weight_bits, "weight_bits", None)
        X, y = validate_data(self, X, y, dtype=np.float64)
        labels = self._learn_classes(y)
        self._learn_features(X)
        rng = self._generator()
        self.children_ = self._chosen_tree(X, rng)
        inputs = self._site_inputs(X).astype(np.float32)
        self._train(inputs, labels, rng)
        self.n_iter_ = self.epochs
        return self

    def _chosen_tree(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n_features = self.n_features_in_
        if self.tree is not None:
            if self.feature_order is not None:
                raise ValueError("give tree or feature_order, not both: a tree has its own order")
            return users_tree(self.tree, n_features)
        if isinstance(self.feature_order, str) and self.feature_order == "morton":
            size = check_image_size(self.image_size, n_features)
            return image_tree(*size) if n_features > 1 else balanced_tree(np.arange(2))
        order = chosen_order(
            self.feature_order, self.image_size, self._scaled(X), rng, further=("morton",)
        )
        return balanced_tree(order if n_features > 1 else np.arange(2))

    def _nodes(self):
        return tree_nodes(self.children_, self.tensors_, self.site_features_)

    def _network_scores(self, inputs):
        # float64: a sample's scores must not depend on its neighbours in the batch.
        network = TreeNetwork.pack(self.children_, self.tensors_, dtype=np.float64)
        scores = np.empty((len(inputs), len(self.classes_)))
        for start in range(0, len(inputs), PREDICTION_BATCH):
            batch = slice(start, start + PREDICTION_BATCH)
            features = network.encode(inputs[batch], self.feature_map_)
            scores[batch] = network.contract(features, record=False).scores.T
        return scores

    def _train(self, inputs, labels, rng):
        children = self.children_
        shapes = node_shapes(
            children, self.feature_map_.local_dim, self.bond_dim, len(self.classes_)
        )
        initial = initial_tensors(
            children, shapes, constant_combination(self.feature_map_.table()), rng
        )
        root = initial[-1] + INITIAL_ROOT_NOISE * rng.standard_normal(shapes[-1])
        network = TreeNetwork.pack(children, [*initial[:-1], root])
        rest = TreeNetwork.pack(children, initial)
        trainable = TreeNetwork.pack(children, [np.ones(shape) for shape in shapes])
        self.temperature_, self.loss_curve_ = train(
            network,
            rest,
            trainable,
            inputs,
            labels,
            self.feature_map_,
            self._schedule(len(inputs)),
            rng,
            self._progress(),
            self.label_smoothing,
        )
        self.tensors_ = [rescaled(tensor) for tensor in network.unpack()]
