"""Descriptions of parameters and attributes that several estimators share, each written once.

An estimator's docstring names a shared entry on a line of its own, such as ``%(image_size)s``, and
the decorator `with_shared_docs` replaces the line by the entry below. It runs when the class is
defined, so ``help``, Sphinx and numpydoc see one complete docstring. SciPy documents the functions
of `scipy.ndimage` in the same way.
"""

from __future__ import annotations

import re
from textwrap import dedent, indent
from typing import TypeVar

SHARED = {
    # Parameters
    "chain_order": """
        feature_order : None, "snake", "strips", "mutual_information" or array-like of int of \
shape (n_features,), default=None
            The order in which the sites of the chain read the features. Features that depend on
            each other should be read by neighbouring sites. None: the order of the columns of X.
            "snake": the pixels of an image row by row, every other row backwards. "strips": the
            same with pairs of rows, each walked through column by column. "mutual_information":
            an order learnt from the training data, see `mutual_information_order`. An array: a
            permutation of the column indices. No order costs time or memory on a board.
        """,
    "image_size": """
        image_size : None or (height, width), default=None
            Size in pixels of the images whose pixels, row by row, are the features. None: the
            images are square.
        """,
    "repeats": """
        n_repeats : int or "auto", default="auto"
            Number of sites that read each feature, 1 to 64. With more the network can follow more
            functions of a feature, which helps most where there are few features; training time
            and the memory that a program takes grow in proportion. A board is sent each feature
            once, whatever the number. "auto": 1 for more than 48 features. For
            fewer 4, or 2 if the map has more than two components (of a regressor 1), unless the
            network then fits no board.
        repeat_order : {"tile", "interleave"}, default="tile"
            Where the sites that read one feature stand. "tile": all features are read, then all
            again. "interleave": next to each other, which mostly learns less.
        """,
    "feature_map": """
        feature_map : {"linear", "trigonometric", "polynomial", "bernstein", "bumps", "bspline", \
"learnt"}, callable, array-like of shape (levels, local_dim) or "auto", default="auto"
            How a feature, scaled to [0, 1], becomes the vector that the network contracts; see
            `FeatureMap`. "learnt": polynomials of degree 7, the same for all features, that are
            trained with the network and begin as "bernstein"; after the training they are in
            `feature_map_`. "auto": "bernstein" for up to 48 features, "linear" for more.
        local_dim : None or int, default=None
            Number of components of that vector, 2 to 8, for "polynomial", "bernstein", "bumps",
            "bspline" and "learnt"; None: 3 for "polynomial", else 4. All other maps have a number
            of their own.
            Boards have limits, 4 on an iCEBreaker and 8 on an ULX3S. With "auto" a number other
            than 2 chooses "bernstein".
        """,
    "feature_range": """
        feature_range : None or (low, high), default=None
            None: the least and greatest value of each feature are learnt from the training data;
            later values outside are clipped, as by a sensor that saturates. (low, high), two
            numbers or two arrays of one number per feature: the user promises that all values lie
            within; a value outside raises ValueError, unless it is outside by rounding alone: up to
            2e-6 of the range, as scalers leave it.
        feature_margin : float, default=0.0
            Share of the range learnt from the training data, 0 to 10, that is added on either side,
            so that later values beyond the training data are told from its least and greatest ones.
            It is not used with `feature_range`.
        """,
    "scaling": """
        scaling : {"auto", "range", "percentile", "standard", "quantile"}, default="auto"
            How the values of a feature are spread over the 256 levels, as learnt from the training
            data; later values beyond the ends are clipped. "range": evenly from the least to the
            greatest value, or over `feature_range`. "percentile": evenly from the 1st to the 99th
            percentile, so that few outliers don't take the levels of all others. "standard": evenly
            over three standard deviations on both sides of the mean. "quantile": so that all levels
            are about equally frequent, by a piecewise linear scale of at most 33 knots. These three
            exclude `feature_range`. "auto": "percentile" for up to 48 features; for more of these
            the one that suits how their values are spread: "range", or where most features have
            long tails "percentile" or "quantile" (`tensorspin.models.spread`).
        """,
    "missing": """
        missing : {"refuse", "level"}, default="refuse"
            What becomes of missing values: NaN, None and pandas.NA. "refuse": they raise
            ValueError. "level": they have level 255 in every feature, and values levels 0 to 254;
            so have words that the training did not have. The network learns what a missing value
            means: `feature_map` gets one component more, but if it has 4 or 8, as many as boards
            have, a missing value has a vector of these components that no value has.
        """,
    "categorical_features": """
        categorical_features : array-like of int, str or bool, default=None
            Columns whose values are names, even if they are written as numbers, such as codes of
            regions: their numbers from 0, their names in a data frame, or a mask. Each value gets a
            level, at most 255 a column, in an order that is learnt. Columns of words and of type
            category are such columns in any case.
        """,
    "epochs_50": """
        epochs : int, default=50
            Number of passes over the training data.
        """,
    "batch_size": """
        batch_size : int or "auto", default="auto"
            Number of samples per update of the tensors. "auto": a 24th of the training samples,
            but at least 16 and at most 256.
        """,
    "max_shift": """
        max_shift : float, default=0.0
            For images: at each update every image is moved at random by up to this many pixels
            along both axes, also by fractions of a pixel.
        """,
    "distortion": """
        distortion : float, default=0.0
            For images: at each update the pixels of every image are displaced along both axes by
            a smooth random field whose root mean square is this many pixels. The field slants,
            stretches and bends what the image shows, as if another hand had drawn it (Simard,
            Steinkraus and Platt 2003). Training then needs more epochs.
        """,
    "label_smoothing": """
        label_smoothing : float or "auto", default="auto"
            Share of the target probability that is distributed evenly over all classes, 0 to 1
            (Szegedy et al., arXiv:1512.00567). "auto": 0.1 for up to 48 features, 0 for more.
        """,
    "calibration": """
        calibration : {"auto", "held_out"} or None, default="auto"
            How the temperature of probabilities is found. "held_out": a second network, trained
            without a quarter of the samples, predicts these, and the temperature is fitted to its
            scores (Guo et al., arXiv:1706.04599); with `early_stopping` the samples that it holds
            out are taken, and no second network. None: that of the training is taken, which costs
            nothing. "auto": "held_out" for 20 to 3,000 samples, if some other parameter is "auto",
            too; else None. A training that goes on, and `partial_fit`, take that of the training.
            Classes and `decision_function` do not depend on it.
        """,
    "weight_bits": """
        weight_bits : None, 8 or 4, default=None
            None: train as if weights were real numbers. 8 or 4: train for weights of that many
            bits, so that `quantize` changes nothing more; the fitted tensors then have at most 255
            or 15 different entries. 4 bits halve the memory that a device needs for a node, which
            leaves room for wider bonds.
        """,
    "board": """
        board : None or str, default=None
            Name of the board that must hold the network, such as "icebreaker". What is "auto" of
            `bond_dim` and `n_repeats` is then made smaller until the program fits: first bonds down
            to 6, then fewer sites a feature, then weights of 4 bits with the widest bonds that fit
            so. `fit` raises `CapacityError` before it trains what can't be made to fit, and
            `quantize` and `deploy` round to the bits that fit the board.
        """,
    "class_weight": """
        class_weight : None, dict or "balanced", default=None
            How much the samples of each class count in the training; the weights multiply those
            that `fit` is given as `sample_weight`. None: all classes have weight 1. A dict holds
            the weights of some or all classes by label, numbers of at least 0; the others have
            weight 1. "balanced": all classes count the same in sum, so that a rare class is not
            passed over.
        """,
    "warm_start": """
        warm_start : bool, default=False
            Whether `fit` goes on from the tensors of the last fit of this estimator, while the
            learning rate rises and falls anew. Feature ranges and the order of the features stay;
            the parameters that fix the shapes of the tensors, and the classes, must stay.
        """,
    "early_stopping": """
        early_stopping : bool, default=False
            Whether a share of the training samples is held out, and the training ends when they are
            predicted no better. The tensors of the best epoch are kept. The score is what the
            method `score` returns (for a detector, the mean of `score_samples`), weighted as in the
            training. A classifier holds out the same share of each class. Early stopping saves time
            and costs accuracy, as fewer samples train.
        validation_fraction : float, default=0.1
            Share of the samples that is held out, between 0 and 1. It is not used without
            `early_stopping`.
        n_iter_no_change : int, default=10
            Number of epochs in a row without a better score, or for classifiers a better
            likelihood, after which the learning rate falls to zero within as many epochs, and the
            training ends. It is not used without `early_stopping`.
        tol : float, default=0.0001
            Least rise of the score that counts as better. It is not used without `early_stopping`.
        """,
    "random_state": """
        random_state : int, RandomState or None, default=None
            Seed of the initial tensors, of the order of the samples, of the noise, and of the
            choice of the samples that are held out.
        """,
    "verbose": """
        verbose : bool, default=False
            Whether to show the progress of the training on stderr.
        """,
    # Attributes
    "classes_": """
        classes_ : ndarray of shape (n_classes,)
            The class labels, sorted.
        """,
    "features_in_": """
        n_features_in_ : int
            Number of features of a sample.
        feature_names_in_ : ndarray of object of shape (n_features,)
            Names of the columns of X. Present only if X had column names that are strings.
        """,
    "chain_": """
        label_position_ : int
            Number of sites in the left half-chain: the label tensor sits between the sites
            ``label_position_ - 1`` and ``label_position_``.
        site_features_ : ndarray of int of shape (n_sites,)
            The feature that each site reads. A single feature is read by at least two sites.
        """,
    "scaling_": """
        feature_map_ : FeatureMap
            The map from a scaled feature to its vector.
        feature_minimum_, feature_maximum_ : ndarray of float64 of shape (n_features,)
            The values of each feature that are scaled to 0 and 1, the margin included.
        categories_ : list of (None or ndarray)
            For each feature the categories that it holds, in the order of their levels; None for a
            feature that holds numbers.
        feature_knots_ : None or Knots
            The scale between these values: what each of a few values is scaled to, with straight
            lines in between. None unless ``scaling="quantile"``: the scale is linear.
        """,
    "settled_": """
        bond_dim_, n_repeats_, scaling_, learning_rate_, weight_decay_, input_noise_, \
label_smoothing_ : object
            The values of these parameters in the training: what was given or, where that is "auto",
            what was chosen by the size of the data. A training that goes on (`warm_start`,
            `partial_fit`) keeps what the first one chose. The map is `feature_map_`, and
            `settled_parameters` returns all of them.
        """,
    "settled_of_regressor_": """
        bond_dim_, n_repeats_, scaling_, learning_rate_, weight_decay_, input_noise_ : object
            The values of these parameters in the training; see `MPSClassifier`.
        """,
    "temperature_": """
        temperature_ : float
            The largest logit that the classifier can give. It is trained with the tensors.
        calibrated_temperature_ : float
            The largest logit of those from which `predict_proba` computes probabilities; see
            `calibration`.
        """,
    "n_iter_": """
        n_iter_ : int
            Number of epochs of the last call of `fit`; 1 after `partial_fit`. `loss_curve_` and
            `validation_scores_` also have the epochs of earlier calls if the last one went on from
            them.
        """,
    "validation_": """
        validation_scores_ : list of float
            Score of the samples held out after each epoch. Present only with `early_stopping`.
        best_validation_score_ : float
            Score of the tensors that were kept: the best of the last call of `fit`, the network
            that it started from included. Present only with `early_stopping`.
        """,
}
"""The entries by name. A name that ends in an underscore describes fitted attributes."""

SHARED["tree_feature_map"] = SHARED["feature_map"].replace(
    '"bernstein" for up to 48 features, "linear" for more', '"linear"'
)
SHARED["range_scaling"] = SHARED["scaling"].replace(
    '"percentile" for up to 48 features, "range" for more', '"range"'
)

K = TypeVar("K", bound=type)


def with_shared_docs(kind: K) -> K:
    """Replace the lines ``%(name)s`` of a class's docstring by the entries of `SHARED`.

    Parameters
    ----------
    kind : type
        The class to document.

    Returns
    -------
    type
        The same class, with its docstring completed.
    """
    if kind.__doc__ is not None:  # python -OO removes docstrings
        kind.__doc__ = re.sub(
            r"^([ \t]*)%\((\w+)\)s$",
            lambda line: indent(dedent(SHARED[line[2]]).strip(), line[1]),
            kind.__doc__,
            flags=re.MULTILINE,
        )
    return kind
