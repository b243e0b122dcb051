"""Boards whose contractor corrects changed bits of protected programs.

``protect/NAME`` stands for the board NAME of the table with such a contractor, wherever the name of
a board is asked for: ``sim://protect/ulx3s_25f``, ``tensorspin bitstream protect/ulx3s_25f``.
Otherwise it has the same sizes. These boards have an ECP5, whose logic has room for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from .board import BoardSpec
from .description import NAME_BYTES

PREFIX = "protect/"
"""What the names of such boards begin with."""


@dataclass(frozen=True)
class ProtectedBoard(BoardSpec):
    """A board whose contractor corrects changed bits.

    Parameters
    ----------
    base : str
        Row of the table of boards whose hardware it is; see `BoardSpec` for the others.
    """

    base: str = ""

    @property
    def hardware(self) -> str:
        """Name of the board's row in the gateware's table."""
        return self.base


def bases(boards: Mapping[str, BoardSpec]) -> list[str]:
    """List the boards that can have such a contractor.

    Parameters
    ----------
    boards : mapping of str to BoardSpec
        The table of boards.

    Returns
    -------
    list of str
        Names of rows with a contractor on an ECP5. Those are left out whose names would be too long
        with `PREFIX` to be told by the device.
    """
    return [
        name
        for name, row in boards.items()
        if row.contractor is not None
        and "ECP5" in row.title
        and not row.contractor.single_drain
        and len(PREFIX + name) <= NAME_BYTES
    ]


def make_board(base: str, boards: Mapping[str, BoardSpec]) -> ProtectedBoard:
    """Make a board of a row.

    Parameters
    ----------
    base : str
        Name of the row.
    boards : mapping of str to BoardSpec
        The table of boards.

    Returns
    -------
    ProtectedBoard
        The board.

    Raises
    ------
    ValueError
        If there is no such row, or it can't have such a contractor; the message lists those that
        can.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import BOARDS, find_board
    >>> find_board("protect/ulx3s_25f") == make_board("ulx3s_25f", BOARDS)
    True
    """
    possible = bases(boards)
    if base not in possible:
        raise ValueError(
            f"there is no board {PREFIX + base!r}: a contractor that corrects changed bits can be "
            f"built for {', '.join(possible)}"
        )
    row = boards[base]
    size = replace(row.require_contractor(), protected=1)
    given = {each.name: getattr(row, each.name) for each in fields(BoardSpec)}
    given |= {"name": PREFIX + base, "engines": row.engines.with_sizes(size)}
    return ProtectedBoard(**given, base=base)
