"""Samples on their way to a Tensorspin board and back; `tensorspin_spi` builds the board on it."""

import struct

import tensorspin_protocol as protocol
from tensorspin_line import MARGIN_US, TRIES, Answer, Line, TensorspinError, ticks_diff

DEPTH = 2
"""Samples that may be under way: one travels while the board computes the other."""

MODES = ("throughput", "single")
"""What the groups of a board do: each has a sample of its own, or all of them work on one."""


class FaultError(TensorspinError):
    """The board does not run what was loaded: load the model again."""


class _Sample:
    """A sample under way; `sequence` is the number of the packet whose reply is the answer."""

    def __init__(self, levels, shared, cycles):
        self.levels = levels
        self.shared = shared
        self.cycles = cycles  # that it must take; None if they are not known
        self.doubted = False  # an answer could not be right
        self.sequence = -1
        self.answer = None


class Samples(Line):
    """A board that holds a model and computes samples.

    Parameters
    ----------
    spi, cs, irq, ticks
        As for `tensorspin_spi.Tensorspin`.
    """

    def __init__(self, spi, cs, irq, ticks):
        super().__init__(spi, cs, irq, ticks)
        self._model = None
        self._cycles = [None] * len(MODES)
        self._every = self._left = self._moved = 0
        self._drop()

    def run(self, levels, mode=None):
        """Contract a sample.

        Parameters
        ----------
        levels : bytes
            One level for each feature of the model.
        mode : str, optional
            "single": all groups of the board work on the sample, and it is answered soonest.
            "throughput": each group has a sample of its own. Scores are the same. By default
            "single" where model and board have it; "throughput" takes its place elsewhere.

        Returns
        -------
        Answer
            Scores, class and cycles.

        Raises
        ------
        FaultError
            If the answer took another number of cycles than the model takes, or could not be right
            otherwise, and so did the next; or if a self-test that was due fails. Then the board
            holds no model.
        TensorspinError
            If the board does not answer, or has lost the model, or samples are under way.
        """
        self._must_be_free()
        self.start(levels, mode)
        return self.finish()

    def start(self, levels, mode=None):
        """Send a sample, and return while the board computes.

        Parameters
        ----------
        levels : bytes
            One level for each feature of the model. They must stay as they are until the sample is
            finished.
        mode : str, optional
            As of `run`.

        Raises
        ------
        FaultError
            As of `run`.
        TensorspinError
            If `DEPTH` samples are under way, no model is loaded, the number of levels is wrong, or
            there is no such mode.
        """
        if self._model is None:
            raise TensorspinError("no model is loaded; load one first")
        if len(levels) != self._model.features:
            raise TensorspinError(
                "a sample has %d levels, not %d" % (self._model.features, len(levels))
            )
        if len(self._samples) >= DEPTH:
            raise TensorspinError("%d samples are under way; finish one first" % DEPTH)
        if mode is not None and mode not in MODES:
            raise TensorspinError("mode must be single or throughput, not %r" % (mode,))
        if self._every and self._left <= 0 and not self._samples:
            self.self_test()
        self._left -= 1
        throughput, single = self._cycles
        shared = mode != "throughput" and single is not None
        self._samples.append(_Sample(levels, shared, single if shared else throughput))
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
        FaultError
            As of `run`.
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
                self._unsent = len(self._waiting())
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
                flag = protocol.OFFSET_SINGLE if last and sample.shared else 0
                number = self._send(kind, struct.pack("<H", first | flag) + part)
                self._sent.append((number, len(part) + overhead))
                if last:
                    sample.sequence = number
            self._moved = self._ticks()

    def _has_room(self, size):
        return sum([held for _, held in self._sent]) + size <= self.receive_bytes

    def _waiting(self):
        """List the samples that have no answer yet."""
        return [sample for sample in self._samples if sample.answer is None]

    def _computing(self):
        """Microseconds that the board computes for them."""
        waiting = self._waiting()
        if not waiting:
            return 0
        # Where the cycles are not known, a quarter is added: no pipeline is that much longer.
        unknown = self._model.cycles * 5 // 4
        cycles = sum([sample.cycles or unknown for sample in waiting])
        return cycles * 1_000_000 // self.clock_hz + len(waiting)

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
        sample = self._waiting()[0]
        if sample.sequence != packet[1] or status == protocol.STATUS_BAD_OFFSET:
            # The reply before this one is lost, or the board was restarted between two parts.
            return False
        if status == protocol.STATUS_CORRUPT:
            raise self._fault("it has read something else")
        self._check(status)
        outputs = self._model.outputs
        wrong = "its answer has another length than one with %d scores" % outputs
        if len(packet[2]) == 1 + 2 * outputs + protocol.RESULT_BYTES:
            answer = Answer(packet[2][1:], outputs)
            wrong = None
            if answer.best >= outputs:
                wrong = "it says that score %d of %d is the greatest" % (answer.best, outputs)
            elif sample.cycles not in (None, answer.cycles):
                wrong = "it took %d cycles, not %d" % (answer.cycles, sample.cycles)
        if wrong:
            if sample.doubted:
                raise self._fault(wrong)
            sample.doubted = True
            return False  # it is asked for once more
        self._sent = self._sent[index + 1 :]
        sample.answer = answer
        self._moved = self._ticks()
        return True

    def _fault(self, why):
        """Make the model on the board inactive, and return the error that tells why."""
        piece = next(self._model.pieces("PROG", 1))
        self._model = None
        self._drop()
        try:
            self.write(protocol.SPACE_PROGRAM, 0, piece)
        except TensorspinError:
            pass  # a lost board is found lost when the model is loaded
        return FaultError(
            "the board does not run the model that was loaded: %s; load the model again" % why
        )

    def _must_be_free(self):
        if self._samples:
            raise TensorspinError("samples are under way; finish them first")

    def _drop(self):
        """Forget all samples."""
        self._samples = []
        self._sent = []  # packets under way: number, bytes of the body
        self._unsent = 0  # samples that are not sent, the last ones of _samples
