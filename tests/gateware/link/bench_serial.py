"""The link behind its UART, bit by bit, when device and host do not begin together."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge

from tensorspin.contract.wire.frames import CRC, SEQUENCE_MODULUS, FrameSplitter, Packet
from tensorspin.contract.wire.packets import PacketType

from .agents import PERIOD_NS, Bench, Sink, Source, packet_items, split_packets
from .serial_line import Line, reset


class Serial:
    """The link behind its UART: a line on one side, requests and replies on the other."""

    def __init__(self, dut, deviation: float = 0.0) -> None:
        self.rng = random.Random(1)
        self.dut = dut
        self.line = Line(dut, deviation)
        self.requests = Sink(dut, "requests", self.rng)
        self.replies = Source(dut, "replies", self.rng)
        self.bench = Bench(dut, self.requests, self.replies)

    async def begin(self) -> None:
        await self.bench.reset()

        async def run():
            while True:
                await self.bench.step()

        self.running = cocotb.start_soon(run())

    async def send(self, *packets: Packet) -> None:
        for packet in packets:
            await self.line.send(packet.frame())
        # Until the last byte has come through.
        await self.line.hold(1, 10)

    def accepted(self) -> list[bytes]:
        """Return the packets that were accepted since the last call."""
        packets = split_packets(self.requests.items)
        self.requests.items.clear()
        return packets

    def random_packet(self, sequence: int) -> Packet:
        kind = self.rng.choice([PacketType.STATUS, PacketType.WRITE, PacketType.RUN])
        return Packet(kind, sequence, self.rng.randbytes(self.rng.randrange(12)))

    async def check_session(self) -> None:
        """Begin a session as a host does; check that HELLO and the next packet are accepted."""
        assert self.accepted() == []
        first = self.rng.randrange(SEQUENCE_MODULUS)
        packets = [
            Packet(PacketType.HELLO, first),
            self.random_packet((first + 1) % SEQUENCE_MODULUS),
        ]
        await self.line.send(b"\0")
        await self.send(*packets)
        assert self.accepted() == [packet.body()[: -CRC.size] for packet in packets]


@cocotb.test()
async def host_begins_before_the_device(dut):
    """A device in reset, as before its PLL has locked, misses the first part of what is sent."""
    for deviation in (-0.02, 0, 0.02):
        serial = Serial(dut, deviation)
        await serial.begin()
        for _ in range(5):
            packets = [serial.random_packet(number) for number in range(3)]
            sending = cocotb.start_soon(serial.send(*packets))
            await reset(dut, serial.rng.randrange(20 * 10 * 8))
            await sending
            await serial.check_session()
        serial.running.cancel()


@cocotb.test()
async def reset_in_the_middle_of_a_frame(dut):
    serial = Serial(dut)
    await serial.begin()
    for _ in range(12):
        await serial.check_session()
        packet = Packet(PacketType.HELLO, 3, serial.rng.randbytes(8))
        sending = cocotb.start_soon(serial.send(packet))
        # Before the frame's end, so that it cannot have been accepted.
        await serial.line.bits_later(serial.rng.uniform(0, 10 * len(packet.frame()) - 10))
        await reset(dut)
        await sending
        # Nor is anything without a new session.
        await serial.send(serial.random_packet(0))
    await serial.check_session()
    serial.running.cancel()


@cocotb.test()
async def replies_after_a_reset_are_whole(dut):
    serial = Serial(dut)
    await serial.begin()
    divisor = round(serial.line.bit_ns / PERIOD_NS)
    for _ in range(6):
        lost = Packet(1, 2, serial.rng.randbytes(9)).body()[: -CRC.size]
        serial.replies.queue.extend(packet_items(lost))
        await serial.line.bits_later(serial.rng.uniform(4, 100))
        await reset(dut)
        serial.replies.queue.clear()
        reply = Packet(5, 6, serial.rng.randbytes(5))
        serial.replies.queue.extend(packet_items(reply.body()[: -CRC.size]))
        received = bytearray()
        for _ in range(len(reply.frame())):
            while dut.tx_line.value == 1:
                await FallingEdge(dut.clk)
            value = 0
            for bit in range(10):
                for _ in range(divisor // 2 if bit == 0 else divisor):
                    await FallingEdge(dut.clk)
                value |= int(dut.tx_line.value) << bit
            received.append(value >> 1 & 0xFF)
        assert FrameSplitter().feed(bytes(received)) == [reply]
    serial.running.cancel()
