"""The device's rules, request by request; the gateware's tests use the same device as reference."""

import numpy as np
import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.wire.frames import MAX_BODY, MAX_PAYLOAD, FrameSplitter, Packet
from tensorspin.contract.wire.packets import (
    ACTIVATE,
    OFFSET,
    REJECT,
    REPLY,
    RESULT,
    DeviceStatus,
    PacketType,
    RejectReason,
    Status,
    pack_memory,
)
from tensorspin.golden.device import GOLDEN_BUILD, GoldenDevice

from ..support.doubles import ROW
from ..support.hosts import Host
from ..support.loaded_programs import chain_program, golden_answers, random_levels

SIZE = ROW.contractor
PROGRAM = chain_program()


def sample(offset, levels):
    return OFFSET.pack(offset) + bytes(levels)


@pytest.fixture
def host():
    return Host(GoldenDevice(ROW))


def test_hello_describes_the_device(host):
    status, payload = host.ask(PacketType.HELLO)
    assert status is Status.OK
    assert DeviceDescription.unpack(payload) == ROW.description(GOLDEN_BUILD)


def test_hello_is_taken_at_any_number_and_sets_the_next(host):
    host.number = 200
    assert host.ask(PacketType.HELLO)[0] is Status.OK
    assert host.ask(PacketType.STATUS)[0] is Status.OK
    assert host.number == 202


def test_numbers_wrap(host):
    for _ in range(300):
        assert host.ask(PacketType.STATUS)[0] is Status.OK


@pytest.mark.parametrize("number", [1, 7, 128, 255])
def test_wrong_number_is_rejected(host, number):
    (reply,) = host.send(Packet(PacketType.STATUS, number))
    assert reply == Packet(REJECT, 0, bytes([RejectReason.SEQUENCE]))
    assert host.status().out_of_sequence == 1


def test_repeated_request_is_rejected(host):
    packet = host.packet(PacketType.STATUS)
    first, second = host.send(packet, packet)
    assert first.type == PacketType.STATUS | REPLY
    assert second == Packet(REJECT, 1, bytes([RejectReason.SEQUENCE]))


def test_every_damaged_byte_is_rejected_and_nothing_applied(host):
    host.load()
    payload = pack_memory(MemorySpace.PROGRAM, 0) + b"abc"
    frame = Packet(PacketType.WRITE, host.number, payload).frame()
    before = bytes(host.device.memories[MemorySpace.PROGRAM])
    rejects = 0
    for position in range(len(frame)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(frame)
            damaged[position] ^= flip
            replies = FrameSplitter().feed(host.device.respond(bytes(damaged) + b"\0"))
            assert {(reply.type, reply.sequence) for reply in replies} == {(REJECT, host.number)}
            rejects += len(replies)
    assert host.device.memories[MemorySpace.PROGRAM] == before
    status = host.status()
    assert status.active
    assert status.damaged == rejects


def test_lone_delimiters_are_nothing(host):
    assert host.device.respond(b"\0\0\0") == b""


def test_garbage_without_delimiter_is_one_damaged_frame(host):
    assert host.device.respond(b"\x55" * 10 * MAX_BODY) == b""
    (reply,) = FrameSplitter().feed(host.device.respond(b"\0"))
    assert reply == Packet(REJECT, 0, bytes([RejectReason.DAMAGED]))


def test_more_than_the_receive_buffer_is_rejected(host):
    payload = pack_memory(MemorySpace.TABLE, 0) + bytes(200)
    packets = [host.packet(PacketType.WRITE, payload) for _ in range(6)]
    replies = host.send(*packets)
    fit = ROW.receive_bytes // len(packets[0].body())
    assert fit < len(packets)
    assert [reply.type for reply in replies[:fit]] == [PacketType.WRITE | REPLY] * fit
    assert replies[fit] == Packet(REJECT, fit, bytes([RejectReason.OVERFLOW]))
    assert replies[fit + 1] == Packet(REJECT, fit, bytes([RejectReason.SEQUENCE]))
    host.number = fit
    assert host.status().overflows == 1


@pytest.mark.parametrize("kind", [0x00, 0x08, 0x7F])
def test_unknown_type(host, kind):
    assert host.ask(kind, b"abc") == (Status.UNKNOWN_TYPE, b"")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (PacketType.HELLO, b"x"),
        (PacketType.STATUS, b"x"),
        (PacketType.WRITE, b"\0\0\0"),
        (PacketType.WRITE, b"\0\0\0\0"),
        (PacketType.READ, b"\0\0\0\0"),
        (PacketType.READ, b"\0\0\0\0\x01\x01"),
        (PacketType.READ, b"\0\0\0\0\x00"),
        (PacketType.READ, b"\0\0\0\0" + bytes([MAX_PAYLOAD])),
        (PacketType.ACTIVATE, b"\0\0\0\0\0"),
        (PacketType.ACTIVATE, b"\0\0\0\0\0\0\0"),
        (PacketType.FEATURES, b"\0\0"),
        (PacketType.RUN, b""),
        (PacketType.RUN, b"\0\0"),
    ],
)
def test_bad_length(host, kind, payload):
    assert host.ask(kind, payload) == (Status.BAD_LENGTH, b"")


