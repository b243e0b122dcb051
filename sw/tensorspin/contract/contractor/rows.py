"""Single mode: all groups of a contractor work on one sample, a row of the program at a time.

In throughput mode each group contracts a sample of its own, and all of them take the same word of
the program. In single mode each group takes a word of its own: those of one *row*, which are as
many successive words as there are groups. So a row holds the weights of as many elements, or of
twice as many if the node is narrow, and the groups' partial sums are added when a block drains.
Program, order of the words, and scores are the same in both modes; only the cycles differ.

An element is issued in cycle 0, as in `tensorspin.contract.contractor.latency`, whose latencies
hold up to the sums of the lanes:

=========================== ========================================================================
cycle
=========================== ========================================================================
`Rows.issue_to_read`        the row's address is at the banks of the program memory
`Pipeline.issue_to_weight`  each group's word has been moved from its bank to the group
``MULTIPLY_ACCUMULATE``     later than its factors: accumulated, and copied at the end of a block
`Rows.issue_to_drain`       the first sums of all groups are joined, and less those before
=========================== ========================================================================
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .latency import MULTIPLY_ACCUMULATE, START_TO_HEADER
from .size import ContractorSize


class Mode(enum.Enum):
    """What the groups of a contractor do."""

    THROUGHPUT = "throughput"
    """Each group contracts a sample of its own."""
    SINGLE = "single"
    """All groups contract one sample together."""


def check_mode(mode: Mode | str | None) -> Mode | None:
    """Return a mode that was given by its name.

    Parameters
    ----------
    mode : Mode, str or None
        "throughput", "single", or None for no choice.

    Returns
    -------
    Mode or None
        The mode.

    Raises
    ------
    ValueError
        If there is no such mode.
    """
    if mode is None:
        return None
    if isinstance(mode, Mode):
        return mode
    names = [member.value for member in Mode]
    if mode not in names:
        raise ValueError(f"mode must be {', '.join(map(repr, names))} or None, not {mode!r}")
    return Mode(mode)


HEADER_TO_LOAD = 3
"""Cycles from the arrival of a header to the earliest load of its node: a register, and the levels
of the node's features are read and brought to all groups."""

NODES = 16
"""Nodes that may have begun and not be released yet."""

NORMALISE_READ = 1
"""Cycles from the start of a node's normalisation to the read of its first outputs. A node may
start in the cycle in which the last outputs of the node before it are read."""

NORMALISE_RELEASE = 2
"""Cycles from the read of a node's last outputs to the release of the nodes that wait for it."""

NORMALISE_WRITE = 4
"""Cycles from the read of outputs to their write: shift in two steps, round, a register in each
group, write."""


@dataclass(frozen=True)
class Rows:
    """Shape and latencies of a contractor's single mode.

    Parameters
    ----------
    size : ContractorSize
        The contractor, one with `ContractorSize.single_drain`.

    Raises
    ------
    ValueError
        If its groups cannot share a sample.

    Examples
    --------
    >>> from tensorspin.contract.contractor import ContractorSize
    >>> size = ContractorSize(8, 1024, 64, 2, 4, 16, groups=3, single_drain=2)
    >>> rows = Rows(size)
    >>> rows.slices, rows.read, rows.issue_to_read, rows.issue_to_drain
    (4, 3, 3, 13)
    """

    size: ContractorSize

    def __post_init__(self) -> None:
        if not self.size.single_drain:
            raise ValueError("the groups of this contractor cannot share a sample")

    @property
    def slices(self) -> int:
        """Cycles in which the sums of a block drain."""
        return self.size.lanes // self.size.single_drain

    @property
    def _steps(self) -> int:
        """Pairs of the steps by which words are moved to groups, or sums of groups are joined."""
        return -(-(self.size.banks.bit_length() - 1) // 2)

    @property
    def read(self) -> int:
        """Cycles from the banks' addresses to the words at the groups.

        They are the memory, a register behind it, and a rotation of two steps a cycle.
        """
        return 2 + self._steps

    @property
    def issue_to_read(self) -> int:
        """Cycles from the issue of elements to the address of their row."""
        return self.size.latencies.issue_to_weight - self.read

    @property
    def read_ahead(self) -> int:
        """Cycles in which the program is read before the start of samples in throughput mode.

        So the first header is there in time, ``START_TO_HEADER`` cycles after the start.
        """
        return self.read + 1 - START_TO_HEADER

    @property
    def issue_to_drain(self) -> int:
        """Cycles from the issue of a block's last elements to its first sums.

        They are accumulation, copy, the first addition, and then two additions a cycle. The
        difference from the block before counts as an addition.
        """
        copied = self.size.latencies.issue_to_factors + MULTIPLY_ACCUMULATE + 1
        return copied + 1 + self._steps
