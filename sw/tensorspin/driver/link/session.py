"""The host's session with one device."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from ...contract.device.description import DeviceDescription
from ...contract.wire.packets import DeviceStatus, PacketType, Status
from ...errors import DeviceError, LinkError
from ..transports.base import Transport
from .exchange import Exchange, model_gone, program_corrupt
from .greeting import Greeting
from .line import Line
from .requests import AskStatus, RequestT, Simple
from .window import Window

DEFAULT_TIMEOUT = 2.0
"""Seconds without progress until a `LinkError`, beyond what the requests themselves take: long
enough for a USB adapter that hangs for a moment, short enough for a person who waits."""

_FIRST_PART = 1e-5
"""Seconds of the transport's clock that the first part of a wait takes; the next ones are longer
or shorter, as the computer's clock shows."""

_PART_SECONDS = 0.05
"""Seconds of the computer's clock that a part of a wait takes at most, about."""

_ASK_STATUS = AskStatus()

MOST_TIMEOUT = 3600.0
"""Longest time-out in seconds: whoever waits for an hour waits in vain."""


class SessionLostError(LinkError):
    """Something that must happen in one session could not: the device may have been restarted."""


def check_timeout(timeout: float) -> None:
    """Refuse a time-out that never ends, or that is over before it begins.

    Parameters
    ----------
    timeout : float
        Seconds without progress, as `Session` takes them.

    Raises
    ------
    ValueError
        If the time is not more than 0 and at most `MOST_TIMEOUT`; NaN is neither.
    """
    if not 0 < timeout <= MOST_TIMEOUT:
        raise ValueError(
            f"timeout must be more than 0 seconds, not {timeout}"
            if not timeout > 0
            else f"timeout must be at most {MOST_TIMEOUT:g} seconds, not {timeout}"
        )


class _State(enum.Enum):
    """What may happen next on the line."""

    UNGREETED = enum.auto()
    """The device must be greeted first: the numbers disagree, or old replies are under way."""
    READY = enum.auto()
    """Nothing is under way, so an exchange may begin."""
    EXCHANGING = enum.auto()
    """An exchange is under way, so that no other may begin."""


