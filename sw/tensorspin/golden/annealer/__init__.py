"""The annealer in NumPy: equal to the gateware flip by flip and cycle for cycle.

`metropolis` is the engine; `generators`, `uniform` and `thresholds` are its random numbers, and
`device` is what surrounds the engine on a device: memories that requests write and read, and runs
that take their time.
"""

from __future__ import annotations

from .metropolis import GoldenAnnealer, anneal, anneal_all

__all__ = ["GoldenAnnealer", "anneal", "anneal_all"]
