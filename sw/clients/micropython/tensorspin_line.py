"""The line to a Tensorspin board over SPI: packets, sessions, and what is repeated after a fault.

`tensorspin_spi` builds the board on it. The protocol is described in docs/coprocessor.md.
"""

import struct
from binascii import crc32

import tensorspin_protocol as protocol

try:
    from time import ticks_diff, ticks_us
except ImportError:  # CPython
    from time import perf_counter_ns

    def ticks_us():
        """Read a clock in microseconds."""
        return perf_counter_ns() // 1000

    def ticks_diff(later, earlier):
        """Count the microseconds between two times."""
        return later - earlier


CHUNK = 32
"""Bytes of a transaction in which the driver only listens."""

TRIES = 40
"""How often a request is asked until the line is given up. On a line that loses every second
packet, the chance that so many tries fail in a row is nil."""

GREETINGS = 16
"""How often a board is greeted until it is given up."""

GREETING_US = 10_000
"""Microseconds in which the first greeting must be answered; the time doubles with each try, as far
as `MOST_GREETING_US`. So a board without an answer is given up after a second."""

MOST_GREETING_US = 60_000

MARGIN_US = 3_000
"""Microseconds beyond twice the time of computing until an answer is overdue. The controller may
collect garbage meanwhile."""

MOST_READS = 64
"""Transactions with data in which a whole packet must have come. A line that is stuck high seems to
send for ever."""

MAX_DATA = protocol.MAX_PAYLOAD - protocol.MEMORY_BYTES
"""Bytes of a memory in a packet."""


class TensorspinError(Exception):
    """The board does not answer, refuses a request, or a file or an argument is wrong.

    Parameters
    ----------
    message : str
        What is wrong, and what to do.
    status : int
        With which status the board has refused a request; 0 if it has not.
    """

    def __init__(self, message, status=0):
        super().__init__(message)
        self.status = status


class Answer:
    """The answer to a sample.

    Attributes
    ----------
    best : int
        Index of the greatest score, the first of equals.
    scores : tuple of int
        Mantissas: the scores are these times 2**-exponent, times the network's scale.
    exponent : int
        Exponent of all scores.
    cycles : int
        Clock cycles that the board took.
    """

    def __init__(self, payload, outputs):
        self.scores = struct.unpack_from("<%dh" % outputs, payload)
        self.exponent, self.best, self.cycles = struct.unpack_from("<HHI", payload, 2 * outputs)


class Status:
    """What the board has counted.

    Attributes
    ----------
    active : bool
        Whether a model is loaded.
    digest : int
        By which a model is told from others.
    damaged, out_of_sequence, overflows : int
        Frames that the board has rejected, by reason.
    samples, busy_cycles : int
        Samples since the board was configured, and clock cycles in which it worked on them.
    step : int
        Step of the annealer's schedule.
    annealing, cleared : bool
        Whether a run is under way, and whether the annealer's memories have been cleared.
    """

    def __init__(self, payload):
        found = struct.unpack("<BIHHHIIHBB", payload)
        self.active, self.digest = bool(found[0]), found[1]
        self.damaged, self.out_of_sequence, self.overflows = found[2:5]
        self.samples, self.busy_cycles, self.step = found[5:8]
        # The byte's other bits count programs that the board has found corrupt.
        self.annealing, self.cleared = bool(found[8]), bool(found[9] & 1)


