"""How long a run of the contractor can last, whatever its program memory holds.

A run always ends. That follows from four facts, each proved of the gateware by induction
(`tests/formal/test_ending.py`), for any words in the memory:

- In each cycle until its last element has been issued, an element is issued; or the sums of the
  block before drain, for ``lanes - 1`` cycles after a block at most; or the next node must wait for
  the release of an earlier one; or no more than `fetch_limit` cycles have passed since an element,
  a release or the start.
- A node is released within `release_limit` cycles, which count from its last element, or from a
  later element or release.
- Each header and each two elements take a word of the memory, and each block one at least.
- When all words of the memory have been taken, elements of `LATE_NODES` nodes at most are to come:
  a header that is read past the end counts as that of the last node.

So each cycle can be put down to an element, a block or a node, and those to words.
"""

from __future__ import annotations

from .latency import CORRECT, ISSUE_TO_ADDRESS
from .program import MAX_OPERAND, MAX_OUTPUTS
from .size import ContractorSize

LATE_NODES = 3
"""Nodes at most that have elements left when the last word of the memory has been taken."""


def fetch_limit(size: ContractorSize) -> int:
    """Count the cycles at most in which headers are taken and nothing else happens.

    Parameters
    ----------
    size : ContractorSize

    Returns
    -------
    int
        Clock cycles, from an element, a release or the start of a run on.
    """
    return size.latencies.issue_to_weight + 2


def release_limit(size: ContractorSize, outputs: int) -> int:
    """Count the cycles at most until the oldest complete node is released.

    Parameters
    ----------
    size : ContractorSize
    outputs : int
        Outputs of that node.

    Returns
    -------
    int
        Clock cycles after the last element or release.
    """
    pipeline = size.latencies
    normalise = pipeline.find_shift + outputs - 1 + pipeline.normalise_release
    return size.lanes + pipeline.issue_to_drain + normalise


def most_cycles(size: ContractorSize) -> int:
    """Bound the clock cycles of a run in throughput mode.

    Any program memory counts, also one that holds no program, or a faulty one.

    Parameters
    ----------
    size : ContractorSize
        Lanes, words of the program memory and pipeline of the contractor.

    Returns
    -------
    int
        Clock cycles that no run exceeds. It is no exact maximum: programs are known that take 0.55
        of it.

    Examples
    --------
    >>> from tensorspin.contract.contractor.bound import most_cycles
    >>> from tensorspin.contract.contractor import ContractorSize
    >>> size = ContractorSize(8, 16384, 1024, 4, 16, 32, pipeline=1)
    >>> most_cycles(size)
    557788
    """
    lanes = size.lanes
    # A node's elements take a cycle each. To those come, for each block, its drain, and a cycle for
    # each of its outputs while it is normalised; and for the node its header and its release.
    block = lanes - 1 + lanes
    node = fetch_limit(size) + release_limit(size, outputs=0)
    # A word of weights is that of two elements at most, and of one block. A node takes a header and
    # one of these at least: the more of these it takes, the less its own part counts.
    weights = 2 + block
    word = -(-max(weights + node, 2 * weights) // 2)
    # Elements are issued some cycles before their words are taken.
    words = size.program_words + size.latencies.issue_to_weight
    blocks = -(-MAX_OUTPUTS // lanes)
    late = LATE_NODES * (blocks * (MAX_OPERAND**2 + block) + node)
    end = ISSUE_TO_ADDRESS + 1  # from the last release to the last score; and the start
    end += CORRECT * size.protected  # of the first header; others wait anyway
    return words * word + late + end
