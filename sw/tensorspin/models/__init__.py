"""scikit-learn estimators whose models are tensor networks."""

from __future__ import annotations

from .anomaly import MPSAnomalyDetector
from .deployed import BoardAnomalyDetector, BoardClassifier, BoardRegressor
from .entanglement import entanglement_entropy
from .feature_maps import FeatureMap
from .mps import MPSClassifier
from .regression import MPSRegressor
from .ttn import TTNClassifier

__all__ = [
    "BoardAnomalyDetector",
    "BoardClassifier",
    "BoardRegressor",
    "FeatureMap",
    "MPSAnomalyDetector",
    "MPSClassifier",
    "MPSRegressor",
    "TTNClassifier",
    "entanglement_entropy",
]
