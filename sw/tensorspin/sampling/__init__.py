"""The annealer for users of dimod: samplers, readers of model files, a feature selector.

`BoardSampler` stands on `quantise` (an Ising model of floats to integers that fit) and `schedules`
(inverse temperatures to steps). The others stand on dimod's interface alone: they take any sampler.
"""

from __future__ import annotations

from .board_sampler import BoardSampler
from .decomposing import DecomposingSampler
from .feature_selector import AnnealingFeatureSelector

__all__ = ["AnnealingFeatureSelector", "BoardSampler", "DecomposingSampler"]
