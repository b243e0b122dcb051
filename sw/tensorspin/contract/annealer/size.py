"""The annealer's sizes, number formats and latencies.

`tensorspin.contract.annealer` explains the words used here: turn, round, sweep, step, ring, window,
offset row.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property

from ..fixed import SQ, UQ, Format
from . import windows

PROBABILITY = UQ(-1, 17)
"""Format of the probability of one digit of a threshold: 17 fractional bits, of which the highest
is not stored, since such a probability is always below 1/2."""

SWEEPS = UQ(16, 0)
"""Format of the number of sweeps of a step."""

RING = UQ(0, 16)
"""Format of the probability with which the ring holds a spin that equals both of its neighbours."""

REFRESH = UQ(16, 0)
"""Format of the number of turns that a replica sits out between two sweeps."""

CYCLES = UQ(32, 0)
"""Format of the counter of a run's clock cycles."""

MIN_REPLICAS = 10
"""Least number of replicas of a build without windows.

A replica's next turn may begin when the effect of its last one is in place, 10 cycles later; so
many replicas fill these cycles. The pipeline of one turn:

===== ====================================================================
cycle what happens
===== ====================================================================
0     the replica's cursor (the spin from which the turn begins) is read
1     replica number and update arrive at a region of the device
2     they arrive at a group; state read, row of couplings added, written back
3     fields compared with the thresholds
4     first accepting spin found in each group of `GROUP` spins
5     first accepting group found among `GROUP` groups
6     first of these found
7     result registered; a longer loop spends its further cycles here
8     the replica's progress is written
9     address of the flipped spin's row of couplings
10    row at the memory's output; the replica's next turn begins
11    row in a first register
12    row in a second register, and added
===== ====================================================================
"""

GROUP = 8
"""Fan-in of one search stage: the first accepting spin of each `GROUP` spins is found in one cycle,
then the first of each `GROUP` groups in the next."""

STEP_ROUNDS = 2
"""Rounds from the one in which the last replica finishes a step to the first of the next step."""

COUPLING_BITS = 2, 8
"""Least and greatest width of a coupling, in bits with the sign."""

FLIPS = 1, 4
"""Least and greatest number of flips in a turn that a build can have."""

MAX_ENERGY_BITS = 32
"""Greatest width of an energy counter: results hold an energy in 4 bytes."""

START = 3
"""Cycles from the start of a run to its first round, in which the first step is read from its
memory."""

EXTRA_EXCHANGE_BITS = 6
"""Digits by which a threshold for an exchange is longer than a spin's. It is drawn at the inverse
of the difference of two inverse temperatures, which is high where they are close to each other."""

FIRST_DIGIT = 3
"""Cycle of an exchange of two replicas in which the lowest digit of its threshold is drawn; before
it the two replicas and their energies are read."""

LADDER_READ = 2
"""Cycles from the rank of a replica to the probabilities of that rank."""


class Moving(enum.IntEnum):
    """Which replicas do the sweeps of a step; the others wait."""

    ALL = 0
    EVEN = 1
    ODD = 2


class Exchange(enum.IntEnum):
    """Which neighbouring ranks swap their replicas after a step.

    ``EVEN`` and ``ODD`` are the pairs whose lower rank is even or odd. For any value other than
    ``NONE`` each replica anneals at the temperature of its rank during the step.
    """

    NONE = 0
    EVEN = 1
    ODD = 2


