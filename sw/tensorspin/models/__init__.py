"""scikit-learn estimators whose models are tensor networks."""

from __future__ import annotations

from .deployed import BoardClassifier
from .entanglement import entanglement_entropy
from .feature_maps import FeatureMap
from .mps import MPSClassifier

__all__ = ["BoardClassifier", "FeatureMap", "MPSClassifier", "entanglement_entropy"]
