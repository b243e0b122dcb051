"""What ``"auto"`` stands for as the value of an estimator's parameter.

A recipe is a rule of the size of the training data, and of how the values of many features are
spread. No network is trained to choose, so that a fit with "auto" takes as long as the same fit
with the values written out. The rules were found by comparing networks on public tables, series and
images (see docs/models.md); they know no data set.

A parameter that the user gives is never changed, and the others are chosen to suit it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.fixed import NARROW_WEIGHT
from .feature_maps import FeatureMap
from .missing import feature_map
from .parameters import AUTO, is_auto
from .tails import TAILS

FEW_FEATURES = 48
"""Most features for which a network is given curved maps and several sites that read each feature.

A network that is linear in each of few features can follow few functions. Linear in each of many,
such as the pixels of an image or the values of a series, it follows enough, and with more it learns
the noise."""

LINEAR_SITES_OF_FEW = 4
"""Sites that read each of few features, if the map has only 2 components: this many make up for a
map that is not curved."""

NARROW_NOISE = 0.01
"""Noise on few features if weights are trained for 4 bits: their rounding is noise, too."""

DAMPED = "damped_bumps"
"""Feature map of detectors whose scale keeps levels for what is not expected."""

MARGIN = 1 / 3
"""Share of the range that other scales of detectors get on either side: a fifth of the levels."""

SAMPLES_OF_PARTS = 2000
"""Number of samples that is assumed of data of which only the first part is known."""

SETTLED = (
    "bond_dim",
    "n_repeats",
    "scaling",
    "feature_margin",
    "learning_rate",
    "weight_decay",
    "input_noise",
    "label_smoothing",
)
"""Parameters whose value in the training is an attribute of a fitted estimator, which is called
like the parameter with an underscore at the end. That of the feature map is `feature_map_`."""


@dataclass(frozen=True)
class Recipe:
    """How an estimator chooses the parameters that are "auto".

    Parameters
    ----------
    few : mapping of str to object
        Values for at most `FEW_FEATURES` features, beside the number of sites that read each
        feature, and the weight decay.
    many : mapping of str to object
        Values for more features, each of which one site reads.
    sites : int
        Sites that read each of few features, if the map has more than 2 components.
    decay : tuple of float
        Weight decay of few features: a number that is divided by the number of samples, and the
        least and the greatest decay. The more samples there are, the less must hold them back.
    tailed : mapping of str to object, optional
        Values for more features that do not fill their ranges, beside the scale that suits these.
        None: the scale of many features does not depend on their values.

    Examples
    --------
    >>> from tensorspin.models import MPSClassifier
    >>> from tensorspin.models.recipes import MPS_CLASSIFIER
    >>> values = MPS_CLASSIFIER(1000, 10, MPSClassifier().get_params())
    >>> values["feature_map"], values["n_repeats"], values["weight_decay"]
    ('bernstein', 2, 0.7)
    >>> values = MPS_CLASSIFIER(60000, 784, MPSClassifier().get_params())
    >>> values["feature_map"], values["n_repeats"], values["weight_decay"]
    ('linear', 1, 0.3)
    """

    few: Mapping[str, Any]
    many: Mapping[str, Any]
    sites: int
    decay: tuple[float, float, float]
    tailed: Mapping[str, Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that may be "auto"."""
        return (*self.few, "n_repeats", "weight_decay")

    def __call__(
        self,
        n_samples: int | None,
        n_features: int,
        given: Mapping[str, Any],
        spread: Callable[[], str] = lambda: "range",
    ) -> dict[str, Any]:
        """Choose a value for each parameter that may be "auto".

        Parameters
        ----------
        n_samples : None or int
            Number of training samples; None if more may come.
        n_features : int
            Number of features of a sample.
        given : mapping of str to object
            The estimator's parameters as the user gave them, "auto" or not.
        spread : callable, optional
            Looks at the values of the features, and returns the scale that suits them.

        Returns
        -------
        dict of str to object
            The values by the parameters' names.
        """
        few = n_features <= FEW_FEATURES
        values = {"n_repeats": 1, **(self.few if few else self.many)}
        if not few and self.tailed is not None and is_auto(given["scaling"]):
            scaling = spread() if given["feature_range"] is None else "range"
            if scaling != "range":
                values |= {**self.tailed, "scaling": scaling}
        if given["local_dim"] not in (None, 2):
            values["feature_map"] = "bernstein"  # which may have any number of components
        if given["feature_range"] is not None:
            values["scaling"] = "range"  # as the user promised
        if few:
            share, least, most = self.decay
            values["weight_decay"] = min(max(share / (n_samples or SAMPLES_OF_PARTS), least), most)
            chosen = given["feature_map"]
            chosen = values["feature_map"] if is_auto(chosen) else chosen
            components = feature_map(chosen, given["local_dim"]).local_dim
            values["n_repeats"] = self.sites if components > 2 else LINEAR_SITES_OF_FEW
            if given.get("weight_bits") == NARROW_WEIGHT.width:
                values["input_noise"] = NARROW_NOISE
        return values


