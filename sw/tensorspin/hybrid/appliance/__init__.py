"""Use a quantum computer, or a simulator of one, that a machine nearby shares over HTTPS.

`ApplianceSampler` is a sampler as Qiskit has them (SamplerV2), whose circuits run behind the server
that ``tensorspin appliance`` starts. `protocol` says what both of them must agree on; the server
imports it from here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # For type checkers and editors; at run time `__getattr__` imports the names.
    from .errors import (
        ApplianceAnswerError,
        ApplianceError,
        ApplianceTimeoutError,
        ApplianceUnreachableError,
    )
    from .job import ApplianceJob
    from .sampler import ApplianceSampler

__all__ = [
    "ApplianceAnswerError",
    "ApplianceError",
    "ApplianceJob",
    "ApplianceSampler",
    "ApplianceTimeoutError",
    "ApplianceUnreachableError",
]

_HOMES = {"ApplianceJob": "job", "ApplianceSampler": "sampler"}
"""Modules of the names that are not in `errors`; they import Qiskit, which takes a second."""


def __getattr__(name: str) -> Any:
    """Import a name of the package when it is used for the first time."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
