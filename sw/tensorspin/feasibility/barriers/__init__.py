"""The five barriers between a device and a quantum processor, for a task of the user's own.

============  ===========================================================================
module        what it has
============  ===========================================================================
`figure`      a number and how it is known; a barrier
`sources`     constants of the models, each with where it is from
`link`        links, and how long an exchange takes on them
`local`       the same sample on a board, a microcontroller and this machine
`real`        a run on a sampler, with the time of each phase
`latency`     how often the deadline is kept
`encoding`    bytes, gates, depth and time of a sample
`noise`       what noise and few shots cost
`tooling`     what must be installed, and what ran
`energy`      cryostat and board
`verdict`     local, hybrid or not feasible
`report`      all of it together, and its Markdown
============  ===========================================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # For type checkers and editors; at run time `__getattr__` imports the names.
    from .figure import Barrier, Figure
    from .link import LINKS, Link
    from .report import FeasibilityReport, Sampler, Task, assess
    from .verdict import Verdict

__all__ = [
    "LINKS",
    "Barrier",
    "FeasibilityReport",
    "Figure",
    "Link",
    "Sampler",
    "Task",
    "Verdict",
    "assess",
]

_HOMES = {
    "LINKS": "link",
    "Barrier": "figure",
    "FeasibilityReport": "report",
    "Figure": "figure",
    "Link": "link",
    "Sampler": "report",
    "Task": "report",
    "Verdict": "verdict",
    "assess": "report",
}
"""The module in which each public name is at home."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
