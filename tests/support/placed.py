"""Placed designs with nothing but block RAMs, as texts."""

from __future__ import annotations

from collections.abc import Sequence

from tensorspin_gateware.build.placed_memory import PLACED
from tensorspin_gateware.primitives import Family

_HEADS = {Family.ICE40UP: ".ram_data 6 {odd}\n", Family.ECP5: ".bram_init {number}\n"}


def design(family: Family, *contents: Sequence[int]) -> str:
    """Write a placed design.

    Parameters
    ----------
    family : Family
        Family of its FPGA.
    *contents : sequence of int
        Words of each block RAM.

    Returns
    -------
    str
        The text.
    """
    rams = "".join(
        _HEADS[family].format(odd=2 * number + 1, number=number)
        + PLACED[family].write(words)
        + "\n"
        for number, words in enumerate(contents)
    )
    return f".comment placed\n.device 5k\n.logic_tile 1 1\n0101\n\n{rams}.sym 4 name\n"
