"""The contractor as one of a device's engines: its requests and memory spaces."""

from __future__ import annotations

from ..engine import Engine, EngineKind, Space
from ..wire.packets import PacketType
from .memory import MemorySpace
from .program import MIN_LANES
from .size import ContractorSize


def contractor_spaces(size: ContractorSize) -> dict[int, Space]:
    """List the memory spaces that WRITE and READ can name.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the engine.

    Returns
    -------
    dict of int to Space
        The spaces by their numbers, `MemorySpace`. Both can be read back, so that an upload can be
        verified, unless the contractor is locked (`ContractorSize.lock`). With
        `ContractorSize.table_parity` the feature table is there twice: what is written to the
        second half is stored with wrong parity, so that faults can be tried.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> spaces = contractor_spaces(find_board("icebreaker").require_contractor())
    >>> spaces[MemorySpace.TABLE].bits
    12
    """
    twice = {MemorySpace.TABLE: size.table_parity}
    return {
        space: Space(
            (size.space_bytes(space) - 1).bit_length() + twice.get(space, 0),
            readable=not size.lock,
            writable=True,
        )
        for space in MemorySpace
    }


def _check(size: ContractorSize) -> None:
    if size.lanes < MIN_LANES:
        raise ValueError(f"lanes must be at least {MIN_LANES}, not {size.lanes}")


CONTRACTOR = Engine(
    kind=EngineKind.CONTRACTOR,
    name="contractor",
    purpose="runs programs",
    size=ContractorSize,
    requests=frozenset({PacketType.ACTIVATE, PacketType.FEATURES, PacketType.RUN}),
    space_numbers=MemorySpace,
    spaces=contractor_spaces,
    check=_check,
)
"""The contractor's row in `tensorspin.contract.device.engines.ENGINES`."""