_TABLE = {"scaling": "percentile", "learning_rate": 0.01, "input_noise": 0.03}
_IMAGE = {"feature_map": "linear", "scaling": "range", "weight_decay": 0.3}

MPS_CLASSIFIER = Recipe(
    few={**_TABLE, "bond_dim": 16, "feature_map": "bernstein", "label_smoothing": 0.1},
    many={
        **_IMAGE,
        "bond_dim": 16,
        "learning_rate": 0.005,
        "input_noise": 0.1,
        "label_smoothing": 0.0,
    },
    sites=2,
    decay=(700, 0.1, 1.0),
    tailed={},
)

TTN_CLASSIFIER = Recipe(
    few={**_TABLE, "bond_dim": 16, "feature_map": "linear", "label_smoothing": 0.1},
    many={
        **_IMAGE,
        "bond_dim": 16,
        "learning_rate": 0.01,
        "input_noise": 0.13,
        "label_smoothing": 0.0,
    },
    sites=2,
    decay=(700, 0.1, 1.0),
    tailed={"input_noise": 0.03},
)

MPS_REGRESSOR = Recipe(
    few={
        **_TABLE,
        "bond_dim": 8,
        "feature_map": "bernstein",
        "scaling": "range",
        "learning_rate": 0.005,
    },
    many={
        **_IMAGE,
        "bond_dim": 8,
        "learning_rate": 0.002,
        "weight_decay": 1.0,
        "input_noise": 0.1,
    },
    sites=1,
    decay=(0, 5.0, 5.0),
)


@dataclass(frozen=True)
class DetectorRecipe:
    """How a detector chooses the parameters that are "auto".

    Levels beyond the training data are kept unless the user promises a range; those of the scale
    "tails" if its feature map is "damped_bumps", else a margin. A feature map of two components is
    greatest at an edge, and gets none. The weight decay is chosen by the detector itself, as soon
    as it has scaled the samples.

    Examples
    --------
    >>> from tensorspin.models import MPSAnomalyDetector
    >>> from tensorspin.models.recipes import DETECTOR
    >>> DETECTOR(1000, 10, MPSAnomalyDetector().get_params())
    {'feature_map': 'damped_bumps', 'scaling': 'tails', 'feature_margin': 0.0}
    >>> DETECTOR(1000, 10, MPSAnomalyDetector(feature_range=(0, 16)).get_params())
    {'feature_map': 'bumps', 'scaling': 'range', 'feature_margin': 0.0}
    >>> DETECTOR(1000, 10, MPSAnomalyDetector(scaling="percentile").get_params())
    {'feature_map': 'bumps', 'scaling': 'percentile', 'feature_margin': 0.3333333333333333}
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that may be "auto"."""
        return ("feature_map", "scaling", "feature_margin", "weight_decay")

    def __call__(
        self,
        n_samples: int | None,
        n_features: int,
        given: Mapping[str, Any],
        spread: Callable[[], str] = lambda: "range",
    ) -> dict[str, Any]:
        """Choose a value for each parameter that may be "auto", as `Recipe` does."""
        promised = given["feature_range"] is not None
        damped = _equals(given["feature_map"], AUTO, DAMPED)
        widened = promised or not _equals(given["feature_margin"], AUTO)
        scaling = given["scaling"]
        if is_auto(scaling):
            scaling = TAILS if damped and not widened else "range"
        if is_auto(given["feature_map"]):
            chosen = DAMPED if scaling == TAILS else "bumps"
        else:
            chosen = given["feature_map"]
        margin = MARGIN
        if promised or scaling == TAILS or FeatureMap(chosen, given["local_dim"]).local_dim == 2:
            margin = 0.0
        return {"feature_map": chosen, "scaling": scaling, "feature_margin": margin}


def _equals(value: object, *texts: str) -> bool:
    return isinstance(value, str) and value in texts


DETECTOR = DetectorRecipe()
