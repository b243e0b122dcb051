"""What fits a board and how fast it is, before anything is built or connected.

`programs` answers for trained tensor networks, which the contractor runs; `models` answers for
Ising and QUBO models, which the annealer minimises; `describe` puts the sizes of a board's engines
into words.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "CouplingWidth": "models",
    "ModelEstimate": "models",
    "ProgramEstimate": "programs",
    "Quantity": "describe",
    "engine_rows": "describe",
    "engine_values": "describe",
    "estimate_model": "models",
    "estimate_program": "programs",
    "estimate_widths": "models",
}

__all__ = [
    "CouplingWidth",
    "ModelEstimate",
    "ProgramEstimate",
    "Quantity",
    "engine_rows",
    "engine_values",
    "estimate_model",
    "estimate_program",
    "estimate_widths",
]


def __getattr__(name: str) -> Any:
    # Names are imported when they are first used, so that whoever needs one of the modules does not
    # import what the others need, such as dimod or the compiler.
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
