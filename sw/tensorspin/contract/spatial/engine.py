"""The spatial engine as one of a device's engines: its requests and memory space."""

from __future__ import annotations

from ..engine import Engine, EngineKind, Space
from ..wire.packets import PacketType
from .image import SpatialSpace, space_bits
from .size import SpatialSize


def spatial_spaces(size: SpatialSize) -> dict[int, Space]:
    """List the memory spaces that WRITE and READ can name.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    dict of int to Space
        The only space, `SpatialSpace.IMAGE`.
    """
    return {SpatialSpace.IMAGE: Space(space_bits(size), readable=True, writable=True)}


SPATIAL = Engine(
    kind=EngineKind.SPATIAL,
    name="spatial",
    purpose="runs the networks of one shape",
    size=SpatialSize,
    requests=frozenset({PacketType.ACTIVATE, PacketType.FEATURES, PacketType.RUN}),
    space_numbers=SpatialSpace,
    spaces=spatial_spaces,
)
"""The spatial engine's row in `tensorspin.contract.device.engines.ENGINES`."""
