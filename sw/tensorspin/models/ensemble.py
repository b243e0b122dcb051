"""Several networks of different shape that classify together, on a board as one program."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..compiler.outputs import Classification
from ..contract.device.boards import find_board
from ..errors import CapacityError
from .classifier import NetworkClassifier, class_indicators, class_indices
from .columns import ColumnsMixin
from .deployed import BoardClassifier
from .ensemble_deployment import DeployableEnsembleMixin
from .ensemble_members import automatic_members, named_members, shrink
from .ensemble_training import EnsembleTraining, TrainingData
from .ensemble_validation import Quality, Validation, check_share, validation_parts
from .importance import ImportanceMixin
from .logits import LogitsMixin, normalised_logits
from .parameters import is_auto
from .shared_docs import with_shared_docs
from .weighting import Samples, check_sample_weight, class_weights, combined

REFERENCE_SAMPLES = 256
"""Training samples that an ensemble keeps, to fit references to when its program is made."""


@with_shared_docs
class EnsembleClassifier(
    ColumnsMixin,
    LogitsMixin,
    ClassifierMixin,
    DeployableEnsembleMixin,
    ImportanceMixin,
    BaseEstimator,
):
    """Classifier that sums the answers of several networks of different shape.

    Networks with different feature maps, scales and numbers of sites are good at different data,
    and make different errors. ``fit`` trains each of them with a part of the samples, keeps those
    whose sum predicts the others best, and trains these anew with all samples. The classifier's
    scores are the weighted sum of the networks' logits, and so of the logarithms of their
    probabilities.

    On a board the ensemble is one program (`tensorspin.compiler.ensemble`): it takes the memory and
    the time of its networks together, and a little for their sum.

    Parameters
    ----------
    members : "auto", sequence of classifiers or sequence of (str, classifier), default="auto"
        The networks to choose from: `MPSClassifier` and `TTNClassifier`, which are cloned. "auto":
        four chains, called "linear", "bernstein", "smooth" and "quantile"; see
        `tensorspin.models.ensemble_members.automatic_members`.
    keep : {"best", "all"}, default="best"
        "best": those networks that predict samples that are held out best together, and that some
        board holds together. "all": all of them, with equal weights.
    validation_fraction : float or "auto", default="auto"
        Share of the samples that is held out to choose the networks and to fit the temperature;
        the same of each class. "auto": up to 1,000 samples are cross-validated in 4 parts, so that
        all of them decide, and networks get weights; of more 0.15 is held out.
    bond_dim : int or "auto", default="auto"
        Largest bond dimension of the automatic members, 2 to 31. "auto": 15. In a program of
        several networks each vector has one more entry, and boards compute outputs in groups of 8.
    epochs : int or "auto", default="auto"
        Number of passes over the training data, of the automatic members. "auto": 100 for up to
        3,000 samples, of more so many that the time stays about the same, but at least 30.
    feature_range : None or (low, high), default=None
        None: each automatic member learns its own scale of each feature; later values outside are
        clipped. (low, high), two numbers or two arrays of one number per feature: the user promises
        that all values lie within, and a value outside raises ValueError. All networks then share
        one scale, so that a board is sent each feature once.
    %(missing)s
    %(categorical_features)s
    board : None or str, default=None
        Name of a board that the program must fit, such as "icebreaker": an automatic member that
        would not even fit alone is made smaller, and networks that would not fit beside better ones
        are left out.
    %(class_weight)s
    %(random_state)s
    verbose : bool, default=False
        Show a progress bar.

    Attributes
    ----------
    %(classes_)s
    %(features_in_)s
    members_ : list of classifiers
        The fitted networks that were kept, the best first.
    member_names_ : list of str
        Their names.
    member_weights_ : list of float
        How much the logits of each count in the sum; 1 if they were not cross-validated.
    qualities_ : dict of str to Quality
        Accuracy and mean log-probability of each candidate for the samples that were held out;
        empty if none were.
    quality_ : None or Quality
        The same of the sum of those that were kept.
    left_out_ : dict of str to str
        Why each of the other candidates was not kept.
    temperature_ : float
        The largest logit that the classifier can give, fitted to the samples that were held out.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import EnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = EnsembleClassifier(bond_dim=4, epochs=30, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    >>> with model.deploy("golden://ulx3s_85f") as on_board:
    ...     on_board.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    classes_: np.ndarray
    members_: list[NetworkClassifier]
    member_names_: list[str]
    member_weights_: list[float]
    _deployed_type = BoardClassifier

    def __init__(
        self,
        members="auto",
        *,
        keep="best",
        validation_fraction="auto",
        bond_dim="auto",
        epochs="auto",
        feature_range=None,
        missing="refuse",
        categorical_features=None,
        board=None,
        class_weight=None,
        random_state=None,
        verbose=False,
    ):
        self.members = members
        self.keep = keep
        self.validation_fraction = validation_fraction
        self.bond_dim = bond_dim
        self.epochs = epochs
        self.feature_range = feature_range
        self.missing = missing
        self.categorical_features = categorical_features
        self.board = board
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the networks, and choose which of them are kept.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples: finite numbers.
        y : array-like of shape (n_samples,)
            Class label of each sample; at least two different ones.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others: numbers of at least 0.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, or X, y or a weight is invalid.
        TypeError
            If a member is no classifier of Tensorspin.
        CapacityError
            If no network fits `board`.
        FloatingPointError
            If the training of all networks diverges.
        """
        self._check_parameters()
        data = self._prepared(X, y, sample_weight)
        rng = check_random_state(self.random_state)
        candidates = self._candidates(data.samples, rng)
        crossed = self.keep == "best" and len(candidates) > 1
        parts = validation_parts(data.labels, self.validation_fraction, crossed, rng.randint(2**31))
        some = rng.permutation(len(data.samples))[:REFERENCE_SAMPLES]
        self._reference_samples = data.samples.X[some]
        training = EnsembleTraining(candidates, data, parts, self._categories, self.verbose)
        validation = training.validate()
        self.left_out_: dict[str, str] = training.failures
        factors, temperature = self._chosen(training, validation)
        names = training.finish(list(factors))
        self.classes_ = data.classes
        self.member_names_ = names
        self.members_ = [training.fitted[name] for name in names]
        self.member_weights_ = [factors[name] for name in names]
        self.temperature_ = temperature
        return self

    def _prepared(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> TrainingData:
        """Validate the samples, and learn their classes and the order of categories."""
        samples = self._validated(X, y)
        samples = samples.weighted(check_sample_weight(sample_weight, len(samples)))
        classes = np.unique(samples.y)
        if len(classes) < 2:
            raise ValueError(f"at least 2 classes are needed, not 1 class: {classes[0]}")
        labels = class_indices(classes, samples.y)
        of_classes = class_weights(self.class_weight, classes, labels, samples.weights)
        weights = combined(samples.weights, of_classes, labels)
        ordered = self._with_ordered_categories(Samples(samples.X, samples.y, weights))
        samples = Samples(ordered.X, samples.y, samples.weights)
        return TrainingData(samples, classes, labels, weights)

    def _chosen(
        self, training: EnsembleTraining, validation: Validation | None
    ) -> tuple[dict[str, float], float]:
        """Choose the networks of the sum: the factor of each one's logits, and the temperature."""
        best = self.keep == "best"
        names = list(training.fitted)
        self.qualities_: dict[str, Quality] = {}
        self.quality_: Quality | None = None
        if validation is not None:
            self.qualities_ = {name: validation.quality([name]) for name in names}
            names = sorted(names, key=lambda name: -self.qualities_[name].likelihood)
            if best:
                names, reasons = validation.kept(len(training.parts) > 1)
                self.left_out_.update(reasons)
        if best or self.board is not None:
            names = self._within_boards(names, training.fitted)
        factors = dict.fromkeys(names, 1.0)
        if validation is None:
            return factors, training.temperature
        if len(training.parts) > 1:
            weights = validation.stacked(names)
            factors = {name: weights[name] for name in names}
        self.quality_ = validation.quality(factors)
        return factors, validation.temperature(factors)

    def scores(self, X: ArrayLike) -> np.ndarray:
        """Compute the weighted sum of the networks' logits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            The greatest score of a sample is that of its predicted class.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        members = zip(self.members_, self.member_weights_, strict=True)
        return np.sum([weight * member._logits(X) for member, weight in members], axis=0)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels, of the dtype of ``classes_``.
        """
        chosen = self.scores(X).argmax(axis=1)
        return self.classes_[chosen]

    def check_capacity(self, X: ArrayLike, y: object = None, *, board: str | None = None) -> None:
        """Refuse samples of which no network would fit once it is trained.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples, as for ``fit``.
        y : array-like of shape (n_samples,)
            Class labels, as for ``fit``.
        board : str, optional
            Name of the board that must hold at least one of the networks; by default the parameter
            `board`, if there is one.

        Raises
        ------
        CapacityError
            If not even the smallest network can fit. What else is left out is known only when the
            networks are trained.
        ValueError
            If ``fit`` would refuse X, y or a parameter.
        """
        self._check_parameters()
        samples = clone(self)._validated(X, y)  # of a clone, as it sets attributes
        candidates = self._candidates(samples, check_random_state(0))
        errors = []
        for member in candidates.values():
            try:
                member.check_capacity(samples.X, samples.y, board=board or self.board)
            except CapacityError as error:
                errors.append(error)
        if len(errors) == len(candidates):
            raise errors[-1]

    def _validated(self, X: Any, y: Any) -> Samples:
        X, y = self._checked(X, y, reset=True)
        check_classification_targets(y)
        return Samples(X, y, None)

    def _category_targets(self, samples: Samples) -> np.ndarray:
        return class_indicators(np.unique(samples.y), samples.y)

    def _task(self) -> Classification:
        return Classification(self.classes_, float(self.temperature_))

    def _logits(self, X: ArrayLike) -> np.ndarray:
        return normalised_logits(self.scores(X), self.temperature_)

    def _check_parameters(self) -> None:
        if not isinstance(self.keep, str) or self.keep not in ("best", "all"):
            raise ValueError(f'keep must be "best" or "all", not {self.keep!r}')
        check_share(self.validation_fraction)
        if self.board is not None:
            find_board(self.board).require_contractor()

    def _candidates(
        self, samples: Samples, rng: np.random.RandomState
    ) -> dict[str, NetworkClassifier]:
        """Return the networks to try by name, not fitted, each with a seed of its own."""
        members = self.members
        if isinstance(members, str) and members == "auto":
            candidates: dict[str, Any] = dict(
                automatic_members(
                    *samples.X.shape,
                    bond_dim=self.bond_dim,
                    epochs=self.epochs,
                    feature_range=self.feature_range,
                    missing=self.missing,
                )
            )
            if self.board is not None:
                free = is_auto(self.bond_dim)
                shrink(candidates.values(), samples.X, samples.y, self.board, free)
        else:
            candidates = {name: clone(member) for name, member in named_members(members)}
        for member in candidates.values():
            seed = rng.randint(2**31 - 1)
            if member.random_state is None:
                member.set_params(random_state=seed)
            # The networks are given numbers, and told which of these are categories.
            member.set_params(missing=self.missing, categorical_features=None)
            member.set_params(calibration=None)  # the sum has a temperature of its own
            if self.class_weight is not None:
                member.set_params(class_weight=self.class_weight)
        return candidates
