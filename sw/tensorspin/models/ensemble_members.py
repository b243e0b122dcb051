"""Which networks an ensemble tries, which samples it validates them with, and which it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_softmax
from sklearn.base import clone

from ..contract.fixed import WEIGHT
from ..errors import CapacityError
from .calibration import fit_temperature
from .classifier import NetworkClassifier
from .logits import normalised_logits
from .mps import MPSClassifier
from .parameters import AUTO, is_auto
from .recipes import FEW_FEATURES
from .weighting import weighted_mean

TOLERANCE = 0.03
"""How far, in nats, the likelihood of a network may be below that of the best one, if its standard
error is not greater. A network that is far worse would spoil the sum. One that is a little worse
makes it better, as it errs elsewhere. A choice by accuracy, or of the very best subset, would
follow the chance of the few samples that validate."""

BOND_DIM = 15
"""Largest bond dimension of the automatic members. With the reference, each vector of a program has
one more entry, and boards compute outputs in groups of 8."""

SLOW = {"learning_rate": 0.005, "weight_decay": 0.3}
"""How "smooth" learns from many features, such as the values of a series or the pixels of an
image, as a single network does."""

EPOCHS = (30, 100)
"""Least and most passes over the training data of the automatic members."""

TRAINED_SAMPLES = 300_000
"""How many samples an automatic member is shown in all its passes, if `EPOCHS` allow it. It then
takes about as long to train with 10,000 samples as with 3,000."""


def automatic_members(n_samples: int, n_features: int, **options: Any) -> dict[str, MPSClassifier]:
    """Return the networks that an ensemble tries unless its user names others.

    They differ in what they learn easily: "linear" and "bernstein" in the feature map and in the
    number of sites that read a feature, "quantile" and "smooth" in the scale, and "smooth" by more
    noise. Networks that differ make different errors, which their sum evens out.

    Parameters
    ----------
    n_samples, n_features : int
        Size of the training data. Many samples need less weight decay, and fewer passes over them;
        many features make the networks large enough without repeated sites.
    **options
        Further parameters of all networks. With a ``feature_range`` there is one scale only, and no
        "quantile".

    Returns
    -------
    dict of str to MPSClassifier
        The networks by name, not fitted.
    """
    options = {"epochs": AUTO, "bond_dim": AUTO, **options}
    if is_auto(options["epochs"]):
        least, most = EPOCHS
        options["epochs"] = int(np.clip(TRAINED_SAMPLES / n_samples, least, most))
    if is_auto(options["bond_dim"]):
        options["bond_dim"] = BOND_DIM
    decay = float(np.clip(700 / n_samples, 0.1, 1))
    common = {"learning_rate": 0.01, "weight_decay": decay, "label_smoothing": 0.1, **options}
    free = options.get("feature_range") is None
    scaling = "percentile" if free else "range"
    few, some = n_features <= FEW_FEATURES, n_features <= 64
    curved = {"feature_map": "bernstein", "n_repeats": 2 if few else 1, "input_noise": 0.03}
    if options.get("missing") == "level":
        # A missing value takes a component, and a feature table of four serves all boards.
        curved["local_dim"] = 3
    members = {
        "linear": MPSClassifier(
            feature_map="linear",
            n_repeats=4 if few else 2 if some else 1,
            scaling=scaling,
            input_noise=0.03,
            **common,
        ),
        "bernstein": MPSClassifier(scaling=scaling, **curved, **common),
        "smooth": MPSClassifier(
            feature_map="linear",
            n_repeats=2 if some else 1,
            scaling="range",
            input_noise=0.1,
            **{**common, **({} if some else SLOW)},
        ),
    }
    if free:
        members["quantile"] = MPSClassifier(scaling="quantile", **curved, **common)
    return members


def shrink(
    members: Iterable[NetworkClassifier], X: np.ndarray, y: np.ndarray, board: str, free: bool
) -> None:
    """Let those networks that would not fit a board alone choose smaller bonds and fewer sites.

    Parameters
    ----------
    members : iterable of NetworkClassifier
        Networks that are not fitted; their parameters are changed.
    X, y : ndarray of shape (n_samples, n_features) and (n_samples,)
        The training samples.
    board : str
        Name of the board.
    free : bool
        Whether bonds may be smaller; if not, only fewer sites may read a feature.
    """
    for member in members:
        try:
            # With `weight_bits` the check is one for weights of 8 bits.
            alone = clone(member).set_params(weight_bits=WEIGHT.width, board=board)
            alone.check_capacity(X, y, board=board)
        except CapacityError:
            member.set_params(board=board, n_repeats=AUTO)
            if free:
                member.set_params(bond_dim=AUTO)


def named_members(members: Any) -> list[tuple[str, NetworkClassifier]]:
    """Return the members that a user gives, with their names.

    Parameters
    ----------
    members : object
        The parameter of an `EnsembleClassifier`, if it is not "auto".

    Returns
    -------
    list of (str, NetworkClassifier)
        The members. Those without a name are called by their number.

    Raises
    ------
    ValueError
        If there is none, if names are the same, or if they can't be joined to one program.
    TypeError
        If one of them is no classifier of Tensorspin.
    """
    if isinstance(members, (str, bytes)) or not isinstance(members, Iterable):
        raise ValueError(f'members must be "auto" or a list of classifiers, not {members!r}')
    pairs: list[tuple[str, Any]] = []
    for number, item in enumerate(members):
        named = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
        pairs.append(item if named else (f"network {number}", item))
    if not pairs:
        raise ValueError("members must hold at least one classifier, not none")
    for _, member in pairs:
        if not isinstance(member, NetworkClassifier):
            described = repr(member) if isinstance(member, str) else type(member).__name__
            raise TypeError(
                f"members must be MPSClassifier or TTNClassifier, not {described}: only a tensor "
                f"network runs on a board"
            )
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"members must have different names, not {names}")
    if len({member.feature_range is None for _, member in pairs}) > 1:
        raise ValueError(
            "either all members or none must have a feature_range: one program can't both clip and "
            "refuse values outside"
        )
    return pairs


def hold_out(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Choose samples to validate with: the same share of each class, but never all of one.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's class.
    share : float
        Share of the samples, between 0 and 1.
    seed : int
        Seed of the choice.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        The samples that are held out. Classes of one sample have none among them.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros(len(labels), dtype=bool)
    carry = 0.0
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        # What rounding takes from one class, the next one gets.
        wanted = share * len(members) + carry
        count = min(int(np.rint(wanted)), len(members) - 1)
        carry = min(wanted - count, 1.0)
        held[members[:count]] = True
    return held


class Quality(NamedTuple):
    """How well networks predict samples that did not train them; the higher, the better.

    Parameters
    ----------
    accuracy : float
        Share of the samples whose class is predicted, 0 to 1.
    likelihood : float
        Mean logarithm of the probability of the true class, in nats, with the temperature that
        suits these samples.
    """

    accuracy: float
    likelihood: float


class Validation:
    """The logits of some networks for samples that did not train them.

    Parameters
    ----------
    logits : mapping of str to ndarray of float64 of shape (n_samples, n_classes)
        Logits by the name of the network.
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's true class.
    weights : None or ndarray of float64 of shape (n_samples,)
        How much each sample counts.
    temperature : float
        The temperature that is expected of a network.
    """

    def __init__(
        self,
        logits: Mapping[str, np.ndarray],
        labels: np.ndarray,
        weights: np.ndarray | None,
        temperature: float,
    ) -> None:
        self._logits = logits
        self._labels = labels
        self._weights = weights
        self._expected = temperature

    def temperature(self, names: Sequence[str]) -> float:
        """Fit the temperature of the sum of some networks."""
        return fit_temperature(self._sum(names), self._labels, self._expected, self._weights)

    def quality(self, names: Sequence[str]) -> Quality:
        """Tell how well the sum of some networks predicts the samples."""
        right = self._sum(names).argmax(axis=1) == self._labels
        return Quality(
            weighted_mean(right, self._weights), weighted_mean(self._logs(names), self._weights)
        )

    def chosen(self) -> list[str]:
        """Return the names of the networks that are near the best one, the best first.

        A network is near the best one if its likelihood is below by no more than `TOLERANCE`, or
        by no more than one standard error of the difference: the fewer samples validate, the less
        they tell of.
        """
        logs = {name: self._logs([name]) for name in self._logits}
        means = {name: weighted_mean(each, self._weights) for name, each in logs.items()}
        names = sorted(means, key=lambda name: means[name], reverse=True)
        best = names[0]
        shares = np.ones(len(self._labels)) if self._weights is None else self._weights
        shares = shares / shares.sum()
        near = []
        for name in names:
            below = means[best] - means[name]
            spread = logs[best] - logs[name] - below
            error = np.sqrt(np.sum((shares * spread) ** 2))
            if below <= max(TOLERANCE, error):
                near.append(name)
        return near

    def _logs(self, names: Sequence[str]) -> np.ndarray:
        """Return the logarithm of the probability of each sample's true class."""
        logits = normalised_logits(self._sum(names), self.temperature(names))
        return log_softmax(logits, axis=1)[np.arange(len(self._labels)), self._labels]

    def _sum(self, names: Sequence[str]) -> np.ndarray:
        return np.sum([self._logits[name] for name in names], axis=0)
