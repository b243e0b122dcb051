"""The annealer with windows: fewer spins are compared in a cycle than there are.

`AnnealerSize.window` spins, P, are updated and compared in a cycle. A turn is a *pass* over the
windows of one replica, in order, from the first with a variable to the last: in it the row of the
replica's last flip is added to all fields, window by window, and the first spin that accepts, at or
behind the cursor, is the next to flip. So all is as without windows but that a turn lasts `turn`
cycles, and states, fields and thresholds need no registers: they lie in block RAM.

===== ==========================================================================
cycle
===== ==========================================================================
0     row of couplings addressed, for one window
1     row at the memory's output; state addressed
2     row added; thresholds addressed
3     state written back; compared with the thresholds
4     first accepting spin of the window
5     first of the pass
===== ==========================================================================

The pass's result is there 6 cycles after its last window's cycle 0. In these cycles other replicas
have their turns, and the record of a replica (its last flip, sweeps, energies) is read and written
one part after the other, for which a turn has at least `MIN_TURN` cycles.

*Turns that are left out.* As states lie in memory, it does not matter when a replica has its turn.
So a round has no turns of replicas that have nothing to do: those that have done their sweeps wait
without, from the turn after the one in which that is seen until the step ends; and when initial
states are flipped, spin by spin, only those have one that begin with the spin negative (or a single
one, which flips nothing). While sweeps are done `least_turns` remain.

*Thresholds.* Each cycle `stride` samples of each digit are drawn; every P of them, in the order in
which they are drawn, make a word of P thresholds, which goes to a ring buffer. In turn t of a
round, from 0, a replica reads as many words in a row as it visits windows, the first of them the
word
``w + t - turn - LAG``, where w is the number of words that were complete when the round began. As
`least_turns` make w grow by at least the number of windows, a replica never sees a word twice: all
its decisions use samples of their own, and there is nothing to be gained by sitting out turns. As w
grows by at least the number of turns, too, no sample is ever seen by two replicas at the same spin,
not even in different rounds. At other spins other replicas do see it: in neighbouring windows, in
the same place.
"""

from __future__ import annotations

import numpy as np

MIN_TURN = 8
"""Cycles of a turn at least, and least number of windows."""

MIN_REPLICAS = 3
"""A replica's record is written in the turn that follows on its own, and read a turn before: for so
many turns at least it must not have another, once sweeps are done."""

COUPLING_WIDTHS = 2, 4, 8
"""Bits of a coupling: a window's couplings fill a power of two of bytes."""

LAG = 2
"""Words that a turn may lag behind the newest, beyond its own: what is drawn takes cycles to reach
the ring buffer."""


def spins_for(window: int, variables: int) -> int:
    """Least spins, for so many variables."""
    return window * max(MIN_TURN, -(-variables // window))


def flip_turns(states: np.ndarray) -> list[int]:
    """Turns of the rounds in which initial states are flipped.

    Parameters
    ----------
    states : ndarray of int, shape (replicas, n)
        +1 and -1.
    """
    return np.maximum((states < 0).sum(axis=0), 1).tolist()
