"""Boards of the table with engines that do more.

The name of a board with a prefix stands for the board of the table with other engines, of otherwise
the same sizes, wherever the name of a board is asked for: ``sim://protect/ulx3s_25f``,
``tensorspin bitstream resident/icebreaker``.

``protect/NAME``
    The contractor corrects changed bits of protected programs. These boards have an ECP5, whose
    logic has room for it.
``resident/NAME``
    The contractor's memories are two halves, each for a program
    (`tensorspin.contract.contractor.resident`).
``sign/NAME``
    All engines compare signatures of what they read, and the contractor the parity of its feature
    table.

The groups of none of them share a sample: no gateware has that together with these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..annealer.size import AnnealerSize
from ..contractor.size import ContractorSize
from .board import BoardSpec, DerivedBoard, derive
from .description import NAME_BYTES
from .engines import Engines


@dataclass(frozen=True)
class Variant:
    """One way in which engines do more.

    Parameters
    ----------
    change : callable
        Gives the engines from those of the row.
    what : str
        What such a board has, for messages.
    needs_contractor : bool, default=True
        Whether only boards with a contractor can have it.
    fpga : str, default=""
        FPGA that the boards must have, as their titles name it; empty: any.
    """

    change: Callable[[Engines], Engines]
    what: str
    needs_contractor: bool = True
    fpga: str = ""

    def fits(self, row: BoardSpec) -> bool:
        """Tell whether a row can be changed so."""
        size = row.contractor
        if size is None:
            return not self.needs_contractor
        return self.fpga in row.title


def _correcting(engines: Engines) -> Engines:
    size = engines.require(ContractorSize)
    return engines.with_sizes(replace(size, protected=1, single_drain=0))


def _halved(engines: Engines) -> Engines:
    size = engines.require(ContractorSize)
    words, components = size.program_words // 2, size.components // 2
    halved = replace(size, program_words=words, components=components, single_drain=0, resident=1)
    return engines.with_sizes(halved)


def _signing(engines: Engines) -> Engines:
    contractor, annealer = engines.find(ContractorSize), engines.find(AnnealerSize)
    if contractor is not None:
        signed = replace(contractor, single_drain=0, signature=1, table_parity=1)
        engines = engines.with_sizes(signed)
    if annealer is not None:
        engines = engines.with_sizes(replace(annealer, signature=1))
    return engines


VARIANTS = {
    "protect/": Variant(_correcting, "a contractor that corrects changed bits", fpga="ECP5"),
    "resident/": Variant(_halved, "a contractor that holds two programs"),
    "sign/": Variant(_signing, "engines that check what they read", needs_contractor=False),
}
"""The variants, by what the names of their boards begin with."""


def bases(prefix: str, boards: Mapping[str, BoardSpec]) -> list[str]:
    """List the boards of which there is a variant.

    Parameters
    ----------
    prefix : str
        Key of `VARIANTS`.
    boards : mapping of str to BoardSpec
        The table of boards.

    Returns
    -------
    list of str
        Names of rows. Those are left out whose names would be too long with the prefix to be told
        by the device.
    """
    return [
        name
        for name, row in boards.items()
        if VARIANTS[prefix].fits(row) and len(prefix + name) <= NAME_BYTES
    ]


def find_variant(name: str, boards: Mapping[str, BoardSpec]) -> DerivedBoard | None:
    """Make the board that a name stands for.

    Parameters
    ----------
    name : str
        Name of a board.
    boards : mapping of str to BoardSpec
        The table of boards.

    Returns
    -------
    DerivedBoard or None
        The board; None if the name begins with none of the prefixes.

    Raises
    ------
    ValueError
        If there is no such row, or it can't be changed so; the message lists those that can.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import BOARDS, find_board
    >>> find_board("protect/ulx3s_25f") == find_variant("protect/ulx3s_25f", BOARDS)
    True
    >>> find_board("resident/icebreaker").contractor.resident
    1
    >>> find_board("sign/ulx3s_25f_both").require_annealer().signature
    1
    """
    for prefix, variant in VARIANTS.items():
        if not name.startswith(prefix):
            continue
        base, possible = name.removeprefix(prefix), bases(prefix, boards)
        if base not in possible:
            raise ValueError(
                f"there is no board {name!r}: {variant.what} can be built for {', '.join(possible)}"
            )
        row = boards[base]
        engines = variant.change(row.engines)
        return derive(row, DerivedBoard, name=name, engines=engines, base=base)
    return None
