"""Which requests a device takes, which memory spaces it has, and what the host may do there.

The memory spaces of all engines are numbered in one row, so that the space of a WRITE or READ
request also says which engine is meant. A space ends at a power of two. Where an engine's memory
is smaller than that, bytes written beyond its end have no effect.
"""

from __future__ import annotations

from ..engine import Space
from ..wire.packets import PacketType
from .engines import ENGINES, Engines


def device_requests(engines: Engines) -> set[PacketType]:
    """List the requests that a device takes; it answers all others by `Status.UNKNOWN_TYPE`.

    Parameters
    ----------
    engines : Engines
        The device's engines.

    Returns
    -------
    set of PacketType
        The requests that belong to no engine in particular, and those of the device's engines.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> PacketType.ANNEAL in device_requests(find_board("icebreaker").engines)
    False
    """
    of_engines = {request for row in ENGINES.values() for request in row.requests}
    having = (ENGINES[kind].requests for kind in engines)
    return set(PacketType).difference(of_engines).union(*having)


def device_spaces(engines: Engines) -> dict[int, Space]:
    """List the memory spaces that WRITE and READ can name on a device.

    Parameters
    ----------
    engines : Engines
        The device's engines.

    Returns
    -------
    dict of int to Space
        The spaces by their numbers, in ascending order. A space that WRITE and READ can
        never name, such as `AnnealerSpace.RUN`, is missing.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> [int(number) for number in device_spaces(find_board("icebreaker").engines)]
    [0, 1]
    """
    spaces: dict[int, Space] = {}
    for kind, size in engines.items():
        spaces.update(ENGINES[kind].spaces(size))
    return spaces


def space_owner(space: int) -> int | None:
    """Find the engine that a memory space belongs to.

    Parameters
    ----------
    space : int
        Number of the space.

    Returns
    -------
    int or None
        `EngineKind` of the engine; None if no engine has a space of that number.

    Examples
    --------
    >>> from tensorspin.contract.annealer.image import AnnealerSpace
    >>> space_owner(AnnealerSpace.RESULTS).name
    'ANNEALER'
    """
    for kind, row in ENGINES.items():
        if any(space == number for number in row.space_numbers):
            return kind
    return None
