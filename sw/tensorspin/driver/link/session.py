"""The host's session with one device."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from ...contract.device.description import DeviceDescription
from ...contract.wire.packets import STATUS, DeviceStatus, PacketType, Status
from ...errors import DeviceError, LinkError
from ..transports.base import Transport
from .exchange import Exchange, model_gone
from .greeting import Greeting, unpack
from .line import Line
from .requests import Request, Simple
from .window import Window

DEFAULT_TIMEOUT = 2.0
"""Seconds without progress, beyond what the requests themselves take, until a `LinkError`."""


class SessionLostError(LinkError):
    """Something that must happen in one session could not: the device may have been restarted."""


class _State(enum.Enum):
    UNGREETED = enum.auto()
    """The device must be greeted first: numbers disagree, or old replies are under way."""
    READY = enum.auto()
    EXCHANGING = enum.auto()


class Session:
    """Asks a device, and notices when it was restarted.

    A device that was restarted executes nothing before a HELLO (`RejectReason.NO_SESSION`). So all
    that it has executed between two greetings, it still holds.

    Parameters
    ----------
    transport : Transport
    timeout : float
        Seconds of the transport's clock without progress, beyond what the requests themselves
        take, after which the session gives up.

    Attributes
    ----------
    line : Line
    description : DeviceDescription or None
        The device's; None before `open`.
    greetings : int
        Times that the device was greeted. While it stays the same, the device was not restarted,
        as far as requests were answered.
    model_digest : int or None
        Digest that the device must report whenever it is greeted anew.
    """

    def __init__(self, transport: Transport, timeout: float = DEFAULT_TIMEOUT) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
        self.line = Line(transport)
        self.timeout = timeout
        self.description: DeviceDescription | None = None
        self.greetings = 0
        self.model_digest: int | None = None
        self._window = Window()
        self._state = _State.UNGREETED

    def open(self) -> DeviceDescription:
        """Greet the device.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If one answers that speaks another version.
        """
        self._greet()
        self._state = _State.READY
        return self.description

    def close(self) -> None:
        """Release the transport."""
        self.line.transport.close()

    def request(
        self,
        kind: PacketType,
        payload: bytes = b"",
        *,
        reply_bytes: int = 1,
        same_session: bool = False,
    ) -> bytes:
        """Ask one thing and wait for the answer.

        Parameters
        ----------
        kind : PacketType
        payload : bytes
        reply_bytes : int
            Length of the reply's payload, for time-outs.
        same_session : bool
            As in `exchange`.

        Returns
        -------
        bytes
            Payload of the reply after the status.

        Raises
        ------
        DeviceError, LinkError, TransportError
            As `exchange`.
        """
        simple = Simple(kind, payload, reply_bytes)
        ((_, reply),) = self.exchange([simple], same_session=same_session)
        return reply

    def status(self, *, same_session: bool = False) -> DeviceStatus:
        """The device's status; raises as `exchange`, and LinkError if it can't be understood."""
        reply = self.request(
            PacketType.STATUS, reply_bytes=1 + STATUS.size, same_session=same_session
        )
        return unpack(DeviceStatus, reply, self.line.url)

    def wait(self, seconds: float) -> None:
        """Let time pass while nothing is asked."""
        until = self.line.now() + seconds
        while (left := until - self.line.now()) > 0:
            self.line.read(left)  # Late and repeated replies.

    def exchange(
        self, requests: Iterable[Request], *, same_session: bool = False
    ) -> Iterator[tuple[Request, bytes]]:
        """Ask many things, as many at a time as the device can hold.

        Parameters
        ----------
        requests : iterable of Request
            Taken from as there is room for them. Their order is kept, except that a request whose
            reply got lost is asked again later; large ones may be split.
        same_session : bool
            Raise `SessionLostError` rather than greet the device.

        Yields
        ------
        request : Request
            In the order of the replies; after a split, one of the pieces.
        reply : bytes
            Payload of the reply after the status.

        Raises
        ------
        DeviceError
            If the device refuses a request, or isn't the same any more.
        LinkError
            If there is no progress. The session greets the device again when it is next used.
        TransportError
            If the transport breaks.
        """
        if self._state is _State.EXCHANGING:
            raise RuntimeError("an exchange is under way; finish or close it first")
        greet = self._refuse_to_greet if same_session else self._greet
        if self._state is _State.UNGREETED:
            greet()
        exchange = Exchange(self.line, self._window, requests, self.timeout, greet)
        self._state = _State.EXCHANGING
        left = _State.UNGREETED  # Replies may still be under way, until all have come.
        try:
            yield from exchange.answers()
            left = _State.READY
        finally:
            self._state = left

    def _greet(self) -> None:
        """Start numbers anew, with the same device and its model."""
        greeting = Greeting(self.line, self._window, self.timeout)
        description, status = greeting.perform(ask_status=self.model_digest is not None)
        self.greetings += 1
        if self.description is not None and description.build != self.description.build:
            raise DeviceError(
                f"the device at {self.line.url} was configured with another bitstream (build "
                f"{description.build.hex()} instead of {self.description.build.hex()}); open the "
                f"board again and load the program again",
                Status.NO_MODEL,
            )
        self.description = description
        self.line.baud = description.baud
        self._window.pace.adopt(description.receive_bytes)
        if status is not None and not (status.active and status.digest == self.model_digest):
            raise model_gone()

    def _refuse_to_greet(self) -> None:
        raise SessionLostError(
            f"the device at {self.line.url} was restarted, or too much is lost on the line; check "
            f"its power supply and the cable, then try again"
        )
