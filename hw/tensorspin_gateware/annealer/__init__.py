"""The Ising engine.

The way of the data, one module each: `turns` (whose turn it is, sweeps, steps), `spins` (states,
local fields, comparison), `thresholds` (random numbers, from `generator`), `search` (the first spin
that accepts), `energies` (and the best of them), `memories` (what the host writes), `results` (what
it reads). `annealer` joins them and closes the loop through the couplings, `interface` has the
ports.
"""

from .annealer import Annealer
from .interface import AnnealerSignature

__all__ = ["Annealer", "AnnealerSignature"]
