"""Latencies of the contractor's pipeline in clock cycles.

The gateware builds its delays from these numbers, and the golden model counts cycles with them.
The test benches compare the two, so that neither can drift from the other.

An element is one product ``left[a] * right[b]``; it is issued in cycle 0 of this table, which is
that of the pipeline `SHORT`:

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

Where a clock is limited by LUTs instead of multipliers, the pipeline is `LONG`: more registers
stand in the multiplier, the rounding and the search for the shift.
"""

from __future__ import annotations

from dataclasses import dataclass

ISSUE_TO_ADDRESS = 2
"""Cycles from the issue of an element to the addresses of its operands. The address of a feature's
row is its level, which must first be read from a memory of its own."""

MULTIPLY_ACCUMULATE = 3
"""Cycles from the factors to the sum that includes them. One register each holds the factors, their
product, and the sum."""

START_TO_HEADER = 2
"""Cycles from the start of a sample to its first header: the program memory, and a register behind
it."""

CORRECT = 1
"""Cycles in which a header of a protected program is corrected. Weights are taken from their words
so many cycles earlier on a contractor that corrects them, so that no other latency changes."""

MEMORY_READ = 8
"""Cycles from an address on the host's memory bus, which holds it, to the data. Both engines have
registers on the way to their memories and back. The annealer's results need all of these cycles;
the contractor's bytes need half of them."""


@dataclass(frozen=True)
class Pipeline:
    """How many cycles the parts of a contractor take whose number is a choice of its builder.

    Parameters
    ----------
    multiply : int
        Cycles from the registered operands to their product.
    round : int
        Cycles in which a number is rounded to 16 bits: 1, or 2 with a register inside.
    find_shift : int
        Cycles from the start of a node's normalisation to the read of its first output; meanwhile
        the shift is found.

    Examples
    --------
    >>> SHORT.issue_to_drain, LONG.issue_to_drain
    (12, 15)
    """

    multiply: int
    round: int
    find_shift: int

    @property
    def issue_to_weight(self) -> int:
        """Cycles from issue to the read of the weight.

        They are address, memory, operand register, multiplier, and all of the rounding but its last
        cycle, in which the weight is taken from its word.
        """
        return ISSUE_TO_ADDRESS + 1 + 1 + self.multiply + self.round - 1

    @property
    def issue_to_factors(self) -> int:
        """Cycles from issue to the factors of the lanes."""
        return self.issue_to_weight + 1

    @property
    def issue_to_drain(self) -> int:
        """Cycles from the issue of a block's last element to the first drained output.

        They are accumulation, copy, difference from the block before.
        """
        return self.issue_to_factors + MULTIPLY_ACCUMULATE + 2

    @property
    def normalise_write(self) -> int:
        """Cycles from the normaliser's read of an output to its write.

        They are the memory, the shift in two steps, and the rounding.
        """
        return 1 + 2 + self.round

    @property
    def normalise_release(self) -> int:
        """Cycles from the normaliser's read of a node's last output to the next node's release.

        That is the release of the nodes that wait for it. The vector's last entry is written two
        cycles after that, just in time: a node that starts at once reads it `ISSUE_TO_ADDRESS`
        cycles later at the earliest.
        """
        return self.normalise_write - ISSUE_TO_ADDRESS


SHORT = Pipeline(multiply=2, round=1, find_shift=1)
"""The pipeline of a contractor with a multiplier of the FPGA's own for the operands' product."""

LONG = Pipeline(multiply=4, round=2, find_shift=3)
"""The pipeline of a contractor whose operands are multiplied by LUTs."""

PIPELINES = (SHORT, LONG)
"""All pipelines; `ContractorSize.pipeline` is an index."""