@pytest.mark.parametrize("space", MemorySpace)
def test_write_then_read_at_both_ends(host, space):
    last = SIZE.space_bytes(space) - 5
    assert host.write(space, 0, b"first") is Status.OK
    assert host.write(space, last, b"final") is Status.OK
    assert host.read(space, 0, 5) == (Status.OK, b"first")
    assert host.read(space, last, 5) == (Status.OK, b"final")
    assert len(host.read(space, 0, MAX_PAYLOAD - 1)[1]) == MAX_PAYLOAD - 1


@pytest.mark.parametrize("space", MemorySpace)
def test_bad_address(host, space):
    host.load()
    end = SIZE.space_bytes(space)
    for address, count in ((end, 1), (end - 1, 2), (0xFFFFFF, 1)):
        assert host.write(space, address, bytes(count)) is Status.BAD_ADDRESS
        assert host.read(space, address, count) == (Status.BAD_ADDRESS, b"")
    assert host.write(len(MemorySpace), 0, b"x") is Status.BAD_ADDRESS
    assert host.status().active, "a refused WRITE changes nothing"


def test_write_deactivates(host):
    host.load()
    status = host.status()
    assert (status.active, status.digest) == (True, 0x12345678)
    host.write(MemorySpace.TABLE, 0, b"x")
    assert not host.status().active
    assert host.ask(PacketType.RUN, sample(0, [0] * 8)) == (Status.NO_MODEL, b"")


@pytest.mark.parametrize("features", [0, SIZE.features + 1])
def test_activate_with_bad_feature_count(host, features):
    payload = ACTIVATE.pack(features, 1)
    assert host.ask(PacketType.ACTIVATE, payload) == (Status.BAD_FEATURE_COUNT, b"")
    assert not host.status().active


def test_run_gives_scores_exponent_class_and_cycles(host):
    host.load()
    levels = random_levels(1)
    status, payload = host.ask(PacketType.RUN, sample(0, levels[0]))
    expected = golden_answers(PROGRAM, levels)
    assert status is Status.OK
    scores, result = payload[: -RESULT.size], payload[-RESULT.size :]
    np.testing.assert_array_equal(np.frombuffer(scores, "<i2"), expected.scores[0])
    assert RESULT.unpack(result) == (
        expected.exponents[0],
        expected.classes[0],
        expected.cycles[0],
    )
    status = host.status()
    assert (status.samples, status.busy_cycles) == (1, expected.cycles[0])


def test_parts_of_a_sample(host):
    host.load()
    levels = random_levels(1)
    whole = host.ask(PacketType.RUN, sample(0, levels[0]))
    assert host.ask(PacketType.FEATURES, sample(0, levels[0, :3])) == (Status.OK, b"")
    assert host.ask(PacketType.FEATURES, sample(3, levels[0, 3:4])) == (Status.OK, b"")
    assert host.ask(PacketType.RUN, sample(4, levels[0, 4:])) == whole
    # Offset 0 starts anew.
    assert host.ask(PacketType.FEATURES, sample(0, [1, 2, 3])) == (Status.OK, b"")
    assert host.ask(PacketType.RUN, sample(0, levels[0])) == whole


