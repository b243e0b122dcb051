"""What an engine is to host and device, whichever engine it is.

Each engine of the contract describes itself in one `Engine` (`contract.contractor.engine`,
`contract.annealer.engine`), and `contract.device.engines` lists them all. Whatever must treat
engines alike asks that list, so that it need not know any of them by name.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from .wire.packets import PacketType


class EngineSize(Protocol):
    """What the classes of all engines' sizes have in common: they are dataclasses."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Size = TypeVar("Size", bound=EngineSize)
"""Type of an engine's size: the frozen dataclass that holds its parameters."""


class EngineKind(enum.IntEnum):
    """Number of an engine: the first byte of its record in a device's description."""

    CONTRACTOR = 1
    ANNEALER = 2
    SPATIAL = 3


@dataclass(frozen=True)
class Space:
    """One memory space of a device, as WRITE and READ requests see it.

    Parameters
    ----------
    bits : int
        Base-2 logarithm of the number of byte addresses that requests may name.
    readable : bool
        READ is allowed.
    writable : bool
        WRITE is allowed.

    Examples
    --------
    >>> 1 << Space(bits=11, readable=True, writable=True).bits
    2048
    """

    bits: int
    readable: bool
    writable: bool


@dataclass(frozen=True)
class Engine(Generic[Size]):
    """What the contract says of one engine, whatever its size.

    Parameters
    ----------
    kind : int
        The engine's number, an `EngineKind`.
    name : str
        The engine's name in messages; in the gateware its component and ports have the same name.
    purpose : str
        What the engine does, as the end of a sentence in messages about a missing engine.
    size : type
        The frozen dataclass of its parameters. Its fields, integers or tuples of integers, make
        the engine's record in a device's description.
    requests : frozenset of PacketType
        The requests that a device takes only with this engine, or another that lists them, too.
    space_numbers : type of enum.IntEnum
        Numbers of all memory spaces of the engine, including those that WRITE and READ cannot name.
        No two engines share a number, so that a WRITE or READ needs nothing else to say which
        engine it means.
    spaces : callable
        Gives, for a size, the memory spaces that WRITE and READ can name, by number.
    check : callable, optional
        Raises a ValueError for a size of which no device can be, though its class allows it.

    Examples
    --------
    >>> from tensorspin.contract.contractor.engine import CONTRACTOR
    >>> CONTRACTOR.name, sorted(request.name for request in CONTRACTOR.requests)
    ('contractor', ['ACTIVATE', 'FEATURES', 'RUN'])
    """

    kind: int
    name: str
    purpose: str
    size: type[Size]
    requests: frozenset[PacketType]
    space_numbers: type[enum.IntEnum]
    spaces: Callable[[Size], Mapping[int, Space]]
    check: Callable[[Size], None] | None = None
