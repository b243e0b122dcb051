"""The annealer's memories as the host addresses them, by byte, little-endian.

========== ============================================================================
space      content
========== ============================================================================
COUPLINGS  rows of the couplings, then the offset rows; spin 0 in the lowest bits of a row
STEPS      the schedule: a step's probabilities, lowest digit first, and its sweeps, two
           bytes each
SEEDS      `SEED_BYTES` for each generator, written in ascending order
RUN        first spin, offset rows, refresh, steps, two bytes each
========== ============================================================================

Rows and steps begin at multiples of a power of two.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import numpy as np

from .annealer import PROBABILITY, SWEEPS, AnnealerSize
from .ising import IsingProblem, Step

RUN_FIELDS = ("first", "offset_rows", "refresh", "steps")
"""Parameters of a run, in the order of their addresses."""

RUN_FIELD_BYTES = 2


class AnnealerSpace(enum.IntEnum):
    """Selects a memory of the annealer."""

    COUPLINGS = 0
    STEPS = 1
    SEEDS = 2
    RUN = 3


def row_bytes(size: AnnealerSize) -> int:
    """Bytes of a row of couplings."""
    return -(-size.spins * size.coupling_bits // 8)


def step_bytes(size: AnnealerSize) -> int:
    """Bytes of a step."""
    return (size.threshold_bits * PROBABILITY.width + SWEEPS.width) // 8


def stride_bits(length: int) -> int:
    """Base-2 logarithm of the bytes between the beginnings of two rows, or steps."""
    return (length - 1).bit_length()


def couplings_image(problem: IsingProblem) -> list[bytes]:
    """Rows of the coupling memory, `row_bytes` each."""
    size = problem.size
    bits = size.coupling_bits
    rows = problem.rows() & ((1 << bits) - 1)
    digits = (rows[:, :, None] >> np.arange(bits)) & 1
    packed = np.packbits(digits.reshape(len(rows), -1).astype(np.uint8), axis=1, bitorder="little")
    return [row.tobytes() for row in packed]


def steps_image(steps: Sequence[Step]) -> list[bytes]:
    """Words of the schedule, `step_bytes` each."""
    return [np.array([*s.probabilities, s.sweeps], dtype="<u2").tobytes() for s in steps]


def run_image(problem: IsingProblem, refresh: int, steps: Sequence[Step]) -> bytes:
    """Content of `AnnealerSpace.RUN`."""
    values = (problem.first, problem.offset_rows, refresh, len(steps))
    return np.array(values, dtype="<u2").tobytes()
