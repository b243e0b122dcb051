"""What the parts tell each other."""

from __future__ import annotations

from amaranth.lib import data
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.size import REFRESH, SWEEPS, AnnealerSize

from ..common.interface import slot_bits


def window_bits(size: AnnealerSize) -> int:
    """Width of a window's number."""
    return ceil_log2(size.windows)


def lane_bits(size: AnnealerSize) -> int:
    """Width of a spin's place in its window."""
    return ceil_log2(size.window)


def row_index_bits(size: AnnealerSize) -> int:
    """Width of the number of a row of couplings."""
    return ceil_log2(size.spins + size.offset_rows)


def place_layout(size: AnnealerSize) -> data.StructLayout:
    """A window of a replica: an address of what is kept of the spins."""
    return data.StructLayout({"window": window_bits(size), "slot": slot_bits(size)})


def flip_layout(size: AnnealerSize) -> data.StructLayout:
    """Whether a spin is flipped (`valid`), which, and whether it was `negative`."""
    return data.StructLayout(
        {"valid": 1, "negative": 1, "spin": window_bits(size) + lane_bits(size)}
    )


def progress_layout(size: AnnealerSize) -> data.StructLayout:
    """What a replica has found in its last turn, and what it has to do.

    `keep` says that its state before the next flip is the best so far, `left` are the sweeps left
    in the step, `rest` the turns to sit out.
    """
    return data.StructLayout(
        {"flip": flip_layout(size), "keep": 1, "left": SWEEPS.width, "rest": REFRESH.width}
    )


def pass_layout(size: AnnealerSize) -> data.StructLayout:
    """What a turn does, the same for all of its windows.

    The couplings are added if `add`, or subtracted if `subtract`; with `clear` all spins become
    positive and the fields the row's lowest bits. `flip` flips a spin. `keep` makes the states
    before all this the best. If `active`, the spins from `cursor` on are compared.
    """
    return data.StructLayout(
        {
            "add": 1,
            "subtract": 1,
            "clear": 1,
            "flip": flip_layout(size),
            "keep": 1,
            "active": 1,
            "cursor": range(size.spins + 1),
        }
    )
