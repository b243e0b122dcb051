"""HELLO, by which both sides agree on numbers and the device describes itself."""

from __future__ import annotations

import struct
from typing import TypeVar

from ...contract.device.description import DeviceDescription, OtherProtocolError
from ...contract.wire import cobs
from ...contract.wire.packets import REPLY, DeviceStatus, Packet, PacketType, Status
from ...errors import LinkError, ProtocolVersionError
from .line import Arrival, Line
from .window import Window

_Layout = TypeVar("_Layout", DeviceDescription, DeviceStatus)


class Greeting:
    """Greets a device until it answers, or gives up.

    Parameters
    ----------
    line : Line
    window : Window
        Whatever is under way is forgotten.
    timeout : float
        Seconds for all.
    """

    def __init__(self, line: Line, window: Window, timeout: float) -> None:
        self._line = line
        self._window = window
        self._timeout = timeout
        self._replies = 0  # other than those waited for
        self._strange_bytes = 0

    def perform(self, *, ask_status: bool) -> tuple[DeviceDescription, DeviceStatus | None]:
        """HELLO until it is answered.

        Parameters
        ----------
        ask_status : bool
            Ask for the device's status too, before anything else is asked of it.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If one answers that speaks another version.
        """
        deadline = self._line.now() + self._timeout
        patience = self._line.answer_time()
        number = self._window.distant_number
        while True:
            self._drain()
            self._line.statistics.hellos += 1
            reply = self._ask(PacketType.HELLO, number, patience)
            if reply is not None:
                description = self._unpack(DeviceDescription, reply)
                if not ask_status:
                    return description, None
                reply = self._ask(PacketType.STATUS, self._window.next_number, patience)
                if reply is not None:
                    return description, self._unpack(DeviceStatus, reply)
            if self._line.now() >= deadline:
                raise self._no_answer()
            # The reply to an earlier HELLO must not be taken for that to the latest.
            number = self._window.next_number
            patience = min(2 * patience, self._timeout / 4)

    def _drain(self) -> None:
        """Drop what comes, until the line is quiet."""
        until = self._line.now() + self._timeout / 4
        while (arrival := self._line.read_until_quiet()).size:
            self._count(arrival)
            if self._line.now() >= until:
                break

    def _ask(self, kind: PacketType, number: int, patience: float) -> bytes | None:
        """Payload of the reply to this very packet, if it comes."""
        line = self._line
        self._window.start_after(number)
        # The delimiter ends whatever part of a frame the device may hold.
        line.write(bytes([cobs.DELIMITER]) + Packet(kind, number).frame())
        until = line.free_at() + patience
        while (remaining := until - line.now()) > 0:
            arrival = line.read(remaining)
            self._count(arrival)
            for packet in arrival.packets:
                if packet.type == kind | REPLY and packet.sequence == number:
                    return packet.payload
            if arrival.size:
                # Unless more follows soon, the packet or its reply was damaged.
                quiet = line.quiet_time() + line.transfer_time(cobs.MAX_BODY)
                until = min(until, line.now() + quiet)
        return None

    def _count(self, arrival: Arrival) -> None:
        # Bit `REPLY` is missing in our own packets, which come back if TX meets RX.
        replies = sum(bool(packet.type & REPLY) for packet in arrival.packets)
        self._replies += replies
        if not replies:
            self._strange_bytes += arrival.size

    def _unpack(self, layout: type[_Layout], payload: bytes) -> _Layout:
        """What the payload of a reply says after the status."""
        status, packed = payload[:1], payload[1:]
        if status != bytes([Status.OK]):
            raise _not_understood(self._line.url, f"status {status.hex() or 'missing'}")
        return unpack(layout, packed, self._line.url)

    def _no_answer(self) -> LinkError:
        url = self._line.url
        if self._replies:
            return LinkError(
                f"the Tensorspin device at {url} can't be understood: too much is lost on the line "
                f"({self._line.statistics}); check cable and baud rate"
            )
        if self._strange_bytes:
            return LinkError(
                f"no Tensorspin device answers at {url} ({self._strange_bytes} bytes of something "
                f"else received): wrong baud rate or bitstream?"
            )
        return LinkError(
            f"no Tensorspin device answers at {url} (nothing received in {self._timeout:g} s): is "
            f"the board powered, is its bitstream loaded, and is this its UART? (`tensorspin "
            f"ports` guesses which port is one)"
        )


def unpack(layout: type[_Layout], packed: bytes, url: str) -> _Layout:
    """What a device says of itself.

    Raises
    ------
    ProtocolVersionError
        If it speaks another version of the protocol.
    LinkError
        If it can't be understood.
    """
    try:
        return layout.unpack(packed)
    except OtherProtocolError as error:
        raise ProtocolVersionError(str(error), error.device, error.driver) from None
    except (ValueError, struct.error) as error:
        raise _not_understood(url, error) from error


def _not_understood(url: str, reason: object) -> LinkError:
    return LinkError(
        f"the device at {url} describes itself in a way that this driver doesn't understand "
        f"({reason}); load the bitstream that belongs to this driver"
    )
