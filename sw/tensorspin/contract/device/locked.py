"""Boards whose contractor is locked: rows of the table with `ContractorSize.lock`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .board import BoardSpec, derive
from .sizes import LOCKED, UP5K_LOCKED, UP5K_LOCKED_HZ

MOST_HZ = 80_000_000
"""Greatest clock of a locked board in Hz. On ECP5 a word of the microcode comes from block RAM in
5.6 ns, and what follows on it takes as long again."""


@dataclass(frozen=True)
class LockedBoard(BoardSpec):
    """A board with a locked contractor.

    Parameters
    ----------
    key_file : str
        Where a virtual board finds its key; see `BoardSpec` for the others.
    """

    key_file: str = ""

    @property
    def file_name(self) -> str:
        """The board's name as the stem of a file."""
        return f"{super().file_name}-locked"

    @property
    def folder(self) -> str:
        """Name of the folder of the board's builds, which hold no key."""
        return self.file_name


def lock_board(board: BoardSpec, key_file: str = "") -> LockedBoard:
    """Lock the contractor of a board.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    key_file : str
        Where a virtual board finds its key.

    Returns
    -------
    LockedBoard
        The same board with a locked contractor, which is smaller where the lock does not fit beside
        it, and with a clock of `MOST_HZ` at most, or `sizes.UP5K_LOCKED_HZ`.

    Raises
    ------
    ValueError
        If it has no contractor.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> lock_board(find_board("icebreaker")).require_contractor().lock
    1
    """
    if board.contractor is None:
        raise ValueError(f"{board.owner} has no contractor, which alone can be locked")
    locked = board.engines.with_sizes(replace(board.contractor, lock=1))
    changes = LOCKED.get(board.engines, {"engines": locked})
    most_hz = UP5K_LOCKED_HZ if changes["engines"] == UP5K_LOCKED["engines"] else MOST_HZ
    clock_hz = min(board.clock_hz, most_hz)
    return derive(board, LockedBoard, **changes, clock_hz=clock_hz, key_file=key_file)
