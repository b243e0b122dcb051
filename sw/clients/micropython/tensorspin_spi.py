"""Tensorspin as a co-processor over SPI: the driver for MicroPython, which runs on CPython, too.

::

    from machine import SPI, Pin
    from tensorspin_model import Model
    from tensorspin_spi import Tensorspin

    spi = SPI(0, baudrate=20_000_000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
    board = Tensorspin(spi, cs=Pin(17, Pin.OUT, value=1), irq=Pin(20, Pin.IN))
    model = Model("model.tspn")           # tensorspin export digits.npz --format micropython
    board.load(model, self_test=True)
    answer = board.run(model.levels(readings))
    print(model.label(answer), answer.cycles)

A line that damages or loses frames delays answers: each request is asked again, after a greeting.
Whatever fails ends with a `TensorspinError` in bounded time, and the board can be used again
afterwards.
"""

import struct

import tensorspin_protocol as protocol
from tensorspin_line import MAX_DATA, TRIES, Status, TensorspinError
from tensorspin_samples import DEPTH, MODES, FaultError, Samples  # noqa: F401


class Tensorspin(Samples):
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
        self._greet(0)

    def open(self):
        """Greet the board anew: it forgets samples under way and stops a run of the annealer.

        Raises
        ------
        TensorspinError
            If no board answers, or one of another version of the protocol.
        """
        busy = self._computing()
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

    def load(self, model, force=False, self_test=False, every=0):
        """Put a model on the board, unless the board holds it already.

        Parameters
        ----------
        model : tensorspin_model.Model
            The model; it is read in pieces.
        force : bool
            Whether to send it in any case.
        self_test : bool
            Whether to run the samples with known answers then.
        every : int
            After so many samples they are run again, before the next one that finds no other under
            way; 0: never.

        Raises
        ------
        TensorspinError
            If the model is for other boards, or the board does not answer or refuses it. Then the
            board holds no model, or the one that it had.
        FaultError
            If the self-test fails. Then the board holds no model.
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
        self._cycles = [model.cycles_on(self, mode) for mode in MODES]
        self._every, self._left, self._model = every, every, model
        if self_test:
            self.self_test()

    def self_test(self):
        """Run the samples of the model with known answers.

        Raises
        ------
        FaultError
            If an answer is another one. Then the board holds no model.
        TensorspinError
            As of `run`.
        """
        if self._model is None:
            raise TensorspinError("no model is loaded; load one first")
        every, self._every = self._every, 0  # no test within the test
        try:
            passes = self._model.passes(self)
        finally:
            self._every = every
        if not passes:
            raise self._fault("a sample with a known answer was answered otherwise")
        self._left = every

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
                head = struct.pack("<HI", model.features_on(self), model.digest)
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
