"""Annealing on a Tensorspin board from MicroPython; `tensorspin_spi` has the board.

::

    from tensorspin_annealer import schedule

    couplings = {(0, 1): 3, (1, 2): -2}          # the energy is the sum of J_ij s_i s_j + h_i s_i
    linear = [1, 0, -1]
    steps = schedule([8, 4, 2, 1, 0.5], 20, board)
    energy, spins = board.anneal(couplings, linear, steps, seed=1)[0]

A run with the same seed gives the same states as the same run of the Python package on a computer.
In numbers of single precision a probability of `schedule` may differ from the computer's by one
unit of 2**-17; pass the probabilities that the computer has found if the states must be the same.
"""

import math
import struct

import tensorspin_protocol as protocol
from tensorspin_line import MAX_DATA, TRIES, TensorspinError, ticks_diff

PATIENCE_US = 1_000_000
"""Microseconds beyond twice the longest time of a run until it is given up."""

_WORD = 0xFFFFFFFF


class _Size:
    """Sizes of a board's annealer, by name."""

    def __init__(self, board):
        record = board.annealer
        if not record:
            raise TensorspinError("%s has no annealer in its bitstream" % board.board)
        digits = record[protocol.ANNEALER_STRIDES]
        self.strides = record[protocol.ANNEALER_STRIDES + 1 :][:digits]
        rest = record[digits:]
        if len(rest) > protocol.ANNEALER_FLIPS and rest[protocol.ANNEALER_FLIPS] > 1:
            raise TensorspinError("%s flips several spins a turn: take another board" % board.board)
        self.spins = record[protocol.ANNEALER_SPINS]
        self.coupling_bits = record[protocol.ANNEALER_COUPLING_BITS]
        self.field_bits = record[protocol.ANNEALER_FIELD_BITS]
        self.replicas = record[protocol.ANNEALER_REPLICAS]
        self.offset_rows = rest[protocol.ANNEALER_OFFSET_ROWS]
        self.steps = rest[protocol.ANNEALER_STEPS]
        self.ring = rest[protocol.ANNEALER_RING]
        self.tempering = rest[protocol.ANNEALER_TEMPERING]
        self.window = rest[protocol.ANNEALER_WINDOW]
        samples = sum(self.strides) + min(self.strides) * self.ring + self.tempering
        self.generators = -(-samples // protocol.SAMPLES_PER_GENERATOR)
        if (self.generators + 1) * protocol.SEED_BYTES > protocol.MAX_PAYLOAD:
            raise board._misdescribed()  # no packet could start a run
        for rows, length in (
            (self.spins + self.offset_rows, -(-self.spins * self.coupling_bits // 8)),
            (self.steps, protocol.STEP_FIELD_BYTES * (digits + protocol.STEP_FIELDS)),
            (self.replicas, protocol.RESULT_HEADER_BYTES + 2 * -(-self.spins // 8)),
        ):
            if rows * _stride(length) > 1 << 24:
                raise board._misdescribed()  # an address has three bytes

    def fill_rounds(self, offset_rows):
        """Count the rounds before the first comparison."""
        moved = min(self.strides) * (1 if self.tempering else self.replicas)
        passage = 1 if self.window else -(-self.spins // moved)
        return max(passage, offset_rows + 1)

    def most_cycles(self, problem, steps, refresh):
        """Count the clock cycles that a run takes at most."""
        turn = 1
        if self.window:
            windows = self.spins // self.window - problem.first // self.window
            turn = max(protocol.MIN_TURN, windows)
        turns = sum([sweeps for _, sweeps in steps]) * (problem.variables + 1 + refresh)
        ends = (protocol.STEP_ROUNDS + 64) * len(steps)  # exchanges, if there were any, included
        rounds = self.fill_rounds(len(problem.offsets)) + turns + ends
        return protocol.RUN_START_CYCLES + self.replicas * turn * rounds


class _Problem:
    """A problem in the form of the board's memories."""

    def __init__(self, size, couplings, linear):
        self.size = size
        self.variables = len(linear)
        if not 1 <= self.variables <= size.spins:
            raise TensorspinError(
                "a problem has 1 to %d variables, not %d" % (size.spins, self.variables)
            )
        self.first = size.spins - self.variables
        self.linear = linear
        self.rows = [{} for _ in linear]
        limit = (1 << (size.coupling_bits - 1)) - 1
        for (i, j), value in couplings.items():
            if i == j or not (0 <= i < self.variables and 0 <= j < self.variables):
                raise TensorspinError("there is no coupling of variables %d and %d" % (i, j))
            if j in self.rows[i]:
                raise TensorspinError("variables %d and %d are coupled twice" % (i, j))
            if abs(value) > limit:
                raise TensorspinError("a coupling is %d to %d, not %d" % (-limit, limit, value))
            self.rows[i][j] = self.rows[j][i] = value
        fields = []
        most = (1 << (size.field_bits - 1)) - 1
        for row, own in zip(self.rows, linear):
            bound = abs(own) + sum([abs(value) for value in row.values()])
            if bound > most:
                raise TensorspinError("a local field may reach %d, more than %d" % (bound, most))
            fields.append(own + sum(row.values()))
        # The lowest bits of the fields stand alone; the rest is halved and split into rows.
        self.offsets = [[field & 1 for field in fields]]
        rest = [field >> 1 for field in fields]
        while any(rest):
            self.offsets.append([max(-limit, min(limit, value)) for value in rest])
            rest = [value - part for value, part in zip(rest, self.offsets[-1])]
        most = size.offset_rows + self.first
        if len(self.offsets) > most:
            raise TensorspinError(
                "the linear terms need %d offset rows, the board has %d" % (len(self.offsets), most)
            )

    def packed(self):
        """Yield the rows of the coupling memory that are not zero: number and bytes."""
        for index, row in enumerate(self.rows):
            if row:
                yield self.first + index, self._pack(row.items())
        places = self.size.spins + self.size.offset_rows
        for index, row in enumerate(self.offsets):
            yield (self.size.spins + index) % places, self._pack(enumerate(row))

    def _pack(self, entries):
        bits = self.size.coupling_bits
        packed = bytearray(-(-self.size.spins * bits // 8))
        mask = (1 << bits) - 1
        for j, value in entries:
            bit = (self.first + j) * bits
            value = (value & mask) << (bit & 7)
            packed[bit >> 3] |= value & 0xFF
            if value > 0xFF:
                packed[(bit >> 3) + 1] |= value >> 8
        return packed

    def energy(self, spins):
        """Compute the energy of a state of +1 and -1."""
        total = 0
        for i, row in enumerate(self.rows):
            field = self.linear[i]
            for j, value in row.items():
                if j > i:
                    field += value * spins[j]
            total += field * spins[i]
        return total


def schedule(temperatures, sweeps, board):
    """Make a schedule with one step at each temperature.

    Parameters
    ----------
    temperatures : sequence of float
        Temperatures in the order of the steps, in units of the couplings.
    sweeps : int
        Sweeps of each step.
    board : tensorspin_spi.Tensorspin
        The board that is to run it.

    Returns
    -------
    list of (tuple of int, int)
        For each step the probabilities of the thresholds' digits, and the sweeps.

    Raises
    ------
    TensorspinError
        If a temperature is not positive, or too high for the board's thresholds.
    """
    size = _Size(board)
    steps = []
    for temperature in temperatures:
        if not temperature > 0:
            raise TensorspinError("a temperature must be more than 0, not %s" % temperature)
        found = []
        for digit in range(len(size.strides) + 1):
            exponent = 2.0 * (1 << digit) / temperature
            # Beyond 60 the probability is 0 in any case, and exp may be out of range.
            share = 0.0 if exponent > 60 else 1.0 / (1.0 + math.exp(exponent))
            scaled = share * (1 << protocol.PROBABILITY_FRACTION_BITS)
            raw = int(scaled)
            rest = scaled - raw
            raw += rest > 0.5 or (rest == 0.5 and raw & 1)  # ties to even
            found.append(min(raw, 0xFFFF))
        if found.pop():
            raise TensorspinError("a temperature of %s is too high for this board" % temperature)
        steps.append((tuple(found), sweeps))
    return steps


def anneal(board, couplings, linear, steps, seed=0, refresh=0):
    """Anneal an Ising problem with all replicas of a board.

    Parameters
    ----------
    board : tensorspin_spi.Tensorspin
        A board with an annealer.
    couplings : dict of (int, int) to int
        Couplings of pairs of variables, each pair once.
    linear : sequence of int
        Linear term of each variable.
    steps : list of (tuple of int, int)
        The schedule, as `schedule` makes it.
    seed : int
        Seed of the random numbers, 0 to 2**32 - 1.
    refresh : int
        Turns that a replica sits out between two sweeps, usually 0.

    Returns
    -------
    list of (int, list of int)
        For each replica the least energy that it has met and the state, +1 or -1 for each variable;
        the replicas with the least energies come first.

    Raises
    ------
    TensorspinError
        If the problem does not fit, or the board does not answer or loses what was written.
    """
    size = _Size(board)
    problem = _Problem(size, couplings, linear)
    if not 1 <= len(steps) <= size.steps:
        raise TensorspinError("a schedule has 1 to %d steps, not %d" % (size.steps, len(steps)))
    for probabilities, sweeps in steps:
        if len(probabilities) != len(size.strides) or not 1 <= sweeps <= 0xFFFF:
            raise TensorspinError(
                "a step has %d probabilities and 1 to 65535 sweeps" % len(size.strides)
            )
    if not 0 <= seed <= _WORD:
        raise TensorspinError("seed must be 0 to 4294967295, not %d" % seed)
    if not 0 <= refresh <= 0xFFFF:
        raise TensorspinError("refresh must be 0 to 65535, not %d" % refresh)
    fields = (
        problem.first,
        len(problem.offsets),
        0,
        size.fill_rounds(len(problem.offsets)),
        refresh,
        len(steps),
    )
    head = struct.pack("<%dH" % len(fields), *fields)
    run = head + bytes(protocol.SEED_BYTES - len(head)) + seeds(seed, size.generators)
    cycles = size.most_cycles(problem, steps, refresh)
    if cycles > _WORD:
        raise TensorspinError("the run may take %d cycles, more than %d" % (cycles, _WORD))
    for _ in range(TRIES):
        _upload(board, size, problem, steps)
        blocks = _run(board, size, run, cycles)
        if blocks is not None:
            return _read(size, problem, blocks)
    raise TensorspinError("the board loses what is written to it; check its power and its reset")


def _upload(board, size, problem, steps):
    """Write a problem and its schedule into memories that were cleared before."""
    board.write(protocol.SPACE_CLEAR, 0, b"\0")
    stride = _stride(-(-size.spins * size.coupling_bits // 8))
    for row, data in problem.packed():
        for at in range(0, len(data), MAX_DATA):
            part = data[at : at + MAX_DATA]
            board.write(protocol.SPACE_COUPLINGS, row * stride + at, bytes(part))
    digits = len(size.strides)
    stride = _stride(protocol.STEP_FIELD_BYTES * (digits + protocol.STEP_FIELDS))
    for index, (probabilities, sweeps) in enumerate(steps):
        data = struct.pack(
            "<%dH" % (digits + protocol.STEP_FIELDS), *probabilities, 0, 0, 0, sweeps
        )
        board.write(protocol.SPACE_STEPS, index * stride, data)


def _run(board, size, run, cycles):
    """Run, and return the blocks of results; None if the board has lost what was written."""
    microseconds = cycles * 1_000_000 // board.clock_hz
    length = protocol.RESULT_HEADER_BYTES + 2 * -(-size.spins // 8)
    for _ in range(TRIES):
        board.ask(protocol.ANNEAL, run)
        # A greeting from here on would have stopped the run, or hidden a restart.
        greetings = board.greetings
        began = board._ticks()
        status = board.status()
        while greetings == board.greetings and status.annealing:
            if ticks_diff(board._ticks(), began) > PATIENCE_US + 2 * microseconds:
                board.open()
                raise TensorspinError("the run takes longer than it can; load the bitstream again")
            status = board.status()
        if not status.cleared:
            return None
        blocks = []
        for replica in range(size.replicas):
            block = b""
            for at in range(0, length, MAX_DATA):
                place = replica * _stride(length) + at
                block += board.read(protocol.SPACE_RESULTS, place, min(MAX_DATA, length - at))
            blocks.append(block)
            if greetings != board.greetings:
                break
        else:
            if greetings == board.greetings:
                return blocks
    raise TensorspinError("too much is lost on the line during runs; try a lower frequency")


def _read(size, problem, blocks):
    """Read energies and states, and check the best one."""
    origin = problem.energy([1] * problem.variables)
    found = []
    for block in blocks:
        _, half = struct.unpack_from("<ii", block)
        at = protocol.RESULT_HEADER_BYTES + -(-size.spins // 8)
        spins = []
        for spin in range(problem.first, size.spins):
            spins.append(-1 if block[at + (spin >> 3)] >> (spin & 7) & 1 else 1)
        found.append((origin + 2 * half, len(found), spins))
    # MicroPython would not keep the order of equals.
    found.sort(key=lambda each: each[:2])
    energy, _, spins = found[0]
    if problem.energy(spins) != energy:
        raise TensorspinError("a state has not the energy that the board states; try again")
    return [(energy, spins) for energy, _, spins in found]


def _stride(length):
    """Bytes from the beginning of a row in memory to that of the next."""
    stride = 1
    while stride < length:
        stride *= 2
    return stride


def seeds(seed, generators):
    """Derive the seeds of all generators from one number, as `numpy.random.SeedSequence` does.

    Parameters
    ----------
    seed : int
        0 to 2**32 - 1.
    generators : int
        Number of generators.

    Returns
    -------
    bytes
        ``tensorspin_protocol.SEED_BYTES`` for each generator.
    """
    constant = 0x43B0D7E5

    def mixed(value):
        nonlocal constant
        value ^= constant
        constant = constant * 0x931E8875 & _WORD
        value = value * constant & _WORD
        return value ^ value >> 16

    pool = [mixed(value) for value in (seed, 0, 0, 0)]
    for source in range(4):
        for target in range(4):
            if source != target:
                value = pool[target] * 0xCA01F9DD - mixed(pool[source]) * 0x4973F715 & _WORD
                pool[target] = value ^ value >> 16
    constant = 0x8B51F9DD
    found = bytearray()
    for index in range(generators * protocol.SEED_BYTES // 4):
        value = pool[index % 4] ^ constant
        constant = constant * 0x58F38DED & _WORD
        value = value * constant & _WORD
        value ^= value >> 16
        found += struct.pack("<I", value)
    return bytes(found)
