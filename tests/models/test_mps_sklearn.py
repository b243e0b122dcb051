"""scikit-learn's own checks of the estimators."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor

OPTIONS = {"weight_bits": 4, "feature_order": "mutual_information", "label_smoothing": 0.05}


@parametrize_with_checks(
    [MPSClassifier(**OPTIONS), MPSClassifier(), MPSRegressor(), MPSAnomalyDetector()]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
