"""scikit-learn's own checks of the estimators, and what all estimators' docstrings must have."""

from __future__ import annotations

import inspect

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tensorspin.models import (
    EnsembleClassifier,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
)

from ..support.estimators import ESTIMATORS

OPTIONS = {"weight_bits": 4, "feature_order": "mutual_information", "label_smoothing": 0.05}

EARLY = {"early_stopping": True, "validation_fraction": 0.3}


def expected_failed_checks(estimator):
    """Checks that an estimator cannot pass, and why."""
    failed = {
        "check_sample_weight_equivalence_on_dense_data": (
            "batches and noise are drawn at random, so that repeated samples and weighted ones "
            "meet other draws; test_weighting.py compares them without either"
        ),
    }
    if estimator.early_stopping:
        for check in (
            "check_fit_score_takes_y",
            "check_n_features_in_after_fitting",
            "check_estimators_partial_fit_n_features",
        ):
            failed[check] = "calls partial_fit, which refuses early_stopping as scikit-learn's does"
    return failed


@parametrize_with_checks(
    [
        MPSClassifier(**OPTIONS),
        MPSClassifier(),
        TTNClassifier(**OPTIONS),
        TTNClassifier(),
        MPSClassifier(**EARLY, class_weight="balanced"),
        MPSRegressor(),
        MPSAnomalyDetector(),
    ],
    expected_failed_checks=expected_failed_checks,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", [*ESTIMATORS, EnsembleClassifier])
def test_the_docstring_has_each_parameter_with_its_default(kind):
    documented = inspect.getdoc(kind)
    assert "%(" not in documented
    for name, parameter in inspect.signature(kind).parameters.items():
        (line,) = [line for line in documented.splitlines() if line.startswith(f"{name} : ")]
        default = parameter.default
        shown = f'"{default}"' if isinstance(default, str) else str(default)
        assert line.endswith(f"default={shown}")
