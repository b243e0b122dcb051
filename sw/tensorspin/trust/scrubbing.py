"""Scrubbing: a board's memories are read back while it has nothing else to do."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass

from ..contract.contractor.memory import MemorySpace
from ..contract.contractor.size import ContractorSize
from ..contract.engine import EngineKind
from ..driver.board import Board
from ..driver.contractor import ContractorDriver
from .faults import Fault


@dataclass(frozen=True)
class ScrubReport:
    """What `scrub` found.

    Parameters
    ----------
    seen : tuple of Fault
        Changed bits that a run would have told, once it had read them.
    hidden : tuple of Fault
        Changed bits that no run tells: all, on a board without checks; on one with them, bits of
        the feature table of which an even number has changed in a byte, so that its parity is right
        again.
    repaired : bool
        Whether the program was loaded again.

    Examples
    --------
    >>> from tensorspin.contract.contractor import MemorySpace
    >>> print(ScrubReport((Fault(MemorySpace.PROGRAM, address=3, bit=7),), (), repaired=True))
    bits that have changed: 1; a run tells 1 of them and hides 0; the program was loaded again
    """

    seen: tuple[Fault, ...]
    hidden: tuple[Fault, ...]
    repaired: bool

    def __str__(self) -> str:
        found = len(self.seen) + len(self.hidden)
        if not found:
            return "no bit has changed"
        after = "the program was loaded again" if self.repaired else "they are still there"
        return (
            f"bits that have changed: {found}; a run tells {len(self.seen)} of them and hides "
            f"{len(self.hidden)}; {after}"
        )


def scrub(board: Board, *, repair: bool = True) -> ScrubReport:
    """Read back what a board holds, find the bits that have changed, and load the program again.

    What a board checks in each run stands in docs/contractor.md. This finds the rest, too; it reads
    all of the program and its feature table, which takes as long as loading them. So it is for
    times in which nothing is asked of the board, often enough that few bits change in between.

    Parameters
    ----------
    board : Board
        An open board with a program loaded.
    repair : bool, default=True
        Whether the program is loaded again if a bit has changed.

    Returns
    -------
    ScrubReport
        The bits, by whether a run would have told them.

    Raises
    ------
    TensorspinError
        If no program is loaded, the board has no contractor, is locked (nobody reads its memories;
        its check of the tag when it is loaded finds all changes), or is lost.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import Board, MPSClassifier
    >>> from tensorspin.contract.contractor import MemorySpace
    >>> from tensorspin.trust import Fault, inject, scrub
    >>> model = MPSClassifier(4, epochs=1, random_state=0).fit(*load_iris(return_X_y=True))
    >>> with Board.open("golden://icebreaker") as board:
    ...     board.load(model.quantize())
    ...     inject(board, *(Fault(MemorySpace.TABLE, address=0, bit=bit) for bit in (0, 5)))
    ...     found, after = scrub(board), scrub(board)
    >>> len(found.hidden), found.repaired, str(after)
    (2, True, 'no bit has changed')
    """
    with board.exclusive():
        driver = board._driver(EngineKind.CONTRACTOR, ContractorDriver)
        faults = [Fault(MemorySpace(space), *place) for space, *place in driver.changed_bits()]
        program = driver.program
        if faults and repair and program is not None:
            driver.load(program, force=True)
    flipped = Counter((each.space, each.address) for each in faults)
    size = board.info.require_contractor()
    told = [_tells(size, each.space, flipped[each.space, each.address]) for each in faults]
    seen = tuple(each for each, tells in zip(faults, told) if tells)
    hidden = tuple(each for each, tells in zip(faults, told) if not tells)
    return ScrubReport(seen, hidden, bool(faults) and repair)


def _tells(size: ContractorSize, space: enum.IntEnum, flipped: int) -> bool:
    """Tell whether a run notices so many changed bits in a byte that it reads."""
    if space is MemorySpace.TABLE:
        return bool(size.table_parity and flipped % 2)
    return bool(size.signature)
