"""Tensorspin as a co-processor over SPI: the driver for MicroPython, which runs on CPython, too.

::

    from machine import SPI, Pin
    from tensorspin_model import Model
    from tensorspin_spi import Tensorspin

    spi = SPI(0, baudrate=20_000_000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
    board = Tensorspin(spi, cs=Pin(17, Pin.OUT, value=1), irq=Pin(20, Pin.IN))
    model = Model("model.tspn")           # tensorspin export digits.npz --format micropython
    board.load(model)
    answer = board.run(model.levels(readings))
    print(model.label(answer), answer.cycles)

A line that damages or loses frames delays answers: each request is asked again, after a greeting.
Whatever fails ends with a `TensorspinError` in bounded time, and the board can be used again
afterwards.
"""

import struct

import tensorspin_protocol as protocol
from tensorspin_line import (
    MARGIN_US,
    MAX_DATA,
    TRIES,
    Answer,
    Line,
    Status,
    TensorspinError,
    ticks_diff,
)

DEPTH = 2
"""Samples that may be under way: one travels while the board computes the other."""


class _Sample:
    """A sample under way; `sequence` is the number of the packet whose reply is the answer."""

    def __init__(self, levels):
        self.levels = levels
        self.sequence = -1
        self.answer = None


class Tensorspin(Line):
    """A board at an SPI bus in mode 0.

    Parameters
    ----------
    spi : machine.SPI
        The bus, in mode 0 (polarity 0, phase 0), highest bit first; other devices
        may be at it, too.
    cs : machine.Pin
        CS# of the board, an output: called with 0 or 1.
    irq : machine.Pin, optional
        The board's interrupt, an input: called without arguments. Without it the driver clocks
        zeros until an answer has come.
    ticks : callable, optional
        Clock in microseconds, by default that of the module `time`.

    Attributes
    ----------
    board : str
        The board's name in Tensorspin's table.
    clock_hz : int
        Frequency of its clock in Hz.
    receive_bytes : int
        Bytes of requests that it can hold.
    contractor, annealer : tuple of int
        Sizes of its engines, as they describe themselves; empty if it lacks one.
    faults : int
        How often something was lost or damaged on the line.
    greetings : int
        How often the board was greeted.

    Raises
    ------
    TensorspinError
        If no board answers, or one of another version of the protocol.
    """

    def __init__(self, spi, cs, irq=None, ticks=None):
        super().__init__(spi, cs, irq, ticks)
        self._model = None
        self._sample_us = self._moved = 0
        self._drop()
        self._greet(0)

    def open(self):
        """Greet the board anew: it forgets samples under way and stops a run of the annealer.

        Raises
        ------
        TensorspinError
            If no board answers, or one of another version of the protocol.
        """
        busy = self._sample_us * len(self._samples)
        self._drop()
        self._greet(busy)

    def status(self):
        """Ask for the board's counters.

        Returns
        -------
        Status
            The counters.

        Raises
        ------
        TensorspinError
            If the board does not answer, or samples are under way.
        """
        return Status(self.ask(protocol.STATUS, b"", protocol.STATUS_BYTES))

    # Models

    def load(self, model, force=False):
        """Put a model on the board, unless the board holds it already.

        Parameters
        ----------
        model : tensorspin_model.Model
            The model; it is read in pieces.
        force : bool
            Whether to send it in any case.

        Raises
        ------
        TensorspinError
            If the model is for other boards, or the board does not answer or refuses it. Then the
            board holds no model, or the one that it had.
        """
        lanes = self.contractor[protocol.CONTRACTOR_LANES] if self.contractor else 0
        if model.lanes != lanes:
            raise TensorspinError(
                "the model is for a board with %d lanes, %s has %d; export it for this board"
                % (model.lanes, self.board, lanes)
            )
        self._must_be_free()
        self._model = None
        if force or not self._holds(model):
            self._put(model)
        self._model = model
        self._sample_us = model.cycles * 1_000_000 // self.clock_hz + 1

    def _holds(self, model):
        status = self.status()
        return status.active and status.digest == model.digest

    def _put(self, model):
        """Write a model and make it active, as its last step."""
        for _ in range(TRIES):
            greetings = self.greetings
            whole = self._pass(model, False)
            # A new session may mean that the board was restarted: then look what it holds.
            if whole and (greetings == self.greetings or self._pass(model, True)):
                head = struct.pack("<HI", model.features, model.digest)
                # Asked once: asked again after a restart, it would make nothing a model.
                if self._ask_once(protocol.ACTIVATE, head, 0) is not None:
                    return
                self._recover(0)
                if self._holds(model):
                    return
        raise self._lost()

    def _pass(self, model, verify):
        """Write all of a model, or compare it; return whether the board holds what was written."""
        known = None  # a place that a board which was restarted would have lost
        for space, name in ((protocol.SPACE_PROGRAM, "PROG"), (protocol.SPACE_TABLE, "TABL")):
            at = 0
            for data in model.pieces(name, MAX_DATA):
                greetings = self.greetings
                if not verify:
                    self.write(space, at, data)
                elif self.read(space, at, len(data)) != data:
                    return False
                if known and greetings != self.greetings and self.read(*known[0]) != known[1]:
                    return False
                if data != bytes(len(data)):
                    known = (space, at, len(data)), data
                at += len(data)
        return True

    # Samples

    def run(self, levels):
        """Contract a sample.

        Parameters
        ----------
        levels : bytes
            One level for each feature of the model.

        Returns
        -------
        Answer
            Scores, class and cycles.

        Raises
        ------
        TensorspinError
            If the board does not answer, or has lost the model, or samples are under way.
        """
        self._must_be_free()
        self.start(levels)
        return self.finish()

    def start(self, levels):
        """Send a sample, and return while the board computes.

        Parameters
        ----------
        levels : bytes
            One level for each feature of the model. They must stay as they are until the sample is
            finished.

        Raises
        ------
        TensorspinError
            If `DEPTH` samples are under way, no model is loaded, or the number of levels is wrong.
        """
        if self._model is None:
            raise TensorspinError("no model is loaded; load one first")
        if len(levels) != self._model.features:
            raise TensorspinError(
                "a sample has %d levels, not %d" % (self._model.features, len(levels))
            )
        if len(self._samples) >= DEPTH:
            raise TensorspinError("%d samples are under way; finish one first" % DEPTH)
        self._samples.append(_Sample(levels))
        self._unsent += 1
        try:
            self._send_samples()
        except BaseException:
            self._drop()
            raise

    def finish(self, wait=True):
        """Take the answer to the oldest sample under way.

        Parameters
        ----------
        wait : bool
            Whether to wait for it.

        Returns
        -------
        Answer or None
            The answer; None if it has not come and `wait` is False.

        Raises
        ------
        TensorspinError
            If no sample is under way, or the board is lost or refuses the sample. Then no sample is
            under way any more.
        """
        if not self._samples:
            raise TensorspinError("no sample is under way; start one first")
        try:
            for _ in range(TRIES):
                if self._await_answer(wait):
                    if self._samples[0].answer is None:
                        return None
                    answer = self._samples.pop(0).answer
                    self._send_samples()
                    return answer
                self._recover(self._computing())
                self._sent = []
                self._unsent = self._waiting()
                self._send_samples()
            raise self._lost()
        except BaseException:
            self._drop()
            raise

    def _await_answer(self, wait):
        """Take packets until the oldest answer has come; return False if something was lost."""
        while self._samples[0].answer is None:
            overdue = ticks_diff(self._ticks(), self._moved) > MARGIN_US + 2 * self._computing()
            if not wait and not overdue and not self._looks_ready():
                return True
            if not self._take_packet():
                return False
        return True

    def _send_samples(self):
        """Send the samples for which the board has room."""
        step = protocol.MAX_PAYLOAD - protocol.OFFSET_BYTES
        overhead = protocol.HEADER_BYTES + protocol.CRC_BYTES + protocol.OFFSET_BYTES
        while self._unsent:
            sample = self._samples[len(self._samples) - self._unsent]
            levels = sample.levels
            starts = range(0, len(levels), step)
            # A sample that is larger than the board's buffer travels alone.
            if self._sent and not self._has_room(len(levels) + overhead * len(starts)):
                return
            self._unsent -= 1
            for first in starts:
                part = bytes(levels[first : first + step])
                while self._sent and not self._has_room(len(part) + overhead):
                    if not self._take_packet():
                        return  # no answer will come, which `finish` finds
                last = first + len(part) == len(levels)
                kind = protocol.RUN if last else protocol.FEATURES
                number = self._send(kind, struct.pack("<H", first) + part)
                self._sent.append((number, len(part) + overhead))
                if last:
                    sample.sequence = number
            self._moved = self._ticks()

    def _has_room(self, size):
        return sum([held for _, held in self._sent]) + size <= self.receive_bytes

    def _waiting(self):
        """How many samples have no answer yet."""
        return len([sample for sample in self._samples if sample.answer is None])

    def _computing(self):
        """Microseconds that the board computes for them."""
        return self._sample_us * self._waiting()

    def _looks_ready(self):
        """Whether bytes wait, as the interrupt tells; without one, look."""
        if self._frames or self._irq is not None and not self._raw:
            return bool(self._frames or self._irq())
        self._transfer(self._zeros)
        return bool(self._frames or self._damaged)

    def _take_packet(self):
        """Take a packet of a sample; return False if something was lost."""
        packet = self._receive(MARGIN_US + 2 * self._computing())
        if packet is None or packet[0] == protocol.REJECT:
            return False
        numbers = [number for number, _ in self._sent]
        if packet[1] not in numbers or not packet[2]:
            return True  # late
        index, status = numbers.index(packet[1]), packet[2][0]
        if packet[0] == protocol.FEATURES | protocol.REPLY:
            self._sent.pop(index)  # it may overtake the reply to an earlier packet
            return status == protocol.STATUS_OK
        sample = [each for each in self._samples if each.answer is None][0]
        if sample.sequence != packet[1] or status == protocol.STATUS_BAD_OFFSET:
            # The reply before this one is lost, or the board was restarted between two parts.
            return False
        self._check(status)
        if len(packet[2]) != 1 + 2 * self._model.outputs + protocol.RESULT_BYTES:
            return False
        answer = Answer(packet[2][1:], self._model.outputs)
        if answer.best >= self._model.outputs:
            return False  # no board of this protocol says so
        self._sent = self._sent[index + 1 :]
        sample.answer = answer
        self._moved = self._ticks()
        return True

    def _must_be_free(self):
        if self._samples:
            raise TensorspinError("samples are under way; finish them first")

    def _drop(self):
        """Forget all samples."""
        self._samples = []
        self._sent = []  # packets under way: number, bytes of the body
        self._unsent = 0  # samples that are not sent, the last ones of _samples

    # Annealer

    def anneal(self, couplings, linear, steps, seed=0, refresh=0):
        """Anneal an Ising problem: `tensorspin_annealer.anneal`, a module of its own.

        Parameters
        ----------
        couplings, linear, steps, seed, refresh
            As for `tensorspin_annealer.anneal`.

        Returns
        -------
        list of (int, bytes)
            As of `tensorspin_annealer.anneal`.
        """
        from tensorspin_annealer import anneal

        return anneal(self, couplings, linear, steps, seed, refresh)
