"""The annealer for users of dimod and scikit-learn.

`BoardSampler` brings a binary quadratic model to a board's annealer: `arguments` checks what the
user gives, `prepare` divides the model between host and device (`persistency` finds what is decided
on the host), `quantise` makes integers of it that fit (by `rounding` and `diffusion`, with a
reference state from `gauge`), and `precision` tells if they lose much. `schedules` chooses inverse
temperatures, `methods` makes steps of them, `restarts` plans the anneals of a read, and `runs` does
them. `refine` brings the states that are found to local minima of the user's model.

`crossover` takes the best of several anneals, part by part, where the model's graph suits it.
`windows` refines the best read with the board, where rounding changes the model much.
`constrained` gives both samplers `sample_cqm`, with penalties for constraints, after `presolve` has
fixed the variables that have no choice.

`DecomposingSampler` solves models that are larger than a device, part by part (`parts`; by ejection
`chains` where single flips are costly, `chain_parts`), and `AnnealingFeatureSelector` selects
features with a sampler. Both depend on dimod's interface only and take any sampler. `trace` shows
how the energy falls in the course of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .board_sampler import BoardSampler
from .decomposing import DecomposingSampler

if TYPE_CHECKING:  # For type checkers and editors; at run time `__getattr__` imports it.
    from .feature_selector import AnnealingFeatureSelector

__all__ = ["AnnealingFeatureSelector", "BoardSampler", "DecomposingSampler"]


def __getattr__(name: str) -> Any:
    """Import the selector of features when it is first used: samplers need no scikit-learn."""
    if name == "AnnealingFeatureSelector":
        from .feature_selector import AnnealingFeatureSelector

        return AnnealingFeatureSelector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, too, as completion in an editor or notebook expects."""
    return sorted({*globals(), *__all__})
