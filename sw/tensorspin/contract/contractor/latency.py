"""Latencies of the contractor's pipeline in clock cycles.

The gateware builds its delays from these numbers, the golden model counts cycles with them; the
test benches hold both to each other.

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
"""Issue to the address of the operands: the feature's level comes from a memory of its own."""

MULTIPLY = 2
"""Registered operands to product."""

ISSUE_TO_WEIGHT = ISSUE_TO_ADDRESS + 1 + 1 + MULTIPLY
"""Issue to the read of the weight: address, memory, operand register, multiplier."""

ISSUE_TO_FACTORS = ISSUE_TO_WEIGHT + 1
"""Issue to the factors of the lanes: the product is rounded while the weight is taken from its
word."""

MULTIPLY_ACCUMULATE = 3
"""Factors to the sum that includes them: factors, their product, the sum registered."""

ISSUE_TO_DRAIN = ISSUE_TO_FACTORS + MULTIPLY_ACCUMULATE + 2
"""Issue of a block's last element to the first drained output: accumulation, copy, difference from
the block before."""

NORMALISE_READ = 1
"""Start of a node's normalisation to the read of its first output: the shift is found."""

NORMALISE_RELEASE = 2
"""Read of an output by the normaliser to the earliest release of nodes that wait for it. The
vector's last entry is written two cycles later, just before `ISSUE_TO_ADDRESS` brings a reader."""

NORMALISE_WRITE = 4
"""Read of an output by the normaliser to its write: shift in two steps, round, write."""

START_TO_HEADER = 2
"""Start of a sample to its first header: the program memory, and a register behind it."""

MEMORY_READ = 8
"""Address on the host's memory bus, which stays, to data. Both engines have registers on the way to
their memories and back; the annealer's results need all of these cycles, the contractor's bytes
half."""