@pytest.mark.parametrize("offset", [2, 4, 1024, 0xFFFF])
def test_bad_offset_forgets_the_sample(host, offset):
    host.load()
    host.ask(PacketType.FEATURES, sample(0, [1, 2, 3]))
    assert host.ask(PacketType.FEATURES, sample(offset, [1])) == (Status.BAD_OFFSET, b"")
    assert host.ask(PacketType.RUN, sample(3, [1] * 5)) == (Status.BAD_OFFSET, b"")


def test_hello_forgets_the_sample(host):
    host.load()
    host.ask(PacketType.FEATURES, sample(0, [1, 2, 3]))
    host.ask(PacketType.HELLO)
    assert host.ask(PacketType.RUN, sample(3, [1] * 5)) == (Status.BAD_OFFSET, b"")


def test_more_features_than_the_device_holds(host):
    for first in range(0, SIZE.features, 128):
        assert host.ask(PacketType.FEATURES, sample(first, [1] * 128))[0] is Status.OK
    payload = sample(SIZE.features, [1])
    assert host.ask(PacketType.FEATURES, payload) == (Status.BAD_OFFSET, b"")


@pytest.mark.parametrize("count", [1, 7, 9])
def test_bad_feature_count_forgets_the_sample(host, count):
    host.load()
    payload = sample(0, [1] * count)
    assert host.ask(PacketType.RUN, payload) == (Status.BAD_FEATURE_COUNT, b"")
    assert host.ask(PacketType.RUN, sample(count, [1])) == (Status.BAD_OFFSET, b"")


def test_program_overrun(host):
    host.ask(PacketType.ACTIVATE, ACTIVATE.pack(8, 0))  # of a memory full of zeros
    assert host.ask(PacketType.RUN, sample(0, [0] * 8)) == (Status.PROGRAM_OVERRUN, b"")
    assert host.status().samples == 0


def test_features_and_rejects_overtake_results(host):
    host.load()
    levels = random_levels(2)
    repeated = host.packet(PacketType.RUN, sample(0, levels[0]))
    replies = host.send(
        repeated,
        host.packet(PacketType.FEATURES, sample(0, levels[1, :5])),
        repeated,
        host.packet(PacketType.RUN, sample(5, levels[1, 5:])),
        host.packet(PacketType.STATUS),
    )
    kinds = [PacketType.FEATURES | REPLY, REJECT, *[PacketType.RUN | REPLY] * 2]
    assert [reply.type for reply in replies] == [*kinds, PacketType.STATUS | REPLY]
    assert DeviceStatus.unpack(replies[-1].payload[1:]).samples == 2


def test_nothing_is_taken_before_hello():
    device = GoldenDevice(ROW)
    payload = pack_memory(MemorySpace.TABLE, 0) + b"abc"
    refused = Packet(REJECT, 0, bytes([RejectReason.NO_SESSION]))
    for number in range(256):
        packet = Packet(PacketType.WRITE, number, payload)
        assert device.respond(packet.frame()) == refused.frame()
    assert not any(device.memories[MemorySpace.TABLE])
    damaged = FrameSplitter().feed(device.respond(b"\x05abc\0"))
    assert damaged == [Packet(REJECT, 0, bytes([RejectReason.DAMAGED]))]
    status = Host(device).status()
    assert (status.damaged, status.out_of_sequence, status.overflows) == (1, 0, 0)


def test_restart_forgets_everything(host):
    host.load()
    host.device.restart()
    (reply,) = host.send(host.packet(PacketType.STATUS))
    assert reply == Packet(REJECT, 0, bytes([RejectReason.NO_SESSION]))
    host.greet()
    status = host.status()
    assert status == DeviceStatus(False, 0, 0, 0, 0, 0, 0)
    assert host.read(MemorySpace.PROGRAM, 0, 8) == (Status.OK, bytes(8))
