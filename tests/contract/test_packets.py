"""Frames survive any cut of the stream, and nothing damaged passes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorspin.contract.wire import frames
from tensorspin.contract.wire.frames import MAX_PAYLOAD, FrameSplitter, Packet

packets = st.builds(
    Packet, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=MAX_PAYLOAD)
)


@given(st.binary(min_size=1, max_size=frames.MAX_BODY))
def test_cobs_round_trip(body):
    frame = frames.encode(body)
    assert len(frame) == len(body) + frames.COBS_OVERHEAD
    assert frame.index(frames.DELIMITER) == len(frame) - 1
    assert frames.decode(frame[:-1]) == body


@pytest.mark.parametrize("length", [0, frames.MAX_BODY + 1])
def test_cobs_refuses_lengths(length):
    with pytest.raises(ValueError, match=f"1 to {frames.MAX_BODY} bytes, not {length}"):
        frames.encode(bytes(length))


@pytest.mark.parametrize("frame", [b"", b"\x05ab", b"\xff" + b"a" * 254, b"\x01"])
def test_cobs_refuses_damage(frame):
    decoded = frames.decode(frame)
    assert decoded is None or frame == b"\x01"


@given(st.lists(packets, max_size=6), st.randoms(use_true_random=False))
def test_splitter_takes_any_cut(sent, random):
    stream = b"".join(packet.frame() for packet in sent)
    splitter = FrameSplitter()
    received = []
    while stream:
        cut = random.randint(1, len(stream))
        received += splitter.feed(stream[:cut])
        stream = stream[cut:]
    assert received == sent
    assert splitter.damaged == 0


@given(packets, packets, st.data())
def test_a_damaged_byte_costs_that_packet_only(first, second, data):
    frame = bytearray(first.frame())
    position = data.draw(st.integers(0, len(frame) - 2))
    frame[position] ^= data.draw(st.integers(1, 255))
    splitter = FrameSplitter()
    # The first delimiter ends whatever the damage has left open.
    received = splitter.feed(bytes(frame) + bytes([frames.DELIMITER]) + second.frame())
    assert received == [second]
    assert splitter.damaged >= 1


@settings(suppress_health_check=[HealthCheck.large_base_example])  # long garbage is the point
@given(st.binary(min_size=2000, max_size=3000), packets)
def test_garbage_does_not_pile_up(garbage, packet):
    splitter = FrameSplitter()
    splitter.feed(garbage.replace(b"\0", b"x"))
    assert splitter.feed(bytes([frames.DELIMITER]) + packet.frame()) == [packet]


def test_long_payload_is_refused():
    with pytest.raises(ValueError, match=f"at most {MAX_PAYLOAD} bytes, not {MAX_PAYLOAD + 1}"):
        Packet(1, 1, bytes(MAX_PAYLOAD + 1)).frame()
