"""The annealer: sizes, number formats, the order of its operations, and its latencies.

It samples the Ising model ``E(s) = sum_i h_i s_i + sum_(i<j) J_ij s_i s_j``, as dimod writes it,
with spins of +1 and -1, by Metropolis' algorithm with sequential visits, the textbook's:

- The *local field* of a spin is ``F_i = h_i + sum_j J_ij s_j``; a flip of spin i changes the energy
  by ``dE_i = -2 s_i F_i``, and every other field by ``F_k += -2 J_ki s_i`` (s_i before the flip).
- A *sweep* visits the spins in the order of their indices. A visit flips the spin if
  ``dE_i <= T e`` with an exponential sample ``e``, that is with probability
  ``min(1, exp(-dE_i / T))``. As ``dE_i / 2`` is an integer, the gateware compares it with the
  integer *threshold* ``floor(T e / 2)``; `tensorspin.contract.annealer.thresholds` says how it is
  drawn.

All spins are compared in one cycle, and all visits up to the first flip are done with that: the
skipped ones are rejections. The next comparison begins behind the flipped spin; one without a flip
ends the sweep. So a sweep takes one *turn* more than it flips spins. The replicas take turns, one a
cycle; a *round* is a turn of each, as many cycles as there are replicas.

The schedule is a list of *steps*, each a temperature and a number of sweeps. All replicas have the
temperature of the same step: a replica that has done its sweeps waits for the others.

In a step only the even or only the odd replicas may move (`Moving`). Then the replicas can be
coupled along a *ring*, in which the first follows on the last: a visit that would flip a spin fails
with the step's ring probability if the spin equals that of both neighbouring replicas, which do not
move. That is Metropolis' algorithm with one factor for the problem and one for the ring: each is
balanced in detail by itself, and a flip needs the consent of both (M. Michel, S. C. Kapfer and
W. Krauth, J. Chem. Phys. 140, 054116, 2014). `tensorspin.contract.annealer.transverse` makes the
replicas
Trotter slices with it.

A build may compare fewer spins in a cycle, one *window* of them after another; then a turn takes
several cycles (`tensorspin.contract.annealer.windows`).

With parallel tempering (`tensorspin.contract.annealer.tempering`) each replica has a temperature
of its own,
and replicas exchange them after a step.

A problem with n variables uses the last n spins; the others are never visited.

Before the first comparison the thresholds and the fields are filled: a round for each offset row,
in which it is added to the fields of all replicas, then, if the replicas do not begin with all
spins positive, a round for each variable, in which those replicas flip it that begin with it
negative. `fill_rounds` counts them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..fixed import SQ, UQ, Format
from . import windows

PROBABILITY = UQ(-1, 17)
"""Probability of a threshold's bit, less than 1/2."""

SWEEPS = UQ(16, 0)
"""Sweeps of a step."""

RING = UQ(0, 16)
"""Probability with which the ring holds a spin that equals both its neighbours."""

REFRESH = UQ(16, 0)
"""Turns that a replica sits out between two sweeps."""

CYCLES = UQ(32, 0)
"""Cycles of a run."""

MIN_REPLICAS = 10
"""Turns that fit between two of the same replica: the length of the engine's loop.

===== ====================================================================
cycle
===== ====================================================================
0     cursor read
1     replica and update, at the region
2     at the group; state read, row of couplings added, written back
3     compared with the thresholds
4     first accepting spin of each group of `GROUP`
5     first of `GROUP` groups
6     first of these
7     found; a longer loop spends its further cycles here
8     the replica's progress written
9     row of couplings addressed
10    row at the memory's output; the replica's next turn begins
11    in a first register
12    in a second, and added
===== ====================================================================
"""

GROUP = 8
"""Spins among which the first that accepts is found in one cycle, and then the first group."""

STEP_ROUNDS = 2
"""Rounds from the one in which the last replica finishes a step to the first of the next step."""

COUPLING_BITS = 2, 8
"""Least and most of a coupling."""

MAX_ENERGY_BITS = 32
"""An energy is sent as two words of 16 bits."""

START = 3
"""Cycles from the start to the first of the first round: the first step is read from its memory."""


EXTRA_EXCHANGE_BITS = 6
"""Bits by which a threshold for an exchange is longer than a spin's."""


class Moving(enum.IntEnum):
    """Replicas that do a step's sweeps."""

    ALL = 0
    EVEN = 1
    ODD = 2


class Exchange(enum.IntEnum):
    """Pairs of ranks that are exchanged after a step, by the first; not `NONE`: in the step each
    replica has the temperature of its rank."""

    NONE = 0
    EVEN = 1
    ODD = 2


