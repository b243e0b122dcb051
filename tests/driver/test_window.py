"""Numbers, packets under way, and their sizes."""

from collections import deque

import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.frames import Packet
from tensorspin.contract.wire.packets import REJECT, REPLY, PacketType, RejectReason
from tensorspin.driver.link.requests import MAX_DATA, Read, RunSample, Write
from tensorspin.driver.link.window import PendingRequest, Window


def open_window(first=0, receive_bytes=1024):
    window = Window()
    window.pace.adopt(receive_bytes)
    window.start_after((first - 1) % 256)
    return window


def fill(window, request=None, most=1000):
    """Number a request up to `most` times; how often there was room."""
    source = iter([request or Read(MemorySpace.TABLE, 0, 8)] * most)
    waiting = deque()
    window.fill(waiting, source)
    return most - len(waiting) - len(list(source))


def send(window):
    packets = window.take_to_send()
    for packet in packets:
        packet.tries += 1
    return packets


def reject(number, reason=RejectReason.SEQUENCE):
    return Packet(REJECT, number, bytes([reason]))


@pytest.mark.parametrize("first", [0, 100, 250])
def test_numbers_follow_each_other(first):
    window = open_window(first)
    fill(window, most=10)
    numbers = [packet.packet.sequence for packet in send(window)]
    assert numbers == [(first + k) % 256 for k in range(10)]
    assert window.next_number == (first + 10) % 256


def test_no_more_than_a_quarter_of_the_numbers():
    window = open_window(receive_bytes=1 << 20)
    assert fill(window) == 64
    assert (window.distant_number - window.next_number) % 256 == 64


def test_a_request_of_many_packets_is_alone_if_need_be():
    window = open_window(receive_bytes=1 << 20)
    window.pace.data_limit = 16
    assert fill(window, RunSample(0, bytes(16 * 100), 1, 0.0), most=2) == 1
    assert len(window) == 100


def test_what_has_no_room_stays_with_the_caller():
    window = open_window(receive_bytes=256)
    window.pace.data_limit = 32
    waiting = deque([PendingRequest(Write(MemorySpace.TABLE, 0, bytes(range(250))), tries=3)])
    source = iter([Read(MemorySpace.TABLE, 0, 8)])
    window.fill(waiting, source)
    assert [packet.pending.tries for packet in window] == [3] * 6, "a piece was tried as often"
    assert [(pending.request.address, pending.tries) for pending in waiting] == [(192, 3), (224, 3)]
    assert next(source, None) is not None, "not taken before there is room"


def test_replies_find_their_packets():
    window = open_window(250)
    fill(window, most=10)
    assert window.find(Packet(PacketType.READ | REPLY, 250)) is None, "not sent yet"
    send(window)
    assert window.find(Packet(PacketType.READ | REPLY, 250)) == 0
    assert window.find(Packet(PacketType.READ | REPLY, 3)) == 9
    assert window.find(Packet(PacketType.READ | REPLY, 4)) is None
    assert window.find(Packet(PacketType.READ | REPLY, 249)) is None
    assert window.find(Packet(PacketType.WRITE | REPLY, 250)) is None


@pytest.mark.parametrize(("expected", "taken"), [(7, 0), (10, 3), (12, 5), (13, None), (6, None)])
def test_rejects_tell_what_was_taken(expected, taken):
    window = open_window(7)
    fill(window, most=5)
    window.take_reject(reject(expected))
    assert window.taken == taken


@pytest.mark.parametrize("number", [0, 7, 9])
def test_without_session_no_number_means_anything(number):
    window = open_window(7)
    fill(window, most=5)
    window.take_reject(reject(number, RejectReason.NO_SESSION))
    assert window.taken is None
    window.start_after(80)
    assert (len(window), window.taken, window.next_number) == (0, 0, 81)


def test_a_reject_may_be_newer_than_a_reply():
    window = open_window()
    fill(window, most=5)
    window.take_reject(reject(3))
    window.drop(1)
    assert window.taken == 2
    window.drop(3)
    assert window.taken == 0


def test_a_sample_is_dropped_with_its_last_packet():
    window = open_window()
    window.pace.data_limit = 16
    fill(window, RunSample(0, bytes(40), 1, 0.5, most_seconds=0.75), most=2)
    assert len(window) == 6
    assert window.longest_fault == 0.75
    assert window.drop(2) == []
    (pending,) = window.drop(1)
    assert str(pending.request) == "RUN of sample 0"
    assert (window.seconds, window.longest_silence) == (0.5, 0.5)


def test_packets_are_sent_as_far_as_the_device_can_hold_them():
    window = open_window()
    fill(window, Write(MemorySpace.TABLE, 0, bytes(200)))
    assert len(window) == 5
    assert len(send(window)) == 4
    assert send(window) == []
    window.drop(1)
    assert len(send(window)) == 1
    window.send_again()
    assert len(send(window)) == 4


def test_packets_much_too_large_need_new_numbers():
    window = open_window()
    fill(window, Write(MemorySpace.TABLE, 0, bytes(200)), most=1)
    for halvings in range(3):
        assert window.oversized == (halvings == 2)
        send(window)
        window.send_again()
        window.pace.shrink()


def test_pace_halves_and_doubles_within_bounds():
    pace = open_window().pace
    for _ in range(20):
        pace.shrink()
    assert (pace.data_limit, pace.bodies) == (16, 256)
    for _ in range(7):
        pace.count_reply()
    pace.count_damage()
    for _ in range(7):
        pace.count_reply()
    assert (pace.data_limit, pace.bodies) == (16, 256)
    pace.count_reply()
    assert (pace.data_limit, pace.bodies) == (32, 512)
    for _ in range(100):
        pace.count_reply()
    assert (pace.data_limit, pace.bodies) == (MAX_DATA, 1024)
