"""A program for MicroPython and CPython: it does on a board what a test tells, and reports it.

On MicroPython it is the main program: ``micropython micropython_scenario.py PORT``. Orders come and
reports go as lines of JSON over a socket, between which the wires' bytes travel.
"""

import json
import sys

from tensorspin_annealer import schedule
from tensorspin_model import Model
from tensorspin_spi import FaultError, Tensorspin, TensorspinError


class Scenario:
    """Carries out orders on a board behind given wires."""

    def __init__(self, spi, cs, irq, ticks):
        self.pins = spi, cs, irq, ticks
        self.board = self.model = None

    def carry_out(self, order, *arguments):
        """Report the result, or the error with its status."""
        try:
            return {"result": getattr(self, order)(*arguments)}
        except TensorspinError as error:
            fault = isinstance(error, FaultError)
            return {"error": str(error), "status": error.status, "fault": fault}

    def open(self, interrupt=True):
        spi, cs, irq, ticks = self.pins
        self.board = Tensorspin(spi, cs, irq if interrupt else None, ticks)
        return self.board.board

    def greet(self):
        self.board.open()

    def read_model(self, path, keep=16384):
        self.model = None
        self.model = Model(path, keep)
        return [self.model.features, self.model.outputs, self.model.lanes, self.model.digest]

    def load(self, force=False, self_test=False, every=0):
        self.board.load(self.model, force, self_test, every)

    def run(self, samples, mode=None):
        return [self.told(self.board.run(bytes(levels), mode)) for levels in samples]

    def pipeline(self, samples, wait):
        """Have a sample travel while another is computed."""
        found, left = [], [bytes(levels) for levels in samples]
        under_way = 0
        while left or under_way:
            while left and under_way < 2:
                self.board.start(left.pop(0))
                under_way += 1
            answer = self.board.finish(wait)
            if answer is not None:
                found.append(self.told(answer))
                under_way -= 1
        return found

    def start(self, levels):
        self.board.start(bytes(levels))

    def finish(self):
        return self.told(self.board.finish())

    def told(self, answer):
        return [list(answer.scores), answer.exponent, answer.best, answer.cycles]

    def passes(self):
        return self.model.passes(self.board)

    def self_test(self):
        self.board.self_test()

    def names(self):
        return self.model.names()

    def categories(self):
        return [list(each) for each in sorted(self.model.categories().items())]

    @staticmethod
    def reading(told, kind):
        """A reading as JSON has told it, which has no word for NaN and infinities."""
        special = isinstance(told, str) and told in ("nan", "inf", "-inf")
        return float(told) if special or (kind == "f" and isinstance(told, int)) else told

    def levels(self, samples, kind):
        """Levels of each sample, or why there are none."""
        make = self.model.levels if kind == "f" else self.model.levels_int16
        found = []
        for sample in samples:
            try:
                found.append(list(make([self.reading(x, kind) for x in sample])))
            except TensorspinError as error:
                found.append(str(error))
        return found

    def interpret(self, samples):
        """What the model says of each sample's answer."""
        found = []
        for levels in samples:
            answer = self.board.run(bytes(levels))
            if self.model.task == 1:
                found.append(self.model.label(answer))
            elif self.model.task == 2:
                found.append(self.model.number(answer))
            else:
                model = self.model
                found.append(
                    [model.is_outlier(answer), model.log_likelihood(answer), model.decision(answer)]
                )
        return found

    def status(self):
        status = self.board.status()
        return [status.active, status.digest, status.samples, status.annealing, status.cleared]

    def faults(self):
        return self.board.faults

    def anneal(self, couplings, linear, temperatures, sweeps, seed, refresh=0):
        steps = schedule(temperatures, sweeps, self.board)
        pairs = {(i, j): value for i, j, value in couplings}
        return self.board.anneal(pairs, linear, steps, seed, refresh)


class RemoteWires:
    """Wires at the other end of a socket, which tells level and time with each answer."""

    def __init__(self, stream):
        self.stream = stream
        self.time = 0
        self.level = False

    def write_readinto(self, data, into):
        self.stream.write(b"T" + len(data).to_bytes(2, "little") + bytes(data))
        into[:] = self.stream.read(len(data))
        self.learn()

    def cs(self, level):
        pass

    def irq(self):
        if not self.level:
            self.stream.write(b"I")
            self.learn()
        return self.level

    def learn(self):
        told = self.stream.read(9)
        self.level, self.time = bool(told[0]), int.from_bytes(told[1:], "little")

    def ticks(self):
        return self.time


def main():
    import socket

    end = socket.socket()
    end.connect(socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1])
    wires = RemoteWires(end)
    scenario = Scenario(wires, wires.cs, wires.irq, wires.ticks)
    while True:
        length = int.from_bytes(end.read(4), "little")
        if not length:
            return
        order = json.loads(end.read(length))
        report = json.dumps(scenario.carry_out(*order)).encode()
        end.write(b"R" + len(report).to_bytes(4, "little") + report)


if __name__ == "__main__":
    main()