@dataclass(frozen=True)
class AnnealerSize:
    """Parameters of the annealer.

    Attributes
    ----------
    spins : int
    coupling_bits : int
        Of a signed coupling, 2 to 8; the most negative value is not used.
    field_bits : int
        Of a signed local field.
    replicas : int
        At least `MIN_REPLICAS`, or `windows.MIN_REPLICAS` with a window.
    strides : tuple of int
        One for each bit of the thresholds, the lowest first: spins by which its samples move on in
        a cycle.
    offset_rows : int
        Rows of the coupling memory, beyond those of the spins, that make up the fields' start. The
        rows of spins that a problem does not use serve too (`offset_places`).
    steps : int
        Of the schedule at most.
    ring : int, default=1
        1 if the replicas can be coupled along a ring, else 0.
    tempering : int, default=0
        1 if the replicas can have temperatures of their own, and exchange them, else 0. Then random
        bits are drawn for each replica by itself, and `strides` are those of a round.
    window : int, default=0
        Spins that are compared in a cycle; 0 for all. a power of two from 8 on, and see `Raises`.

    Raises
    ------
    ValueError
        If a number is out of its range.
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
        for name in ("ring", "tempering"):
            if getattr(self, name):
                raise ValueError(f"{name} must be 0 with a window")
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

    @property
    def threshold_bits(self) -> int:
        """Bits of a threshold."""
        return len(self.strides)

    @property
    def exchange_bits(self) -> int:
        """Bits of a threshold for an exchange: neighbouring temperatures may be close."""
        return self.threshold_bits + EXTRA_EXCHANGE_BITS

    @property
    def sequences(self) -> tuple[int, ...]:
        """Strides of all sequences of random bits: a threshold's, then the ring's, if any."""
        return self.strides + (min(self.strides),) * self.ring

    @property
    def samples(self) -> int:
        """Random numbers drawn in a cycle: for the sequences, and one for exchanges, if any."""
        return sum(self.sequences) + self.tempering

    @property
    def coupling(self) -> Format:
        """Format of a coupling; symmetric, so that its negative always exists."""
        return SQ(self.coupling_bits, 0)

    @property
    def field(self) -> Format:
        """Format of a local field."""
        return SQ(self.field_bits, 0)

    @property
    def energy(self) -> Format:
        """Format of half the energy less that of the start: no sum of flips can leave it."""
        return SQ(self.field_bits + self.spins.bit_length(), 0)

    @property
    def passage(self) -> int:
        """Rounds after which every threshold has been drawn anew."""
        return 1 if self.window else -(-self.spins // self._stride)

    @property
    def _stride(self) -> int:
        """Spins that a sample moves on in a round, at least."""
        return min(self.strides) * (1 if self.tempering else self.replicas)

    def exact_refresh(self, variables: int) -> int:
        """Least refresh with which no sample serves two sweeps of a replica.

        Parameters
        ----------
        variables : int
            Samples may go on to spins that are none, which use no samples.
        """
        return 0 if self.window else -(-variables // self._stride) - 1

    @property
    def coupling_widths(self) -> tuple[int, ...]:
        """Bits of a coupling that a build like this one can have."""
        least, most = COUPLING_BITS
        return windows.COUPLING_WIDTHS if self.window else tuple(range(least, most + 1))

    def rows(self, offset_rows: int) -> int:
        """Rows of the coupling memory in use, from 0 on."""
        return self.spins + min(offset_rows, self.offset_rows)

    def offset_places(self, count: int) -> list[int]:
        """Where the first `count` offset rows are in the coupling memory.

        They begin behind the rows of the spins. Behind the memory's last row they go on at row 0,
        that of a spin which small problems do not use.
        """
        rows = self.spins + self.offset_rows
        return [(self.spins + index) % rows for index in range(count)]

    @property
    def windows(self) -> int:
        """Windows that make up all spins, where there is a window."""
        return self.spins // self.window

    @property
    def least_turns(self) -> int:
        """Turns of a round, at least, in which replicas do sweeps, where there is a window."""
        return max(windows.MIN_REPLICAS, self.window // self.strides[0])

    def spins_for(self, variables: int) -> int:
        """Least spins, for so many variables, of a build like this one."""
        return windows.spins_for(self.window, variables) if self.window else max(2, variables)

    def turn(self, first: int) -> int:
        """Cycles of a turn.

        Parameters
        ----------
        first : int
            The first spin that is a variable.
        """
        return max(windows.MIN_TURN, self.windows - first // self.window) if self.window else 1

    def fill_rounds(self, rows: int) -> int:
        """Rounds before the first comparison.

        Parameters
        ----------
        rows : int
            Offset rows to be added, and variables if there are initial states.
        """
        # The last row's effect must have reached the neighbours on the ring.
        return max(self.passage, rows + 1)
