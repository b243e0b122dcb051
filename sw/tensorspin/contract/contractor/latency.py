"""Latencies of the contractor's pipeline in clock cycles.

The gateware builds its delays from these numbers, and the golden model counts cycles with them.
The test benches compare the two, so that neither can drift from the other.

An element is one product ``left[a] * right[b]``; it is issued in cycle 0 of this table:

===== ==========================================================================
cycle
===== ==========================================================================
0     issued by the sequencer
2     addresses at vector memories and feature tables
3     operands at the memories' outputs
4     operands registered
6     product complete; its weight leaves the program memory
7     product rounded to 16 bits, weight registered
10    accumulated
10    if the last of its block: accumulators copied
12    the first of them drains, one follows in each cycle
===== ==========================================================================
"""

from __future__ import annotations

ISSUE_TO_ADDRESS = 2
"""Cycles from the issue of an element to the addresses of its operands. The address of a feature's
row is its level, which must first be read from a memory of its own."""

MULTIPLY = 2
"""Cycles from the registered operands to their product."""

ISSUE_TO_WEIGHT = ISSUE_TO_ADDRESS + 1 + 1 + MULTIPLY
"""Cycles from issue to the read of the weight: address, memory, operand register, multiplier."""

ISSUE_TO_FACTORS = ISSUE_TO_WEIGHT + 1
"""Cycles from issue to the factors of the lanes: the product is rounded while the weight is taken
from its word."""

MULTIPLY_ACCUMULATE = 3
"""Cycles from the factors to the sum that includes them. One register each holds the factors, their
product, and the sum."""

ISSUE_TO_DRAIN = ISSUE_TO_FACTORS + MULTIPLY_ACCUMULATE + 2
"""Cycles from the issue of a block's last element to the first drained output: accumulation, copy,
difference from the block before."""

NORMALISE_READ = 1
"""Cycles from the start of a node's normalisation to the read of its first output; meanwhile the
shift is found."""

NORMALISE_RELEASE = 2
"""Cycles from the normaliser's read of a node's last output to the release of the nodes that wait
for it. The vector's last entry is written two cycles after that, just in time: a node that starts
at once reads it `ISSUE_TO_ADDRESS` cycles later at the earliest."""

NORMALISE_WRITE = 4
"""Cycles from the normaliser's read of an output to its write: shift in two steps, round, write."""

START_TO_HEADER = 2
"""Cycles from the start of a sample to its first header: the program memory, and a register behind
it."""

MEMORY_READ = 8
"""Cycles from an address on the host's memory bus, which holds it, to the data. Both engines have
registers on the way to their memories and back. The annealer's results need all of these cycles;
the contractor's bytes need half of them."""
