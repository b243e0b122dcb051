"""The annealer as one of a device's engines: its requests and memory spaces."""

from __future__ import annotations

from ..engine import Engine, EngineKind, Space
from ..wire.packets import PacketType
from .image import AnnealerSpace, space_bytes
from .size import AnnealerSize


def annealer_spaces(size: AnnealerSize) -> dict[int, Space]:
    """List the memory spaces that WRITE and READ can name.

    Parameters
    ----------
    size : AnnealerSize
        Parameters of the engine.

    Returns
    -------
    dict of int to Space
        The spaces by their numbers, `AnnealerSpace`. Results can only be read, everything else can
        only be written.
        `AnnealerSpace.RUN` is not among them, since only an ANNEAL request writes it, nor is a
        space that this size leaves empty.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> spaces = annealer_spaces(find_board("ulx3s_25f_annealer").require_annealer())
    >>> [AnnealerSpace(number).name for number, space in spaces.items() if space.readable]
    ['RESULTS']
    """
    spaces: dict[int, Space] = {}
    for space in AnnealerSpace:
        length = space_bytes(size, space)
        if length and space is not AnnealerSpace.RUN:
            readable = space is AnnealerSpace.RESULTS
            bits = (length - 1).bit_length()
            spaces[space] = Space(bits, readable=readable, writable=not readable)
    return spaces


ANNEALER = Engine(
    kind=EngineKind.ANNEALER,
    name="annealer",
    purpose="minimises models",
    size=AnnealerSize,
    requests=frozenset({PacketType.ANNEAL}),
    space_numbers=AnnealerSpace,
    spaces=annealer_spaces,
)
"""The annealer's row in `tensorspin.contract.device.engines.ENGINES`."""