class Line:
    """A board at the other end of an SPI bus, which is asked one thing after the other.

    Parameters
    ----------
    spi, cs, irq, ticks
        As for `tensorspin_spi.Tensorspin`.
    """

    def __init__(self, spi, cs, irq, ticks):
        self._spi, self._cs, self._irq = spi, cs, irq
        self._ticks = ticks or ticks_us
        self._zeros = bytearray(CHUNK)
        self._in = bytearray(protocol.MAX_BODY + protocol.COBS_OVERHEAD)
        self._raw = bytearray()  # of the frame that comes in
        self._frames = []  # that have come: type, number, payload
        self._damaged = False
        self._sequence = 0
        self.faults = self.greetings = 0
        self.board, self.clock_hz, self.receive_bytes = "", 0, 0
        self.contractor = self.annealer = ()
        cs(1)

    # Requests

    def ask(self, kind, payload=b"", length=0):
        """Ask one thing, again and again until it is answered.

        Parameters
        ----------
        kind : int
            Type of the request.
        payload : bytes
            Its payload.
        length : int
            Bytes of the reply after the status.

        Returns
        -------
        bytes
            The reply after the status.

        Raises
        ------
        TensorspinError
            If the board is lost, or refuses the request.
        """
        self._must_be_free()
        for _ in range(TRIES):
            reply = self._ask_once(kind, payload, length)
            if reply is not None:
                return reply
            self._recover(0)
        raise self._lost()

    def write(self, space, address, data):
        """Write to a memory of the board.

        Parameters
        ----------
        space : int
            Number of the memory, one of ``tensorspin_protocol.SPACE_...``.
        address : int
            Address of the first byte.
        data : bytes
            At most `MAX_DATA` bytes.
        """
        head = struct.pack("<HBB", address & 0xFFFF, address >> 16, space)
        self.ask(protocol.WRITE, head + data)

    def read(self, space, address, count):
        """Read from a memory of the board.

        Parameters
        ----------
        space, address : int
            As for `write`.
        count : int
            Number of bytes, at most `MAX_DATA`.

        Returns
        -------
        bytes
            The bytes.
        """
        head = struct.pack("<HBBB", address & 0xFFFF, address >> 16, space, count)
        return self.ask(protocol.READ, head, count)

    def _ask_once(self, kind, payload, length):
        """Ask once; return None if something was lost."""
        sequence = self._send(kind, payload)
        while True:
            packet = self._receive(MARGIN_US)
            if packet is None or packet[0] == protocol.REJECT:
                return None
            if packet[0] != kind | protocol.REPLY or packet[1] != sequence or not packet[2]:
                continue  # late, of a request that is forgotten
            self._check(packet[2][0])
            if len(packet[2]) != 1 + length:
                raise TensorspinError(
                    "the board replied with %d bytes instead of %d; load the bitstream that "
                    "belongs to this driver" % (len(packet[2]) - 1, length)
                )
            return packet[2][1:]

    def _check(self, status):
        if status == protocol.STATUS_NO_MODEL:
            raise TensorspinError("the board has lost the model; load it again", status)
        if status:
            raise TensorspinError("the board refused a request with status %d" % status, status)

    def _lost(self):
        return TensorspinError(
            "the board does not answer; check wires, power and bitstream, and try a lower frequency"
        )

    def _must_be_free(self):
        """Refuse a request while others are under way."""

    # Sessions

    def _recover(self, us):
        """Begin a new session after a fault; the board may compute for so many microseconds."""
        self.faults += 1
        self._greet(us)

    def _greet(self, us):
        """Greet the board, which may compute for so many microseconds before it answers."""
        patience = GREETING_US
        for _ in range(GREETINGS):
            self._sequence = (self._sequence + 100) & 0xFF
            self._frames = []
            self._transfer(b"\0")  # ends a frame of which a part was sent
            sequence = self._send(protocol.HELLO, b"")
            began = self._ticks()
            while ticks_diff(self._ticks(), began) < patience + 2 * us:
                packet = self._receive(patience + 2 * us)
                if packet is None:
                    break
                if packet[0] == protocol.HELLO | protocol.REPLY and packet[1] == sequence:
                    self._describe(packet[2])
                    self.greetings += 1
                    return
            patience = min(2 * patience, MOST_GREETING_US)
        raise self._lost()

    def _describe(self, payload):
        """Read what the board says of itself."""
        if len(payload) <= protocol.AT_HELLO_PROTOCOL + 2 or payload[0]:
            raise TensorspinError("the board refuses to be greeted; load its bitstream again")
        told = payload[1:]
        version = struct.unpack_from("<H", told, protocol.AT_HELLO_PROTOCOL)[0]
        if version != protocol.PROTOCOL_VERSION:
            raise TensorspinError(
                "the board speaks protocol version %d, this driver version %d; load the bitstream "
                "that belongs to this driver" % (version, protocol.PROTOCOL_VERSION)
            )
        if len(told) < protocol.AT_HELLO_ENGINES:
            raise self._misdescribed()
        name = bytes(told[protocol.AT_HELLO_BOARD : protocol.AT_HELLO_BOARD + protocol.NAME_BYTES])
        clock_hz = struct.unpack_from("<I", told, protocol.AT_HELLO_CLOCK_HZ)[0]
        if not protocol.LEAST_CLOCK_HZ <= clock_hz <= protocol.GREATEST_CLOCK_HZ:
            raise TensorspinError("the board states no clock; load its bitstream again")
        sizes = {}
        at = protocol.AT_HELLO_ENGINES
        while at < len(told):
            if at + protocol.RECORD_BYTES > len(told):
                raise self._misdescribed()
            kind, length = told[at], told[at + 1]
            at += protocol.RECORD_BYTES
            if at + length > len(told):
                raise self._misdescribed()
            sizes[kind] = struct.unpack_from("<%dI" % (length // protocol.SIZE_BYTES), told, at)
            at += length
        contractor = sizes.get(protocol.ENGINE_CONTRACTOR, ())
        annealer = sizes.get(protocol.ENGINE_ANNEALER, ())
        if contractor and len(contractor) <= protocol.CONTRACTOR_SLOT_ENTRIES:
            raise self._misdescribed()
        if annealer:
            sizes = annealer[: protocol.ANNEALER_STRIDES + 1]
            strides = annealer[len(sizes) :][: sizes[-1]]
            whole = len(annealer) > protocol.ANNEALER_WINDOW + len(strides)
            if not whole or not all(sizes + strides) or max(annealer) > 0xFFFF:
                raise self._misdescribed()
            if annealer[protocol.ANNEALER_COUPLING_BITS] > protocol.MAX_COUPLING_BITS:
                raise self._misdescribed()
        # Kept only now that all of it can be.
        # Character by character: MicroPython has no way to decode what is no UTF-8.
        self.board = "".join([chr(c) if 32 <= c < 127 else "?" for c in name.split(b"\0")[0]])
        self.clock_hz, self.contractor, self.annealer = clock_hz, contractor, annealer
        self.receive_bytes = struct.unpack_from("<H", told, protocol.AT_HELLO_RECEIVE_BYTES)[0]

    def _misdescribed(self):
        return TensorspinError(
            "the board describes itself as no board can; load the bitstream that belongs to this "
            "driver"
        )

    # Packets

    def _send(self, kind, payload):
        """Send a packet, and return its number."""
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFF
        body = struct.pack("<BBB", kind, sequence, len(payload)) + payload
        body += struct.pack("<I", crc32(body) & 0xFFFFFFFF)
        blocks = [bytes([len(block) + 1]) + block for block in body.split(b"\0")]
        self._transfer(b"".join(blocks) + b"\0")
        return sequence

    def _receive(self, us):
        """Wait for a packet; return None if none has come in that time, or a damaged one."""
        began = self._ticks()
        looked = False
        reads = 0
        while not self._frames:
            if self._damaged or reads > MOST_READS:
                self._damaged = False
                return None
            late = ticks_diff(self._ticks(), began) > us
            if not self._raw and self._irq is not None and not late and not self._irq():
                continue
            # When the time is over, look all the same: the interrupt's wire may be broken.
            if self._transfer(self._zeros):
                began = self._ticks()
                reads += 1
            elif looked:
                return None
            else:
                looked = late
        self._damaged = False
        return self._frames.pop(0)

    def _transfer(self, data):
        """Exchange bytes; return whether the board has said something."""
        into = memoryview(self._in)[: len(data)]
        self._cs(0)
        self._spi.write_readinto(data, into)
        self._cs(1)
        received = bytes(into)
        if not self._raw and received == bytes(len(received)):
            return False
        at = 0
        while True:
            end = received.find(b"\0", at)
            if end < 0:
                self._raw += received[at:]
                break
            self._raw += received[at:end]
            if self._raw:
                self._take(_decode(self._raw))
                self._raw = bytearray()
            at = end + 1
        if len(self._raw) > protocol.MAX_BODY + 1:
            # Garbage without an end must not fill the memory; what is kept of it is no frame.
            self._raw = self._raw[-protocol.MAX_BODY - 1 :]
        return True

    def _take(self, body):
        """Keep a packet that is whole."""
        head, tail = protocol.HEADER_BYTES, protocol.CRC_BYTES
        size = len(body) if body else 0
        if size < head + tail or size != body[2] + head + tail:
            self._damaged = True
        elif crc32(body[:-tail]) & 0xFFFFFFFF != struct.unpack_from("<I", body, size - tail)[0]:
            self._damaged = True
        else:
            self._frames.append((body[0], body[1], bytes(body[head:-tail])))


def _decode(frame):
    """Take the stuffing out of a frame without its delimiter; None if it is damaged."""
    body = bytearray()
    at, size = 0, len(frame)
    while at < size:
        code = frame[at]
        if at + code > size or code == 0xFF:
            return None
        body += frame[at + 1 : at + code]
        at += code
        if at < size:
            body += b"\0"
    return body
