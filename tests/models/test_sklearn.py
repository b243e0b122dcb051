"""scikit-learn's own checks of the estimators, and what all estimators' docstrings must have."""

from __future__ import annotations

import inspect

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, TTNClassifier

from ..support.estimators import ESTIMATORS

OPTIONS = {"weight_bits": 4, "feature_order": "mutual_information", "label_smoothing": 0.05}


@parametrize_with_checks(
    [
        MPSClassifier(**OPTIONS),
        MPSClassifier(),
        TTNClassifier(**OPTIONS),
        TTNClassifier(),
        MPSRegressor(),
        MPSAnomalyDetector(),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_docstring_has_each_parameter_with_its_default(kind):
    documented = inspect.getdoc(kind)
    assert "%(" not in documented
    for name, parameter in inspect.signature(kind).parameters.items():
        (line,) = [line for line in documented.splitlines() if line.startswith(f"{name} : ")]
        assert line.endswith(f"default={parameter.default}".replace("=linear", '="linear"')) or (
            line.endswith('default="auto"') and parameter.default == "auto"
        )
