"""Boards whose contractor does more than that of their row in the table.

The name of a board with a prefix stands for the board with another contractor, wherever the name of
a board is asked for: ``sim://protect/ulx3s_25f``, ``tensorspin bitstream resident/icebreaker``.
Otherwise it has the same sizes.

``protect/NAME``
    The contractor corrects changed bits of protected programs. These boards have an ECP5, whose
    logic has room for it.
``resident/NAME``
    The contractor's memories are two halves, for two programs at a time
    (`tensorspin.contract.contractor.resident`). Each program has half of what it has in the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from .board import BoardSpec
from .description import NAME_BYTES


@dataclass(frozen=True)
class Variant:
    """One way in which a contractor does more.

    Parameters
    ----------
    field : str
        Field of `ContractorSize` that is 1.
    what : str
        What such a contractor does, for messages.
    fpga : str, default=""
        FPGA that the boards must have, as their titles name it; empty: any.
    """

    field: str
    what: str
    fpga: str = ""


VARIANTS = {
    "protect/": Variant("protected", "corrects changed bits", "ECP5"),
    "resident/": Variant("resident", "holds two programs"),
}
"""The variants, by what the names of their boards begin with."""


@dataclass(frozen=True)
class VariantBoard(BoardSpec):
    """A board with another contractor than its row in the table.

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


def bases(prefix: str, boards: Mapping[str, BoardSpec]) -> list[str]:
    """List the boards that can have such a contractor.

    Parameters
    ----------
    prefix : str
        Key of `VARIANTS`.
    boards : mapping of str to BoardSpec
        The table of boards.

    Returns
    -------
    list of str
        Names of rows with a contractor. Those are left out whose names would be too long with the
        prefix to be told by the device.
    """
    return [
        name
        for name, row in boards.items()
        if row.contractor is not None
        and VARIANTS[prefix].fpga in row.title
        and not row.contractor.single_drain
        and len(prefix + name) <= NAME_BYTES
    ]


def find_variant(name: str, boards: Mapping[str, BoardSpec]) -> VariantBoard | None:
    """Make the board that a name stands for.

    Parameters
    ----------
    name : str
        Name of a board.
    boards : mapping of str to BoardSpec
        The table of boards.

    Returns
    -------
    VariantBoard or None
        The board; None if the name begins with none of the prefixes.

    Raises
    ------
    ValueError
        If there is no such row, or it can't have such a contractor; the message lists those that
        can.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import BOARDS, find_board
    >>> find_board("protect/ulx3s_25f") == find_variant("protect/ulx3s_25f", BOARDS)
    True
    >>> find_board("resident/icebreaker").contractor.resident
    1
    """
    prefix, _, base = name.partition("/")
    prefix += "/"
    if prefix not in VARIANTS or "/" not in name:
        return None
    variant, possible = VARIANTS[prefix], bases(prefix, boards)
    if base not in possible:
        raise ValueError(
            f"there is no board {name!r}: a contractor that {variant.what} can be built for "
            f"{', '.join(possible)}"
        )
    row = boards[base]
    size = row.require_contractor()
    if variant.field == "resident":
        words, components = size.program_words // 2, size.components // 2
        size = replace(size, program_words=words, components=components)
    size = replace(size, **{variant.field: 1})
    given = {each.name: getattr(row, each.name) for each in fields(BoardSpec)}
    given |= {"name": name, "engines": row.engines.with_sizes(size)}
    return VariantBoard(**given, base=base)
