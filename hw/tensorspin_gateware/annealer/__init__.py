"""The Ising engine.

The way of the data, one module each: `turns` (whose turn it is, sweeps, steps), `spins` (states,
local fields, comparison), `thresholds` (random numbers, from `generator`), `search` (the first spin
that accepts), `energies` (and the best of them), `tempering` (ranks and their exchange), `memories`
(what the host writes, through `host`), `results` (what it reads). `annealer` joins them and closes
the loop through the couplings, `interface` has the ports. `windowed` is the engine of devices that
cannot compare all spins at once.
"""

from tensorspin.contract.annealer.size import AnnealerSize

from ..primitives import Family
from .common.interface import AnnealerSignature
from .parallel import Annealer
from .windowed import WindowedAnnealer

__all__ = ["Annealer", "AnnealerSignature", "WindowedAnnealer", "create_annealer"]


def create_annealer(
    size: AnnealerSize, family: Family = Family.BEHAVIOURAL
) -> Annealer | WindowedAnnealer:
    """The engine of a size."""
    return (WindowedAnnealer if size.window else Annealer)(size, family)
