"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from tensorspin.models import MPSClassifier


@parametrize_with_checks([MPSClassifier()])
def test_scikit_learn_check(estimator, check):
    check(estimator)
