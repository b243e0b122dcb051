"""The structures of bits that the parts of the engine with windows exchange."""

from __future__ import annotations

from amaranth.lib import data
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.size import REFRESH, SWEEPS, AnnealerSize

from ..common.interface import slot_bits


def window_bits(size: AnnealerSize) -> int:
    """Give the width, in bits, of a window's number.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    int
        Bits. They are the high bits of a spin's number.
    """
    return ceil_log2(size.windows)


def lane_bits(size: AnnealerSize) -> int:
    """Give the width, in bits, of a spin's place in its window.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    int
        Bits. They are the low bits of a spin's number.
    """
    return ceil_log2(size.window)


def row_index_bits(size: AnnealerSize) -> int:
    """Give the width, in bits, of the number of a row of couplings.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    int
        Bits, enough for the rows of all spins and the offset rows.
    """
    return ceil_log2(size.spins + size.offset_rows)


def place_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out the address of a window of a replica in the memories of states and fields.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    StructLayout
        `window`: number of the window. `slot`: number of the replica.
    """
    return data.StructLayout({"window": window_bits(size), "slot": slot_bits(size)})


def flip_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out a flip of a spin.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    StructLayout
        `valid`: there is a flip. `negative`: the spin is -1 before it. `spin`: number of the spin.
    """
    return data.StructLayout(
        {"valid": 1, "negative": 1, "spin": window_bits(size) + lane_bits(size)}
    )


def progress_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out what a replica has found in its last turn, and what it has still to do.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    StructLayout
        `flip`: the flip that the last turn has found, which the next one applies. `keep`: the state
        before that flip is the best so far. `left`: sweeps left in the step. `rest`: turns that the
        replica still sits out.
    """
    return data.StructLayout(
        {"flip": flip_layout(size), "keep": 1, "left": SWEEPS.width, "rest": REFRESH.width}
    )


def pass_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out what a turn does, the same for all of its windows.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    StructLayout
        `add`, `subtract`: twice the row of couplings is added to the fields, or subtracted.
        `clear`: all spins become positive, and each field becomes the row's lowest bit. `flip`: the
        flip that is applied. `keep`: the state before all this becomes the best. `active`: the
        spins from `cursor` on are compared.
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
