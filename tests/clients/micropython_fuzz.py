"""Calls the driver in any order, on a line that answers whatever random numbers say.

It runs on MicroPython and on CPython: ``micropython micropython_fuzz.py SEED COUNT FILE``, where
FILE has what a device with both engines says of itself. Answers have right frames, as
random bytes would hardly ever get past the CRC. Each call must end, soon by the line's clock, with
a result or a `TensorspinError`.
"""

import struct
import sys
from binascii import crc32

import tensorspin_protocol as protocol
from tensorspin_annealer import schedule
from tensorspin_line import TensorspinError
from tensorspin_spi import Tensorspin

MOST_US = 30_000_000


class Numbers:
    """Random numbers that both interpreters have."""

    def __init__(self, seed):
        self.state = seed * 2654435761 + 1 & 0xFFFFFFFF

    def below(self, bound):
        self.state = self.state * 1664525 + 1013904223 & 0xFFFFFFFF
        return (self.state >> 8) % bound

    def bytes(self, count):
        few = (1, 4, 256)[
            self.below(3)
        ]  # of few different values, replies are often the wanted ones
        return bytes([self.below(few) for _ in range(count)])


class Line:
    """SPI, CS#, interrupt and clock."""

    def __init__(self, numbers, description):
        self.numbers, self.description = numbers, description
        self.queue = bytearray()
        self.kind = self.sequence = self.us = 0
        self.outputs = 1  # scores of the model that was made last

    def cs(self, level):
        self.us += 1

    def irq(self):
        self.us += 20
        return bool(self.queue) or self.numbers.below(8) == 0

    def ticks(self):
        self.us += 20
        return self.us

    def write_readinto(self, data, into):
        self.us += len(data)
        sent = bytes(data)
        into[:] = bytes(self.queue[: len(sent)]) + bytes(max(0, len(sent) - len(self.queue)))
        self.queue = self.queue[len(sent) :]
        if any(sent[:3]):
            self.kind = sent[1]
            self.sequence = sent[2] if sent[0] > 2 else 0
            for _ in range(1 + self.numbers.below(3)):
                self.answer()

    def frame(self, kind, sequence, payload):
        body = struct.pack("<BBB", kind & 255, sequence & 255, len(payload)) + payload
        body += struct.pack("<I", crc32(body) & 0xFFFFFFFF)
        for block in body.split(b"\0"):
            self.queue += bytes([min(len(block) + 1, 255)]) + block
        self.queue += b"\0"

    def answer(self):
        numbers, reply = self.numbers, self.kind | protocol.REPLY
        greeted = self.kind == protocol.HELLO and numbers.below(4)
        case = 3 if greeted else numbers.below(10)
        if case == 0:
            self.frame(reply, self.sequence, bytes(1) + numbers.bytes(numbers.below(240)))
        elif case in (1, 2):
            self.frame(reply, self.sequence, bytes([0, 1]) + bytes(protocol.STATUS_BYTES - 1))
        elif case in (3, 4):
            told = bytearray(b"\0" + self.description)
            for _ in range(max(0, numbers.below(8) - 4)):
                told[numbers.below(len(told))] = numbers.below(256)
            cut = numbers.below(len(told)) if numbers.below(8) == 0 else 0
            self.frame(reply, self.sequence, bytes(told[: len(told) - cut]))
        elif case == 5:
            self.frame(protocol.REJECT, numbers.below(256), numbers.bytes(1))
        elif case == 6:
            self.frame(
                0x87, self.sequence - numbers.below(4), numbers.bytes(1 + numbers.below(200))
            )
        elif case == 7:
            self.frame(reply, self.sequence, bytes(1))
        elif case == 8:  # an answer that a model may take for right
            told = numbers.bytes(2 * self.outputs + 2) + struct.pack("<HI", 0, CYCLES)
            self.frame(0x87, self.sequence - numbers.below(2), bytes(1) + told)
        else:
            self.queue += numbers.bytes(numbers.below(40))


CYCLES = 1000


class Model:
    """A small model, with what the driver asks of one."""

    def __init__(self, numbers):
        self.lanes = (8, 4)[numbers.below(2)]
        self.cycles, self.digest = CYCLES, 0
        self.features = (2, 300)[numbers.below(2)]
        self.outputs = 1 + numbers.below(64)

    def cycles_on(self, board, mode="throughput"):
        return (CYCLES, CYCLES, None)[self.features % 3] if mode == "single" else self.cycles

    def features_on(self, board):
        return self.features

    def passes(self, board):
        return board.run(bytes(self.features)).best == 0

    def pieces(self, name, size):
        yield bytes(range(16))


def anneal(board):
    steps = schedule([4.0, 1.0], 3, board)
    return board.anneal({(0, 1): 1, (1, 2): -1}, [0, 1, 0], steps, seed=1)


CALLS = (
    lambda board, model: board.open(),
    lambda board, model: board.status(),
    lambda board, model: board.load(model),
    lambda board, model: board.load(model, self_test=True, every=2),
    lambda board, model: board.run(bytes(model.features)),
    lambda board, model: board.start(bytes(model.features)),
    lambda board, model: board.start(bytes(model.features), "throughput"),
    lambda board, model: board.finish(),
    lambda board, model: board.finish(wait=False),
    lambda board, model: anneal(board),
)


def scenario(seed, description):
    """Make a board, and call what it has; return how often it said something else than an error."""
    numbers = Numbers(seed)
    line = Line(numbers, description)
    irq = line.irq if numbers.below(3) else None
    board, good = None, 0
    for _ in range(12):
        model = Model(numbers)
        line.outputs = model.outputs
        began = line.us
        try:
            if board is None:
                board = Tensorspin(line, line.cs, irq, line.ticks)
            else:
                CALLS[numbers.below(len(CALLS))](board, model)
            good += 1
        except TensorspinError:
            pass
        if line.us - began > MOST_US:
            raise RuntimeError(f"a call took {line.us - began} us")
    return good


def main(first, count, description):
    good = 0
    for seed in range(first, first + count):
        try:
            good += scenario(seed, description)
        except Exception:
            print("seed", seed)
            raise
    print(good)


if __name__ == "__main__":
    with open(sys.argv[3], "rb") as file:
        description = file.read()
    main(int(sys.argv[1]), int(sys.argv[2]), description)
