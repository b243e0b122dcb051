"""Devices that lie: what they say of themselves, or reply, is impossible or contradicts itself."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.contract.annealer.image import RESULT_HEADER, AnnealerSpace
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.wire.frames import FrameSplitter, Packet
from tensorspin.contract.wire.packets import (
    REJECT,
    REPLY,
    PacketType,
    RejectReason,
    Status,
    unpack_memory,
)
from tensorspin.driver.board import Board
from tensorspin.errors import LinkError, TensorspinError
from tensorspin.golden.device import Answer, GoldenDevice

from ..support.anneals import BOTH, SIZE, cooling, random_ising
from ..support.doubles import assert_answers, golden_board, golden_transport
from ..support.loaded_programs import chain_program, golden_answers, random_levels

ROW = BOTH
PROGRAM = chain_program()
LEVELS = random_levels(3)
LARGE = chain_program(300, bond=2)
JOB = AnnealJob(random_ising(0, 5), cooling(2))


class LyingDevice(GoldenDevice):
    """Replies what `lie` makes of each right reply: another packet, or none."""

    def __init__(self, lie, row=ROW):
        super().__init__(row)
        self.lie = lie
        self.request = None

    def _execute(self, answers, received, request):
        self.request = request
        super()._execute(answers, received, request)

    def feed(self, data):
        told = []
        for answer in super().feed(data):
            (packet,) = FrameSplitter().feed(answer.frame)
            lie = self.lie(packet, self.request)
            if lie is not None:
                told.append(Answer(answer.received, answer.cycles, lie.frame()))
        return told


def replying(kind, change, row=ROW):
    """A device that changes what follows the status in its replies to one kind of request."""

    def lie(packet, request):
        if packet.type != kind | REPLY or packet.payload[:1] != b"\0":
            return packet
        return dataclasses.replace(packet, payload=b"\0" + change(packet.payload[1:], request))

    return LyingDevice(lie, row)


def use(board):
    """Everything that a board can be asked."""
    board.status()
    board.load(PROGRAM, verify=True, force=True)
    board.run(LEVELS)
    board.anneal_job(JOB)
    board.link_test(0.01)


# What a device says of itself


def described(**changes):
    """The description of a board with other numbers; those of engines by name of the engine."""
    row = ROW.description(b"lying".ljust(8, b"\0"))
    packed = bytearray(row.pack())
    first = struct.calcsize("<H24sIIH8s")
    places = {"clock": (26, "<I"), "baud": (30, "<I"), "receive": (34, "<H"), "name": (2, "<24s")}
    for name, value in changes.items():
        if name in places:
            place, code = places[name]
        else:
            engine, field = name.split("_", 1)
            names = [item.name for item in dataclasses.fields(ROW.require_contractor())]
            place, code = first + 2, "<I"
            if engine == "annealer":
                place += packed[first + 1] + 2  # behind the contractor's record
                names = [item.name for item in dataclasses.fields(SIZE)]
            place += 4 * names.index(field)
        struct.pack_into(code, packed, place, value)
    return bytes(packed)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"contractor_lanes": 0}, "lanes must be 1 to 256, not 0"),
        ({"contractor_lanes": 7}, "lanes must be at least 8, not 7"),
        ({"contractor_lanes": 2**32 - 1}, "lanes must be 1 to 256, not 4294967295"),
        ({"contractor_program_words": 0}, "program_words must be a power of two from 1 to"),
        ({"contractor_program_words": 2**31}, "program_words must be a power of two from 1 to"),
        ({"contractor_features": 0}, "features must be a power of two from 1 to 1024, not 0"),
        ({"contractor_features": 1000}, "features must be a power of two from 1 to 1024, not 1000"),
        ({"contractor_components": 0}, "components must be a power of two from 1 to 64, not 0"),
        ({"contractor_slots": 2**20}, "slots must be a power of two from 1 to 2048"),
        ({"contractor_slot_entries": 0}, "slot_entries must be a power of two from 1 to 64"),
        ({"contractor_groups": 0}, "groups must be 1 to 256, not 0"),
        ({"annealer_spins": 0}, "spins must be 2 to 16384, not 0"),
        ({"annealer_spins": 16384}, r"memory space \d+ would have 2\*\*\d+ bytes"),
        ({"annealer_replicas": 0}, "replicas must be"),
        ({"clock": 0}, "clock must be 10000 to 2000000000, not 0"),
        ({"baud": 0}, "baud rate must be 300 to 100000000, not 0"),
        ({"receive": 0}, "receive buffer must be 253 to 65536, not 0"),
        ({"name": b"\x1b[2Jboard"}, r"name '\\x1b\[2Jboard' must be printable"),
        ({"name": b"a\0b"}, r"name 'a\\x00b' must be printable"),
        ({"name": b"\xff"}, "ascii"),
    ],
    ids=str,
)
def test_an_impossible_description_is_refused_by_name_and_limit(changes, told):
    device = replying(PacketType.HELLO, lambda payload, request: described(**changes))
    with pytest.raises(LinkError, match=f"describes itself in a way .*{told}"):
        golden_board(device, ROW)


def test_an_engine_that_is_described_twice_is_refused():
    packed = ROW.description(bytes(8)).pack()
    first = struct.calcsize("<H24sIIH8s")
    twice = packed + packed[first : first + 2 + packed[first + 1]]
    with pytest.raises(ValueError, match="there are two contractors"):
        DeviceDescription.unpack(twice)


def test_every_length_of_a_description_is_read_or_refused():
    packed = described()
    read = {}
    for length in range(len(packed) + 1):
        try:
            read[length] = len(DeviceDescription.unpack(packed[:length]).engines)
        except ValueError as error:
            assert str(error)
    assert list(read.values()) == [0, 1, 2]  # where a record ends, there may be no other engine


def test_another_description_with_the_same_build_is_refused():
    hellos = []

    def change(payload, request):
        hellos.append(request)
        return described(**({"contractor_groups": 5} if len(hellos) > 1 else {}))

    board = golden_board(replying(PacketType.HELLO, change), ROW)
    board._session._state = type(board._session._state).UNGREETED
    with pytest.raises(LinkError, match="describes itself otherwise than before"):
        board.status()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_device_says_of_itself_it_is_used_or_refused(data):
    packed = bytearray(described())
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.sampled_from([0, 1, 2, 7, 255, 2**16, 2**31, 2**32 - 1]))
        place = data.draw(st.integers(0, len(packed) - 4))
        packed[place : place + 4] = number.to_bytes(4, "little")
    board = None
    try:
        board = golden_board(replying(PacketType.HELLO, lambda *_: bytes(packed)), ROW)
        use(board)
    except TensorspinError as error:
        assert str(error)
    except ValueError as error:  # the problem does not fit the size that the device claims
        assert board is not None and "must be" in str(error)


# Replies


@pytest.mark.parametrize("kind", [PacketType.READ, PacketType.RUN, PacketType.STATUS])
@pytest.mark.parametrize(
    "change",
    [lambda payload: payload[:-1], lambda payload: payload + b"\0", lambda payload: b""],
    ids=["short", "long", "empty"],
)
def test_replies_of_another_length_are_refused(kind, change):
    board = golden_board(replying(kind, lambda payload, request: change(payload)), ROW)
    with pytest.raises(LinkError, match=r"\d+ bytes(, not| instead of) \d+"):
        use(board)


def test_results_of_an_anneal_that_are_short_are_refused():
    def change(payload, request):
        space, _ = unpack_memory(request.payload)
        return payload[:-3] if space == AnnealerSpace.RESULTS else payload

    board = golden_board(replying(PacketType.READ, change), ROW)
    with pytest.raises(LinkError, match=r"replied to READ RESULTS .* bytes instead of"):
        board.anneal_job(JOB)


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (12, 255, "impossible ranks"),
        (8, 0, "impossible 0 cycles"),
        (11, 255, "impossible [0-9]+ c"),
    ],
)
def test_results_of_an_anneal_that_are_impossible_are_refused(place, value, told):
    def change(payload, request):
        space, address = unpack_memory(request.payload)
        if space != AnnealerSpace.RESULTS or len(payload) < RESULT_HEADER.size:
            return payload
        changed = bytearray(payload)
        if place == 8:
            changed[8:12] = bytes(4)
        else:
            changed[place] = value
        return bytes(changed)

    board = golden_board(replying(PacketType.READ, change), ROW)
    with pytest.raises(LinkError, match=told):
        board.anneal_job(JOB)


def test_a_class_that_is_not_that_of_the_greatest_score_is_refused():
    def change(payload, request):
        return payload[:-6] + struct.pack("<H", 999) + payload[-4:]

    board = golden_board(replying(PacketType.RUN, change), ROW)
    board.load(PROGRAM)
    with pytest.raises(LinkError, match="says that score 999 of sample 0 is the greatest"):
        board.run(LEVELS)


def test_a_run_that_is_never_over_is_given_up():
    def change(payload, request):
        return payload[:-2] + b"\1\1"  # annealing, and its memories are cleared

    device = replying(PacketType.STATUS, change)
    transport = golden_transport(device, ROW)
    board = Board.over(transport)
    with pytest.raises(TensorspinError, match="has annealed for .* longer than the schedule"):
        board.anneal_job(JOB)
    assert transport.now() < 20


@pytest.mark.parametrize("reason", [RejectReason.DAMAGED, RejectReason.NO_SESSION])
@pytest.mark.parametrize("ahead", [None, 0, 1, 100])
@pytest.mark.parametrize("kind", [PacketType.READ, PacketType.RUN, PacketType.FEATURES])
def test_requests_that_are_rejected_for_ever_are_given_up(reason, ahead, kind):
    def lie(packet, request):
        if packet.type != kind | REPLY:
            return packet
        number = 0 if ahead is None else (packet.sequence + ahead) % 256
        return Packet(REJECT, number, bytes([reason]))

    device = LyingDevice(lie, dataclasses.replace(ROW, receive_bytes=256))
    transport = golden_transport(device, ROW)
    board = Board.over(transport)
    levels = np.zeros((1, LARGE.n_features), dtype=np.uint8)
    try:
        board.load(LARGE, verify=True)
        found = board.run(levels)
    except TensorspinError:
        pass
    else:
        # A REJECT that expects the packet after a part of a sample tells that the part was taken.
        assert kind is PacketType.FEATURES
        assert_answers(found, golden_answers(LARGE, levels))
    assert transport.now() < 200


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_whatever_a_device_replies_it_is_used_or_refused(data):
    kinds = sorted(set(PacketType) - {PacketType.HELLO})
    kind = data.draw(st.sampled_from(kinds))
    keep = data.draw(st.integers(0, 30))
    tail = data.draw(st.binary(max_size=40))
    status = data.draw(st.sampled_from([None, *Status, 99]))
    skip = data.draw(st.integers(0, 4))
    seen = []

    def lie(packet, request):
        if packet.type != kind | REPLY:
            return packet
        seen.append(packet)
        if len(seen) <= skip:
            return packet
        payload = packet.payload[:keep] + tail
        if status is not None:
            payload = bytes([status]) + payload[1:]
        return dataclasses.replace(packet, payload=payload[:200])

    transport = golden_transport(LyingDevice(lie), ROW)
    try:
        use(Board.over(transport))
    except TensorspinError as error:
        assert str(error)
    assert transport.now() < 60
