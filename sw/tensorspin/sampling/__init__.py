"""The annealer for users of dimod and scikit-learn.

`BoardSampler` brings a binary quadratic model to a board's annealer: `arguments` checks what the
user gives, `prepare` divides the model between host and device (`persistency` finds what is decided
on the host), `quantise` makes integers of it that fit (by `rounding`, with a reference state from
`gauge`), `schedules` chooses inverse temperatures, and `methods` makes steps of them. `refine`
brings the states that are found to local minima of the user's model.

`DecomposingSampler` solves models that are larger than a device, part by part (`parts`), and
`AnnealingFeatureSelector` selects features with a sampler. Both depend on dimod's interface only
and take any sampler. `trace` shows how the energy falls in the course of a run.
"""

from __future__ import annotations

from .board_sampler import BoardSampler
from .decomposing import DecomposingSampler
from .feature_selector import AnnealingFeatureSelector

__all__ = ["AnnealingFeatureSelector", "BoardSampler", "DecomposingSampler"]
