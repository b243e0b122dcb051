"""The reliable link: opening, window, losses, restarts."""

import dataclasses

import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.frames import COBS_OVERHEAD
from tensorspin.contract.wire.packets import (
    PROTOCOL_VERSION,
    STATUS,
    DeviceStatus,
    PacketType,
    Status,
)
from tensorspin.driver.board import Board
from tensorspin.driver.link.requests import MAX_DATA, Read, Write
from tensorspin.driver.link.session import Session
from tensorspin.errors import DeviceError, LinkError, ProtocolVersionError
from tensorspin.golden.device import GoldenDevice

from ..support.doubles import (
    ROW,
    CableTransport,
    EchoDevice,
    GarbageDevice,
    OtherVersionDevice,
    RepeatingTransport,
    ShortStatusDevice,
    SilentDevice,
    golden_transport,
    open_session,
)

# Opening


def test_open_describes_the_device():
    session = open_session(golden_transport())
    assert session.description == ROW.description(b"golden\0\0")
    assert session.line.statistics.hellos == 1


def test_status_of_another_length():
    session = open_session(golden_transport(ShortStatusDevice(ROW)))
    told = f"a status of {STATUS.size - 1} bytes, not {STATUS.size}.*; load the bitstream"
    with pytest.raises(LinkError, match=told):
        session.status()


@pytest.mark.parametrize("rest", [b"\x03", b"\x09half a frame", b"\xff" * 1000])
def test_half_a_frame_in_the_device_does_no_harm(rest):
    transport = golden_transport()
    transport.write(rest)
    assert open_session(transport).line.statistics.hellos == 1


def test_replies_to_somebody_else_do_no_harm():
    transport = golden_transport()
    other = open_session(transport)
    other.exchange([Read(MemorySpace.TABLE, 0, 200)] * 3)
    generator = other.exchange(Read(MemorySpace.TABLE, 0, 200) for _ in range(10))
    next(generator)
    session = open_session(transport)
    (answer,) = session.exchange([Read(MemorySpace.TABLE, 0, 8)])
    assert answer[1] == bytes(8)


def test_silence():
    transport = golden_transport(SilentDevice(ROW))
    with pytest.raises(
        LinkError,
        match=r"no Tensorspin device answers at golden://icebreaker "
        r"\(nothing received in 2 s\): is the board powered",
    ):
        open_session(transport)
    assert transport.now() < 4


def test_garbage():
    transport = golden_transport(GarbageDevice(ROW))
    with pytest.raises(
        LinkError,
        match=r"no Tensorspin device answers at golden://icebreaker \(\d+ bytes of something else "
        r"received\): wrong baud rate or bitstream\?",
    ):
        open_session(transport)
    assert transport.now() < 4


class Babbler(CableTransport):
    """Garbage without end, once the cable is broken."""

    def read(self, timeout):
        if not self.broken:
            return super().read(timeout)
        self.inner.read(min(timeout, 0.01))
        return b"\x55\xaa\x00"


def test_endless_garbage():
    transport = Babbler(golden_transport())
    transport.broken = True
    with pytest.raises(LinkError, match="bytes of something else"):
        open_session(transport)
    assert transport.now() < 8


class Trickle(CableTransport):
    """Bytes come one by one, a millisecond after each other, as they may behind a network."""

    def __init__(self, inner):
        super().__init__(inner)
        self._waiting = b""

    def read(self, timeout):
        if not self._waiting:
            self._waiting = super().read(timeout)
        elif self.inner.read(1e-3):
            raise AssertionError("the device says nothing unasked")
        byte, self._waiting = self._waiting[:1], self._waiting[1:]
        return byte


def test_a_description_that_comes_byte_by_byte():
    session = open_session(Trickle(golden_transport()))
    assert session.description == ROW.description(session.description.build)


def test_echo_is_not_a_device():
    with pytest.raises(LinkError, match="bytes of something else"):
        open_session(golden_transport(EchoDevice(ROW)))


def test_other_protocol_version():
    with pytest.raises(
        ProtocolVersionError,
        match=f"the device speaks protocol version 7, this driver version {PROTOCOL_VERSION}; load",
    ) as caught:
        open_session(golden_transport(OtherVersionDevice(ROW)))
    assert (caught.value.device, caught.value.driver) == (7, PROTOCOL_VERSION)


