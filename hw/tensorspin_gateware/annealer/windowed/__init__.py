"""The Ising engine for devices without distributed RAM (iCE40): one window of spins after another.

States, local fields and thresholds lie in block RAM, which gives one word a cycle. So the spins are
compared a *window* of 8 or 16 at a time, and a turn of a replica is a *pass* over its windows.
`tensorspin.contract.annealer.windows` says in which order and in which cycle.

The modules, in the way of the data through a turn: `turns` (windows, turns, rounds, steps), `lanes`
(states, local fields, comparison), `thresholds` (random numbers, drawn into a ring buffer),
`search` (the first spin of a pass that accepts), `records` (progress and energies of each replica),
`memories` (the host writes them), `results` (the host reads them). `interface` has the layouts of
the values that they exchange, and `annealer` joins them.
"""

from __future__ import annotations

from .annealer import WindowedAnnealer

__all__ = ["WindowedAnnealer"]
