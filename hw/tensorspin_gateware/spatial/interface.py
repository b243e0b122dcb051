"""The spatial engine's ports: what the router connects to."""

from __future__ import annotations

from typing import cast

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.spatial.size import SpatialSize

from ..contractor.interface import ContractorSignature

IN_FLIGHT = 4
"""Samples whose results the router may not have sent: it keeps the sequence numbers of so many."""


class SpatialSignature(wiring.Signature):
    """Ports of the spatial engine, with directions as the router sees them.

    They are those of a contractor, since the router treats both alike, and one more. The engine has
    one memory, so that the space on its bus does not matter.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Members
    -------
    load : Out(1)
        Strobe: the memory holds a whole network, which samples shall run from now on.
    """

    def __init__(self, size: SpatialSize) -> None:
        # Of the size only the number of features matters to these ports.
        members = dict(ContractorSignature(cast(ContractorSize, size)).members)
        super().__init__(members | {"load": Out(1)})