def test_description_of_another_length():
    class Verbose(GoldenDevice):
        def _hello(self, payload):
            return Status.OK, super()._hello(payload)[1] + b"more"

    with pytest.raises(LinkError, match="describes itself in a way"):
        open_session(golden_transport(Verbose(ROW)))


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_bad_timeout(timeout):
    with pytest.raises(ValueError, match="timeout must be more than 0 seconds, not"):
        Session(golden_transport(), timeout)
    with pytest.raises(ValueError, match="timeout must be more than 0 seconds"):
        Board.open("no such port", timeout=timeout)


@pytest.mark.parametrize("timeout", [float("inf"), 3601])
def test_a_time_out_that_never_ends_is_refused_before_anything_is_opened(timeout):
    message = "timeout must be at most 3600 seconds, not"
    with pytest.raises(ValueError, match=message):
        Session(golden_transport(), timeout)
    with pytest.raises(ValueError, match=message):
        Board.open("no such port", timeout=timeout)


# Exchanging


def test_requests_are_answered_in_order():
    session = open_session(golden_transport())
    table = bytes(range(256)) * 8
    writes = [Write(MemorySpace.TABLE, 8 * k, table[8 * k : 8 * k + 8]) for k in range(256)]
    assert [request for request, _ in session.exchange(writes)] == writes
    reads = [Read(MemorySpace.TABLE, 8 * k, 8) for k in range(256)]
    assert b"".join(reply for _, reply in session.exchange(reads)) == table


