"""One model on a board and on a quantum processor, with a deadline and a fallback.

=====================  =======================================================================
module                 what it has
=====================  =======================================================================
`circuits`             a trained network as a circuit, and what its results mean
`execution`            from a sampler to counts
`detector`             a detector on a board and on a processor at once; `runs`: one call of it
`dimod_sampler`        the same for samplers of dimod; `sample_sets`: what their answers must be
`local`, `remote`      the two sides of a detector
`offload`              whether the remote is asked, and what its answer is worth
`deadline`, `breaker`  when it is given up, and when it is left alone
`drift`                whether a processor's answers are those of the circuit that it was sent
`policy`, `record`     which samples are offloaded, and what happened to each
=====================  =======================================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # For type checkers and editors; at run time `__getattr__` imports the names.
    from .appliance import ApplianceSampler
    from .circuits.circuit import BornCircuit, born_circuit
    from .circuits.classes import ClassCircuits, born_circuits_per_class
    from .circuits.noise import SNAPSHOTS, NoiseSnapshot, noisy_probability
    from .circuits.refusal import post_selection_probability
    from .detector import HybridDetector
    from .dimod_sampler import HybridSampler
    from .execution import CircuitRun, run_circuit
    from .policy import LeastCertain

__all__ = [
    "ApplianceSampler",
    "SNAPSHOTS",
    "BornCircuit",
    "CircuitRun",
    "ClassCircuits",
    "NoiseSnapshot",
    "HybridDetector",
    "HybridSampler",
    "LeastCertain",
    "born_circuit",
    "born_circuits_per_class",
    "noisy_probability",
    "post_selection_probability",
    "run_circuit",
]

_HOMES = {
    "ApplianceSampler": "appliance",
    "BornCircuit": "circuits.circuit",
    "HybridDetector": "detector",
    "HybridSampler": "dimod_sampler",
    "LeastCertain": "policy",
    "born_circuit": "circuits.circuit",
    "born_circuits_per_class": "circuits.classes",
    "CircuitRun": "execution",
    "ClassCircuits": "circuits.classes",
    "run_circuit": "execution",
    "NoiseSnapshot": "circuits.noise",
    "SNAPSHOTS": "circuits.noise",
    "noisy_probability": "circuits.noise",
    "post_selection_probability": "circuits.refusal",
}
"""The module in which each public name is at home."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
