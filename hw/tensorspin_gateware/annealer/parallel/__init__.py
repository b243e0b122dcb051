"""The Ising engine that compares all spins in one cycle, for devices with distributed RAM (ECP5).

The modules, in the way of the data through a turn: `turns` (whose turn it is; sweeps, rounds,
steps), `spins` (states, local fields, comparison) made of `group` (eight spins), `thresholds`
(random numbers), `search` (the first spin that accepts), `couplings` (the row of the spin that
flips), `energies`, `tempering` (ranks and their exchange), `memories` (what the host writes),
`results` (what it reads). `annealer` joins them and closes the loop, `tree` has trees of ors.
"""

from __future__ import annotations

from .annealer import Annealer

__all__ = ["Annealer"]