def test_window_is_used_and_kept():
    device = GoldenDevice(ROW)
    most = 0

    class Watching(CableTransport):
        def write(self, data):
            nonlocal most
            most = max(most, len(data))
            super().write(data)

    session = open_session(Watching(golden_transport(device)))
    writes = [Write(MemorySpace.TABLE, 0, bytes(100))] * 50
    list(session.exchange(writes))
    body = 100 + 4 + 7
    assert most == (ROW.receive_bytes // body) * (body + COBS_OVERHEAD)
    assert session.line.statistics.resent == 0


def test_source_is_taken_from_as_needed():
    session = open_session(golden_transport())
    taken = []

    def requests():
        for number in range(1000):
            taken.append(number)
            yield Read(MemorySpace.TABLE, 0, 100)

    generator = session.exchange(requests())
    next(generator)
    assert len(taken) < 200
    generator.close()


def test_abandoned_exchange_leaves_nothing_behind():
    session = open_session(golden_transport())
    list(session.exchange([Write(MemorySpace.TABLE, 0, b"abcdefgh")]))
    generator = session.exchange([Read(MemorySpace.TABLE, k % 8, 1) for k in range(100)])
    next(generator)
    generator.close()
    for k in range(8):
        ((_, reply),) = session.exchange([Read(MemorySpace.TABLE, k, 1)])
        assert reply == b"abcdefgh"[k : k + 1]


def test_exchanges_do_not_nest():
    session = open_session(golden_transport())
    generator = session.exchange([Read(MemorySpace.TABLE, k, 1) for k in range(3)])
    next(generator)
    with pytest.raises(RuntimeError, match="an exchange is under way"):
        session.request(PacketType.STATUS)
    assert len(list(generator)) == 2


def test_refusal_names_request_and_status():
    session = open_session(golden_transport())
    end = ROW.contractor.space_bytes(MemorySpace.TABLE)
    with pytest.raises(
        DeviceError,
        match=rf"the device refused WRITE TABLE at {end} \(1 bytes\): BAD_ADDRESS",
    ) as caught:
        list(session.exchange([Write(MemorySpace.TABLE, end, b"x")]))
    assert caught.value.status is Status.BAD_ADDRESS
    assert not DeviceStatus.unpack(session.request(PacketType.STATUS)).active


def test_unknown_status():
    class Newer(GoldenDevice):
        def _status(self, payload):
            return 99, b""

    session = open_session(golden_transport(Newer(ROW)))
    with pytest.raises(DeviceError, match="status 99, which this driver doesn't know"):
        session.request(PacketType.STATUS)


# Losses


@pytest.mark.parametrize("distance", [0, 1, 2, 5, 17, 60, 100])
def test_repeated_replies_are_nobodys(distance):
    session = open_session(RepeatingTransport(golden_transport(), distance))
    data = bytes(k * 7 % 256 for k in range(1000))
    writes = (Write(MemorySpace.TABLE, k, data[k : k + 1]) for k in range(1000))
    list(session.exchange(writes))
    reads = [Read(MemorySpace.TABLE, k, 1) for k in range(1000)]
    assert b"".join(reply for _, reply in session.exchange(reads)) == data


def test_cut_cable_is_an_error_and_the_session_recovers():
    cable = CableTransport(golden_transport())
    session = open_session(cable)
    cable.broken = True
    start = cable.now()
    with pytest.raises(
        LinkError,
        match=r"lost the device at golden://icebreaker: no progress for 2 s; since opening: "
        r"frames \d+, resent \d+, .*Check cable and power, the baud rate \(3000000\)",
    ):
        session.request(PacketType.STATUS)
    assert cable.now() - start < 6
    cable.mend()
    assert DeviceStatus.unpack(session.request(PacketType.STATUS)).samples == 0


def test_endless_garbage_in_mid_session():
    transport = Babbler(golden_transport())
    session = open_session(transport)
    transport.broken = True
    with pytest.raises(LinkError, match="no progress for 2 s"):
        session.request(PacketType.STATUS)
    assert transport.now() < 8
    transport.mend()
    session.request(PacketType.STATUS)


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_any_cut_heals(cut):
    """Bytes vanish from some point on, and come again while the session still tries."""
    cable = CableTransport(golden_transport(), cut_after=cut + 20)

    class Mender(CableTransport):
        def read(self, timeout):
            data = cable.read(timeout)
            if cable.broken and cable.now() > 0.5:
                cable.mend()
            return data

        def write(self, data):
            cable.write(data)

    session = open_session(Mender(cable))
    data = bytes(range(240))
    pieces = range(0, len(data), 10)
    list(session.exchange(Write(MemorySpace.TABLE, k, data[k : k + 10]) for k in pieces))
    back = session.exchange(Read(MemorySpace.TABLE, k, 10) for k in pieces)
    read = {request.address: reply for request, reply in back}
    assert b"".join(read[k] for k in pieces) == data


# Restarts


def test_restart_between_requests_is_seamless_without_a_model():
    device = GoldenDevice(ROW)
    session = open_session(golden_transport(device))
    device.restart()
    assert not DeviceStatus.unpack(session.request(PacketType.STATUS)).active
    assert session.greetings


def test_restart_is_an_error_with_a_model():
    device = GoldenDevice(ROW)
    session = open_session(golden_transport(device))
    session.model_digest = 7
    device.restart()
    with pytest.raises(DeviceError, match="has not the program any more") as caught:
        list(session.exchange([Read(MemorySpace.TABLE, 0, 8)]))
    assert caught.value.status is Status.NO_MODEL


def test_another_bitstream_is_an_error():
    device = GoldenDevice(ROW)
    session = open_session(golden_transport(device))
    device.restart()
    device.build = b"otherone"
    with pytest.raises(DeviceError, match="configured with another bitstream"):
        session.request(PacketType.STATUS)


def test_device_that_restarts_at_every_write_is_given_up():
    class Weak(GoldenDevice):
        def _write(self, payload):
            self.restart()
            return Status.OK, b""

        def feed(self, data):
            answers = super().feed(data)
            return answers if b"\x01" in data[:3] or len(data) < 15 else []

    transport = golden_transport(Weak(ROW))
    session = open_session(transport)
    with pytest.raises(LinkError, match="lost the device"):
        list(session.exchange([Write(MemorySpace.TABLE, 0, bytes(100))]))
    assert transport.now() < 60


def test_large_reads_and_writes_are_split_when_packets_shrink():
    session = open_session(golden_transport())
    session._window.pace.data_limit = 16
    data = bytes(range(200))
    pieces = list(session.exchange([Write(MemorySpace.TABLE, 0, data)]))
    assert [len(request.data) for request, _ in pieces] == [16] * 12 + [8]
    back = list(session.exchange([Read(MemorySpace.TABLE, 0, 200)]))
    assert b"".join(reply for _, reply in back) == data
    assert session._window.pace.data_limit > 16, "all went well, so that packets grow again"
    assert session._window.pace.data_limit <= MAX_DATA


def test_statistics_print_every_count():
    session = open_session(golden_transport())
    text = str(session.line.statistics)
    for field in dataclasses.fields(session.line.statistics):
        assert f"{field.name} " in text
