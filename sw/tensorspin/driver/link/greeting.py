"""HELLO, the request by which both sides agree on numbers and the device describes itself."""

from __future__ import annotations

from ...contract.device.description import DeviceDescription
from ...contract.wire.frames import DELIMITER, MAX_BODY, Packet
from ...contract.wire.packets import REPLY, DeviceStatus, PacketType, Status
from ...errors import LinkError
from .line import Arrival, Layout, Line
from .window import Window


class Greeting:
    """Greets a device until it answers, or gives up.

    Parameters
    ----------
    line : Line
        The line to the device.
    window : Window
        The packets under way; a greeting forgets them.
    timeout : float
        Seconds after which the greeting gives up.
    """

    def __init__(self, line: Line, window: Window, timeout: float) -> None:
        self._line = line
        self._window = window
        self._timeout = timeout
        # Counts of what came instead of the awaited reply; from them the user learns what is wrong.
        self._replies = 0
        self._strange_bytes = 0

    def perform(self, *, ask_status: bool) -> tuple[DeviceDescription, DeviceStatus | None]:
        """Send HELLOs until one is answered.

        Parameters
        ----------
        ask_status : bool
            Ask for the device's status too, before anything else is asked of the device.

        Returns
        -------
        description : DeviceDescription
            What the device says of itself.
        status : DeviceStatus or None
            The device's status, if `ask_status`.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If one answers that speaks another version.
        """
        deadline = self._line.now() + self._timeout
        # On a slow line the description alone takes longer than any margin.
        patience = self._line.answer_time() + self._line.transfer_time(MAX_BODY)
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
            # With a new number, a late reply to this HELLO is not taken for one to the next.
            number = self._window.next_number
            patience = max(patience, min(2 * patience, self._timeout / 4))

    def _drain(self) -> None:
        """Drop what comes until the line is quiet, or for a quarter of the time at most."""
        until = self._line.now() + self._timeout / 4
        while (arrival := self._line.read_until_quiet()).size:
            self._count(arrival)
            if self._line.now() >= until:
                break

    def _ask(self, kind: PacketType, number: int, patience: float) -> bytes | None:
        """Send a packet and return the payload of the reply to it, or None if none comes."""
        line = self._line
        self._window.start_after(number)
        # The device may hold the beginning of a frame; the delimiter ends it.
        line.write(bytes([DELIMITER]) + Packet(kind, number).frame())
        until = latest = line.free_at() + patience
        while (remaining := until - line.now()) > 0:
            arrival = line.read(remaining)
            self._count(arrival)
            for packet in arrival.packets:
                if packet.type == kind | REPLY and packet.sequence == number:
                    return packet.payload
            if arrival.size:
                # Something else came. Unless more follows soon, packet or reply was damaged.
                quiet = line.quiet_time() + line.transfer_time(MAX_BODY)
                until = min(latest, line.now() + quiet)
        return None

    def _count(self, arrival: Arrival) -> None:
        # Where TX is wired to RX, our own packets come back; they lack the bit `REPLY`.
        replies = sum(bool(packet.type & REPLY) for packet in arrival.packets)
        self._replies += replies
        if not replies:
            self._strange_bytes += arrival.size

    def _unpack(self, layout: type[Layout], payload: bytes) -> Layout:
        """Read the payload of a reply, with its status."""
        status, packed = payload[:1], payload[1:]
        if status != bytes([Status.OK]):
            raise self._line.not_understood(f"status {status.hex() or 'missing'}")
        return self._line.unpack(layout, packed)

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
            f"no Tensorspin device answers at {url} (nothing received in {self._timeout:g} s): "
            f"{self._line.transport.advice}"
        )
