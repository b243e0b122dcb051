"""Content of block RAM in designs that have been placed and routed, as the tools write them.

A placed design is a text (``.asc`` of nextpnr-ice40, ``.config`` of nextpnr-ecp5), and what its
block RAMs hold at the start stands in it word by word. So a memory can be given another content in
a moment, while everything else stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..primitives import Family
from ..router.lock.microcode import DEPTH
from .top import NAME, BuildError

_ICE40_LINE, _ECP5_LINE = 16, 8
"""Words, or halves of words, in a line of text."""

_ECP5_HALVES = 2048
"""Halves of 9 bits that a block RAM of an ECP5 holds."""


def _ice40(words: Sequence[int]) -> str:
    """Write words for iCE40: 16 lines of 16 words, the last word of a line first."""
    lines = (words[first : first + _ICE40_LINE] for first in range(0, DEPTH, _ICE40_LINE))
    return "".join(
        "".join(f"{_mirrored(word):04x}" for word in reversed(line)) + "\n" for line in lines
    )


def _mirrored(word: int) -> int:
    """Give a word as it stands in a block RAM: Yosys puts each bit at its mirrored index.

    It does so for all widths of a block RAM, since bits of narrower words are spread over it
    (``ice40/brams_map.v``).
    """
    return sum(1 << int(f"{bit:04b}"[::-1], 2) for bit in range(16) if word >> bit & 1)


def _ecp5(words: Sequence[int]) -> str:
    """Write words for ECP5: halves of 9 bits, the low one first, and zeros behind the words."""
    halves = [half for word in words for half in (word & 0x1FF, word >> 9)]
    halves += [0] * (_ECP5_HALVES - len(halves))
    lines = (halves[first : first + _ECP5_LINE] for first in range(0, _ECP5_HALVES, _ECP5_LINE))
    return "".join(" ".join(f"{half:03x}" for half in line) + "\n" for line in lines)


@dataclass(frozen=True)
class Placed:
    """How the tools of a family write a placed design.

    Parameters
    ----------
    file : str
        Name of its file in the folder of a build.
    content : re.Pattern
        Finds block RAMs; its group is the content.
    write : callable
        Writes `DEPTH` words as such a content.
    """

    file: str
    content: re.Pattern[str]
    write: Callable[[Sequence[int]], str]


PLACED = {
    Family.ICE40UP: Placed(
        f"{NAME}.asc",
        re.compile(r"^\.ram_data \d+ \d+\n((?:[0-9a-f]{64}\n){16})", re.MULTILINE),
        _ice40,
    ),
    Family.ECP5: Placed(
        f"{NAME}.config",
        re.compile(r"^\.bram_init \d+\n((?:[0-9a-f]{3}(?: [0-9a-f]{3}){7}\n){256})", re.MULTILINE),
        _ecp5,
    ),
}
"""The families whose designs can be changed so."""


def replace_words(text: str, family: Family, known: Sequence[int], wanted: Sequence[int]) -> str:
    """Give the block RAM with a known content another one.

    Parameters
    ----------
    text : str
        The placed design.
    family : Family
        Family of the FPGA, a key of `PLACED`.
    known, wanted : sequence of int of length DEPTH
        Words of the memory, of 16 bits, as they are and as they are to be.

    Returns
    -------
    str
        The design with the other content.

    Raises
    ------
    BuildError
        If there is not exactly one block RAM with the known content.
    """
    assert len(known) == len(wanted) == DEPTH
    placed = PLACED[family]
    held = placed.write(known)
    found = [each.span(1) for each in placed.content.finditer(text) if each[1] == held]
    if len(found) != 1:
        raise BuildError(
            f"the placed design has {len(found)} block RAMs with the known content, not 1: other "
            f"versions of the tools may lay it out otherwise"
        )
    ((begin, end),) = found
    return text[:begin] + placed.write(wanted) + text[end:]
