"""What a golden device asks of each of its engines.

`tensorspin.golden.device.GoldenDevice` knows packets and sessions, but no engine by name. An engine
that implements `GoldenEngine` and has a row in `tensorspin.golden.device.GOLDEN_ENGINES` becomes
part of every golden device whose board has it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..contract.wire.packets import PacketType, Status

Reply = tuple[Status, bytes]
"""First byte of a reply's payload, and the bytes that follow it."""


class LateReply(NamedTuple):
    """The reply to a request that had to be computed first.

    Parameters
    ----------
    status : Status
        First byte of the reply's payload.
    payload : bytes
        The bytes that follow it.
    cycles : int
        Clock cycles that the engine has spent on the request.
    shared : bool, default=False
        Whether all of the engine's groups were busy with it.

    Examples
    --------
    >>> LateReply(Status.OK, b"scores", cycles=100).cycles
    100
    """

    status: Status
    payload: bytes
    cycles: int
    shared: bool = False


class GoldenEngine(ABC):
    r"""One engine of a golden device: its memories, and the requests that belong to it.

    The device calls a subclass with one argument, the engine's size, as
    `tensorspin.contract.device.engines.Engines` holds it.

    Attributes
    ----------
    memories : mapping of int to bytearray
        Contents of the engine's memory spaces, by number of the space and byte address. All bytes
        are zero at first, as after configuration.

    Examples
    --------
    An engine with one memory and no requests of its own:

    >>> class Scratchpad(GoldenEngine):
    ...     def __init__(self, size):
    ...         self.memories = {16: bytearray(size)}
    ...     def execute(self, kind, payload, cycle):
    ...         return Status.UNKNOWN_TYPE, b""
    >>> pad = Scratchpad(8)
    >>> pad.write(16, 2, b"abc")
    >>> bytes(pad.memories[16])
    b'\x00\x00abc\x00\x00\x00'
    """

    memories: Mapping[Any, bytearray]

    overtaking: frozenset[PacketType] = frozenset()
    """Requests that are executed, and refused, while results of earlier ones are not ready yet. All
    other requests wait for the results."""

    groups: int = 1
    """Number of requests with late replies that the engine works on at a time."""

    corrupt: bool = False
    """Whether READs are refused with `Status.CORRUPT`: what could be read is not to be trusted."""

    spent: int = 0
    """Clock cycles that the last call of `execute` has taken, if that is more than its bytes."""

    @abstractmethod
    def execute(self, kind: PacketType, payload: bytes, cycle: float) -> Reply | None:
        """Execute a request that belongs to this engine.

        Parameters
        ----------
        kind : PacketType
            One of the requests that `tensorspin.contract.engine.Engine.requests` lists.
        payload : bytes
            The request's payload.
        cycle : float
            The device's clock.

        Returns
        -------
        Reply or None
            None if the reply comes later, from `finish`.
        """

    def finish(self) -> Sequence[LateReply]:
        """Compute the replies that `execute` has put off.

        Returns
        -------
        sequence of LateReply
            One for each of those requests, in their order.
        """
        return ()

    def write(self, space: int, address: int, data: bytes) -> None:
        """Execute a WRITE whose address has been checked.

        Parameters
        ----------
        space : int
            Number of the memory space.
        address : int
            Byte address of the first byte.
        data : bytes
            At least one byte.
        """
        self.memories[space][address : address + len(data)] = data

    def greet(self) -> None:
        """Forget what does not outlive a session: a HELLO begins another one."""
        return  # By default everything outlives a session.

    def expect(self, jobs: Sequence[Any]) -> None:
        """Learn which jobs will probably be run next, so that they can be computed together.

        Parameters
        ----------
        jobs : sequence
            Jobs of any engine. What the engine answers does not depend on them.
        """
        return  # By default each job is computed by itself.

    def is_busy(self, cycle: float) -> bool:
        """Tell whether READs and WRITEs of the memories are refused with `Status.BUSY`.

        Parameters
        ----------
        cycle : float
            The device's clock.

        Returns
        -------
        bool
            True while the engine works with its memories.
        """
        return False

    def status(self, cycle: float) -> dict[str, int]:
        """Give the fields of `DeviceStatus`, the reply to STATUS, that are this engine's.

        Parameters
        ----------
        cycle : float
            The device's clock.

        Returns
        -------
        dict of str to int
            Values by name of the field. A field that no engine of a device gives is 0.
        """
        return {}
