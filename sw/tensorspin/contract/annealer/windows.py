"""The annealer with windows: fewer spins are compared in a cycle than there are.

`AnnealerSize.window` spins, P, form a *window*; they are updated and compared in one cycle. A turn
is a *pass* over the windows of one replica, in order, from the first window with a variable to the
last. In the pass the row of couplings of the replica's last flip is added to all fields, window by
window, and the first spin at or after the cursor that accepts is the next to flip. The spins
therefore flip in the same order as on a build without windows; only a turn lasts longer,
`AnnealerSize.turn` cycles. States, fields and thresholds need no registers: they lie in block RAM.

===== ==========================================================================
cycle what happens
===== ==========================================================================
0     row of couplings addressed, for one window
1     row at the memory's output; state of the window (fields and spins) addressed
2     row added to the fields; thresholds addressed
3     state written back; fields compared with the thresholds
4     first accepting spin of the window found
5     first accepting spin of the pass found
===== ==========================================================================

The result of a pass is known 6 cycles after cycle 0 of its last window. In these cycles other
replicas have their turns. The record of a replica (its last flip, sweeps and energies) is read and
written one part after the other, for which a turn has at least `MIN_TURN` cycles.

*Idle replicas are skipped.* As states lie in memory, it does not matter when a replica has its
turn, so a round has no turns of replicas that have nothing to do:

- A replica that has finished its sweeps takes no further turns until the step ends, starting one
  turn after it is seen to be finished.
- While initial states are flipped, spin by spin, only those replicas have a turn that begin with
  the spin negative (or a single replica, which flips nothing, if there is none).

While sweeps are done, at least `AnnealerSize.least_turns` turns remain in a round.

*Thresholds.* In each cycle ``stride`` samples of each digit are drawn. Every P of them, in the
order in which they are drawn, make a *word* of P thresholds, which is written to a ring buffer. In
turn t of a round, counted from 0, a replica reads as many words in a row as it visits windows. The
first of them is the word ``w + t - turn - LAG``, where w is the number of words that were complete
when the round began. Two properties follow:

- Because of `AnnealerSize.least_turns`, w grows in a round by at least the number of windows, so a
  replica never sees a word twice. All its decisions use samples of their own, and there is nothing
  to be gained by sitting out turns.
- w also grows by at least the number of turns, so no two replicas ever see a sample at the same
  spin, not even in different rounds. Other replicas do see a sample at other spins: in neighbouring
  windows, in the same place of the window.
"""

from __future__ import annotations

import numpy as np

MIN_TURN = 8
"""Least number of cycles of a turn, and least number of windows of a build."""

MIN_REPLICAS = 3
"""Least number of replicas. The record of a replica is read one turn before its own and written in
the turn that follows on its own; the replica must not have another turn in between."""

COUPLING_WIDTHS = 2, 4, 8
"""Widths of a coupling in bits with which the couplings of a window fill a power of two of bytes,
as memories with byte addresses need."""

LAG = 2
"""Words by which a turn reads behind the newest complete word, beyond the words of its own pass:
samples that are drawn take some cycles to reach the ring buffer."""


def spins_for(window: int, variables: int) -> int:
    """Count the spins that a build needs for a problem.

    Parameters
    ----------
    window : int
        Spins of a window.
    variables : int
        Number of variables of the problem.

    Returns
    -------
    int
        Least number of spins, in whole windows.
    """
    return window * max(MIN_TURN, -(-variables // window))


def flip_turns(states: np.ndarray) -> list[int]:
    """Count the turns of the rounds in which initial states are reached by flips.

    Parameters
    ----------
    states : ndarray of int of shape (replicas, n)
        Initial states of +1 and -1.

    Returns
    -------
    list of int
        For each variable, the turns of its round: one for each replica that flips it, at least one.
    """
    return np.maximum((states < 0).sum(axis=0), 1).tolist()