@dataclass(frozen=True)
class AnnealerSize:
    """Parameters of a build of the annealer.

    Parameters
    ----------
    spins : int
        Number of spins, the most variables that a problem may have.
    coupling_bits : int
        Width of a signed coupling in bits, 2 to 8. The most negative value is not used.
    field_bits : int
        Width of a signed local field in bits.
    replicas : int
        Number of replicas: at least `MIN_REPLICAS`, or `windows.MIN_REPLICAS` with a window.
    strides : tuple of int
        One number for each digit of the thresholds, the lowest digit first: by how many spins the
        random samples of the digit move on in a cycle.
    offset_rows : int
        Rows of the coupling memory, beyond those of the spins, that make up the fields at the
        start. The rows of spins that a problem does not use serve too
        (`tensorspin.contract.annealer.segments.offset_places`).
    steps : int
        Greatest number of steps of a schedule.
    ring : int, default=1
        1 if the replicas can be coupled along a ring, else 0.
    tempering : int, default=0
        1 if the replicas can have temperatures of their own and exchange them, else 0. With 1 the
        random samples are drawn for each replica by itself, and `strides` count spins in a round
        instead of a cycle.
    window : int, default=0
        Spins that are compared in a cycle: 0 for all of them, or a power of two from 8 on.
    flips : int, default=1
        Flips that a turn can have: as many segments of spins there are
        (`tensorspin.contract.annealer.segments`). A run uses all of them or one.
    shared_sweeps : int, default=0
        1 if the replicas of a run can share the sweeps of a step
        (`tensorspin.contract.annealer.sharing`), else 0.
    signature : int, default=0
        1 if the device can check its memories after a run
        (`tensorspin.contract.annealer.signature`), else 0.

    Raises
    ------
    ValueError
        If a number is out of its range, or an engine with such windows cannot be built.

    Examples
    --------
    >>> size = AnnealerSize(spins=128, coupling_bits=4, field_bits=11, replicas=16,
    ...                     strides=(1,) * 8, offset_rows=32, steps=256)
    >>> size.coupling.maximum, size.threshold_bits
    (7, 8)
    """

    spins: int
    coupling_bits: int
    field_bits: int
    replicas: int
    strides: tuple[int, ...]
    offset_rows: int
    steps: int
    ring: int = 1
    tempering: int = 0
    window: int = 0
    flips: int = field(default=FLIPS[0], metadata={"optional": True})
    shared_sweeps: int = field(default=0, metadata={"optional": True})
    signature: int = field(default=0, metadata={"optional": True})

    def __post_init__(self) -> None:
        least_replicas = windows.MIN_REPLICAS if self.window else MIN_REPLICAS
        for name, least, most in (
            ("spins", 2, 1 << 14),
            ("coupling_bits", *COUPLING_BITS),
            ("field_bits", self.coupling_bits + 1, 24),
            ("replicas", least_replicas, 256),
            ("offset_rows", 1, 1 << 14),
            ("steps", 1, 1 << 14),
            ("ring", 0, 1),
            ("tempering", 0, 1),
            ("flips", *FLIPS),
            ("shared_sweeps", 0, 1),
            ("signature", 0, 1),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be {least} to {most}, not {value}")
        if not 1 <= self.threshold_bits < self.field_bits:
            raise ValueError(
                f"thresholds must have 1 to {self.field_bits - 1} bits, not {self.threshold_bits}"
            )
        if self.energy.width > MAX_ENERGY_BITS:
            raise ValueError(
                f"energies would have {self.energy.width} bits, more than {MAX_ENERGY_BITS}"
            )
        if min(self.strides) < 1 or max(self.strides) > self.spins:
            raise ValueError(f"strides must be 1 to {self.spins}, not {self.strides}")
        for name in ("spins", "offset_rows"):
            if (value := getattr(self, name)) % self.flips:
                raise ValueError(
                    f"{name} must be a multiple of flips, which are {self.flips}, not {value}"
                )
        if self.window:
            self._check_window()

    def _check_window(self) -> None:
        """Refuse a window with which the engine cannot be built."""
        window = self.window
        if window < 8 or window & (window - 1):
            raise ValueError(f"window must be 0 or a power of two from 8 on, not {window}")
        if self.spins != self.spins_for(self.spins):
            raise ValueError(
                f"with a window of {window} there must be a multiple of it of spins, at least "
                f"{windows.MIN_TURN * window}, not {self.spins}"
            )
        if self.coupling_bits not in windows.COUPLING_WIDTHS:
            raise ValueError(
                f"with a window couplings have 2, 4 or 8 bits, not {self.coupling_bits}"
            )
        for name in ("ring", "tempering", "shared_sweeps"):
            if getattr(self, name):
                raise ValueError(f"{name} must be 0 with a window")
        if self.flips > 1:
            raise ValueError(f"flips must be 1 with a window, not {self.flips}")
        stride = self.strides[0]
        if set(self.strides) != {stride} or window % stride or windows.MIN_TURN * stride < window:
            raise ValueError(
                f"with a window of {window} all strides must be one divisor of it, at least "
                f"{-(-window // windows.MIN_TURN)}, not {self.strides}"
            )
        if self.replicas * stride % window:
            raise ValueError(
                f"with a window of {window} and strides of {stride} the number of replicas must "
                f"be a multiple of {window // stride}, not {self.replicas}"
            )

    # A size never changes, so what follows from it is computed once: the driver and the golden
    # model ask for it in every run.

    @cached_property
    def threshold_bits(self) -> int:
        """Width of a threshold in bits: one random digit for each stride."""
        return len(self.strides)

    @cached_property
    def exchange_bits(self) -> int:
        """Width of a threshold for an exchange of two neighbouring ranks, in bits."""
        return self.threshold_bits + EXTRA_EXCHANGE_BITS

    @cached_property
    def pair_cycles(self) -> int:
        """Clock cycles of the exchange of one pair of ranks, from one pair to the next.

        `tensorspin.contract.annealer.tempering` says what happens in each of them.
        """
        return FIRST_DIGIT + self.exchange_bits + 2

    @cached_property
    def exchange_rounds(self) -> int:
        """Whole rounds that the exchanges of a step take, after its sweeps."""
        return -(-(self.replicas // 2 * self.pair_cycles + LADDER_READ) // self.replicas)

    @cached_property
    def sequences(self) -> tuple[int, ...]:
        """Strides of all sequences of random digits: those of the thresholds, then the ring's."""
        return self.strides + (min(self.strides),) * self.ring

    @cached_property
    def samples(self) -> int:
        """Uniform random numbers that are drawn in a cycle.

        A sequence takes as many as its stride; with tempering, exchanges take one more.
        """
        return sum(self.sequences) + self.tempering

    @cached_property
    def coupling(self) -> Format:
        """Format of a coupling: symmetric about 0, so that the negative of each value exists."""
        return SQ(self.coupling_bits, 0)

    @cached_property
    def field(self) -> Format:
        """Format of a local field, a signed integer."""
        return SQ(self.field_bits, 0)

    @cached_property
    def energy(self) -> Format:
        """Format of half the energy, counted from all spins +1: no sum of flips can overflow it."""
        return SQ(self.field_bits + self.spins.bit_length(), 0)

    @cached_property
    def passage(self) -> int:
        """Rounds after which the samples of all spins have been replaced by new ones."""
        return 1 if self.window else -(-self.spins // self._stride)

    @cached_property
    def _stride(self) -> int:
        """Spins by which the slowest samples move on in a round."""
        return min(self.strides) * (1 if self.tempering else self.replicas)

    def exact_refresh(self, variables: int) -> int:
        """Least refresh with which a replica uses no random sample in two sweeps.

        Parameters
        ----------
        variables : int
            Number of variables of the problem. Samples that have moved past these may pass spins
            that are not in use, where nothing is decided with them.

        Returns
        -------
        int
            Turns that a replica must sit out between two sweeps.
        """
        # From the first variable on, spins that are not in use stand between segments only.
        passed = self.spins - (self.spins - variables) // self.flips
        return 0 if self.window else -(-passed // self._stride) - 1

    @property
    def coupling_widths(self) -> tuple[int, ...]:
        """Widths of a coupling that a build with the same kind of windows can have, in bits."""
        least, most = COUPLING_BITS
        return windows.COUPLING_WIDTHS if self.window else tuple(range(least, most + 1))

    @cached_property
    def segment(self) -> int:
        """Number of spins of a segment; all spins where a turn has one flip."""
        return self.spins // self.flips

    @property
    def windows(self) -> int:
        """Number of windows that make up all spins, on a build with a window."""
        return self.spins // self.window

    @cached_property
    def least_turns(self) -> int:
        """Least number of turns in a round of sweeps, on a build with a window."""
        return max(windows.MIN_REPLICAS, self.window // self.strides[0])

    def spins_for(self, variables: int) -> int:
        """Count the spins that a build with the same kind of windows needs for a problem.

        Parameters
        ----------
        variables : int
            Number of variables of the problem.

        Returns
        -------
        int
            Least number of spins.
        """
        if self.window:
            return windows.spins_for(self.window, variables)
        return self.flips * -(-max(2, variables) // self.flips)

    def turn(self, first: int) -> int:
        """Count the cycles of a turn.

        Parameters
        ----------
        first : int
            The first spin that is a variable; windows before its own are left out.

        Returns
        -------
        int
            Clock cycles: one for each window in use and at least `windows.MIN_TURN`, or 1 where all
            spins are compared at once.
        """
        return max(windows.MIN_TURN, self.windows - first // self.window) if self.window else 1

    def fill_rounds(self, rows: int) -> int:
        """Count the rounds before the first comparison.

        Parameters
        ----------
        rows : int
            Rows of couplings that are added in them: the offset rows, and one for each variable if
            the replicas begin with given states.

        Returns
        -------
        int
            Rounds that fill thresholds, fields and states.
        """
        # One round more than rows: the last row's effect must have reached the neighbours on the
        # ring, which are read one cycle before and one after.
        return max(self.passage, rows + 1)
