"""Which bytes of the annealer's results a problem uses."""

from __future__ import annotations

from ..contract.annealer.image import RESULT_HEADER, result_bytes, stride_bits
from ..contract.annealer.segments import segment_firsts
from ..contract.annealer.size import AnnealerSize
from ..contract.wire.frames import FRAME_OVERHEAD
from ..contract.wire.packets import MEMORY, READ_COUNT

GAP = FRAME_OVERHEAD + MEMORY.size + READ_COUNT.size
"""Unused bytes between two used ones up to which one READ takes all of them: a further READ costs
so many bytes on the line, in the direction that is busier then."""


def result_ranges(size: AnnealerSize, variables: int) -> list[tuple[int, int]]:
    """List the bytes of `AnnealerSpace.RESULTS` to read after a run.

    The results of a small problem are a few bytes of each state, as its variables are the last
    spins of each segment. The others are left out where that saves bytes on the line.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    variables : int
        Number of variables of the problem, 1 to ``size.spins``.

    Returns
    -------
    list of (int, int)
        Address of the first byte of each range, and of the byte after its last.

    Examples
    --------
    >>> size = AnnealerSize(spins=256, coupling_bits=4, field_bits=12, replicas=16,
    ...                     strides=(1,) * 8, offset_rows=256, steps=256)
    >>> sum(end - begin for begin, end in result_ranges(size, 256))  # all blocks, and no gaps
    1232
    >>> result_ranges(size, 32)[:4]
    [(0, 13), (41, 45), (73, 77), (128, 141)]
    """
    state = (result_bytes(size) - RESULT_HEADER.size) // 2
    stride = 1 << stride_bits(result_bytes(size))
    used = [
        ((number * size.segment + first) // 8, -(-(number + 1) * size.segment // 8))
        for number, first in enumerate(segment_firsts(size, variables))
        if first < size.segment
    ]
    found: list[tuple[int, int]] = []
    for replica in range(size.replicas):
        block = replica * stride
        states = block + RESULT_HEADER.size
        pieces = [
            (begin + low, begin + high) for begin in (states, states + state) for low, high in used
        ]
        for begin, end in [(block, states), *pieces]:
            if found and begin - found[-1][1] <= GAP:
                found[-1] = found[-1][0], end
            else:
                found.append((begin, end))
    return found