class Session:
    """Asks a device, and notices when it was restarted.

    A device that was restarted executes nothing before a HELLO (`RejectReason.NO_SESSION`). So
    between two greetings the device keeps the effect of everything that it has executed.

    Parameters
    ----------
    transport : Transport
        The way to the device.
    timeout : float
        Seconds of the transport's clock without progress, beyond what the requests themselves
        take, after which the session gives up.

    Attributes
    ----------
    line : Line
        The transport as packets and times.
    greetings : int
        How often the device was greeted. As long as this stays the same, the device was not
        restarted before the last request that was answered.
    model_digest : int or None
        Digest of the program that the device must report whenever it is greeted anew; None if the
        device need not hold any.
    """

    def __init__(self, transport: Transport, timeout: float = DEFAULT_TIMEOUT) -> None:
        check_timeout(timeout)
        self.line = Line(transport)
        self.timeout = timeout
        self.greetings = 0
        self.model_digest: int | None = None
        self._description: DeviceDescription | None = None
        self._window = Window()
        self._state = _State.UNGREETED

    @property
    def description(self) -> DeviceDescription:
        """What the device said of itself when it was greeted.

        Raises
        ------
        RuntimeError
            If the session was not opened.
        """
        if self._description is None:
            raise RuntimeError("the device was not greeted yet; open the session first")
        return self._description

    def open(self) -> DeviceDescription:
        """Greet the device.

        Returns
        -------
        DeviceDescription
            What the device says of itself.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If the device speaks another version of the protocol.
        """
        description = self._greet()
        self._state = _State.READY
        return description

    def begin_turn(self) -> bool:
        """Take the device for this session, if others use it, too; see `Transport.begin_turn`.

        Returns
        -------
        bool
            Whether the device is as this session has left it. If not, it is greeted anew before the
            next request.
        """
        kept = self.line.transport.begin_turn()
        if not kept:
            self._state = _State.UNGREETED
        return kept

    def end_turn(self) -> None:
        """Let others use the device, until the next `begin_turn`."""
        self.line.transport.end_turn()

    def close(self) -> None:
        """Release the transport."""
        self.line.transport.close()

    def request(
        self,
        kind: PacketType,
        payload: bytes = b"",
        *,
        reply_bytes: int = 1,
        seconds: float = 0.0,
        same_session: bool = False,
    ) -> bytes:
        """Ask one thing and wait for the answer.

        Parameters
        ----------
        kind : PacketType
            Type of the request.
        payload : bytes
            Its payload.
        reply_bytes : int
            Bytes of the reply's payload, from which time-outs are computed.
        seconds : float
            Time in seconds that the device computes before it replies.
        same_session : bool
            Whether to raise `SessionLostError` rather than greet the device anew.

        Returns
        -------
        bytes
            Payload of the reply after the status.

        Raises
        ------
        DeviceError, LinkError, TransportError
            If the device refuses the request, or is lost; see `exchange`.
        """
        simple = Simple(kind, payload, reply_bytes, seconds)
        ((_, reply),) = self.exchange([simple], same_session=same_session)
        return reply

    def status(self, *, same_session: bool = False) -> DeviceStatus:
        """Ask for the device's status.

        Parameters
        ----------
        same_session : bool
            Whether to raise `SessionLostError` rather than greet the device anew.

        Returns
        -------
        DeviceStatus
            The device's counters and the digest of its program.

        Raises
        ------
        DeviceError, LinkError, TransportError
            If the device refuses the request, or is lost; see `exchange`. `LinkError` also if the
            driver doesn't understand the reply.
        """
        ((_, reply),) = self.exchange([_ASK_STATUS], same_session=same_session)
        return self.line.unpack(DeviceStatus, reply)

    def wait(self, seconds: float, between: Callable[[], None] | None = None) -> None:
        """Let time pass while nothing is asked.

        Parameters
        ----------
        seconds : float
            How long, by the transport's clock.
        between : callable, optional
            Called several times meanwhile, about every `_PART_SECONDS` of the computer's clock
            even where a virtual board takes minutes for a second of its own. An exception that it
            raises ends the wait.
        """
        until = self.line.now() + seconds
        part = seconds if between is None else _FIRST_PART
        while (left := until - self.line.now()) > 0:
            begun = time.perf_counter()
            self.line.read(min(left, part))  # Drop late and repeated replies.
            if between is not None:
                between()
                short = time.perf_counter() - begun < _PART_SECONDS
                part *= 2 if short else 0.5

    def exchange(
        self, requests: Iterable[RequestT], *, same_session: bool = False
    ) -> Iterator[tuple[RequestT, bytes]]:
        """Ask many things, as many at a time as the device can hold.

        Parameters
        ----------
        requests : iterable of Request
            What to ask. Requests are taken from it as there is room for them. Their order is kept,
            except that a request whose reply got lost is asked again later; large ones may be
            split.
        same_session : bool
            Whether to raise `SessionLostError` rather than greet the device anew.

        Yields
        ------
        request : Request
            A request, in the order of the replies; after a split, one of its pieces.
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
        # If the caller abandons the exchange, replies may still be under way: greet the device
        # before the next one. Only when all replies have come is the session ready at once.
        left = _State.UNGREETED
        try:
            # Pieces of a request have its class, so the caller gets back what it gave.
            yield from cast(Iterator[tuple[RequestT, bytes]], exchange.answers())
            left = _State.READY
        finally:
            self._state = left

    def _greet(self) -> DeviceDescription:
        """Start numbers anew, and check that device and program are still the same."""
        greeting = Greeting(self.line, self._window, self.timeout)
        description, status = greeting.perform(ask_status=self.model_digest is not None)
        self.greetings += 1
        known = self._description
        if known is not None and description.build != known.build:
            raise DeviceError(
                f"the device at {self.line.url} was configured with another bitstream (build "
                f"{description.build.hex()} instead of {known.build.hex()}); open the board again "
                f"and load the program again",
                Status.NO_MODEL,
            )
        if known is not None and description != known:
            raise LinkError(
                f"the device at {self.line.url} describes itself otherwise than before, though its "
                f"build is the same ({description.build.hex()}); open the board again"
            )
        self._description = description
        self.line.adopt_rate(description.baud)
        self._window.pace.adopt(description.receive_bytes)
        if status is not None and not (status.active and status.digest == self.model_digest):
            # The reply that said so may have been lost.
            corrupt = status.corrupted and status.digest == self.model_digest
            raise program_corrupt() if corrupt else model_gone()
        return description

    def _refuse_to_greet(self) -> DeviceDescription:
        raise SessionLostError(
            f"the device at {self.line.url} was restarted, or too much is lost on the line; check "
            f"its power supply and the cable, then try again"
        )
