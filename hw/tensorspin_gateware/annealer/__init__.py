"""The Ising engine: samples low-energy states of an Ising model by annealing.

It comes in two builds with the same ports, memories and results. `parallel` compares all spins in
one cycle; it needs distributed RAM, as ECP5 devices have it. `windowed` compares one window of
spins after another, from block RAM, for devices such as iCE40 that have no distributed RAM.
`common` has what both share.

The words of the algorithm (spin, local field, threshold, sweep, turn, round, replica) are explained
in ``docs/glossary.md``, and the algorithm in `tensorspin.contract.annealer`. A word that only
the gateware uses: a *slot* is the number of the replica whose turn it is. It addresses the memories
that hold something for each replica.
"""

from __future__ import annotations

from tensorspin.contract.annealer.size import AnnealerSize

from ..primitives import Family
from .common.interface import AnnealerSignature
from .parallel import Annealer
from .windowed import WindowedAnnealer

__all__ = ["Annealer", "AnnealerSignature", "WindowedAnnealer", "create_annealer"]


def create_annealer(
    size: AnnealerSize, family: Family = Family.BEHAVIOURAL, standby: bool = False
) -> Annealer | WindowedAnnealer:
    """Create the engine of a size: with windows if the size has one, otherwise parallel.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family, for its memories, carry chains and registers.
    standby : bool, default=False
        Whether memories stand by while nobody uses them, and the port `awake` is there.

    Returns
    -------
    Annealer or WindowedAnnealer
        A component with the ports of `AnnealerSignature`.
    """
    return (WindowedAnnealer if size.window else Annealer)(size, family, standby)
