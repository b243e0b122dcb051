"""The check of a run: a signature of the memories that it has read.

A device with `AnnealerSize.signature` reads its memories once more after the last round of a run,
computes their signature (`tensorspin.contract.signature`), and compares it with the one that came
with the run. If they differ, the results cannot be read (`Status.CORRUPT`), and the device says
that its memories do not hold what was written (`DeviceStatus.cleared` falls).

*Why after the run, and all of it.* Which rows of couplings a run reads, and in which order, depends
on its flips, so that no signature of what it takes could be expected. A changed bit, however, stays
until it is written again. So whatever has changed before a run or during it still stands in the
memory at its end, wherever it was read. That covers couplings, linear terms (offset rows),
temperatures (the probabilities of the schedule and of the ladder) and initial states alike. A check
before the run would miss what happens during it.

*Lines.* Line number i of the check has word i of each memory, side by side:

- COUPLINGS: a row; with several flips a turn, row i of each bank, also the one that is always zero;
  with windows, one window of a row, ``row << bits | window``. All rows, used or not.
- STEPS: a step of the run; with windows, two bytes of it. Behind the last step there are no more.
- STATES: initial states, if the run begins in them.
- LADDER: a rank, where there is one.

Each word is folded to `SIGNATURE_BITS` bits, and the words of a line are added, modulo 2. So each
change of one bit is found, and of two bits each but those in one line whose places in their words
differ by a multiple of 32. What the memories hold at other addresses is not looked at.

*What it costs.* `check_cycles`, whatever the problem: they are part of the cycles of a run. On the
sizes of boards these are 520 to 1,040 cycles with all spins in one cycle, about 10 us, and 8,201
with windows of 16 (256 spins), .25 ms.

States, fields and energies of the replicas are not covered. The driver holds the energies of all
states that it returns to the problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from ..signature import fold, signature
from .image import (
    SIGNATURE_BYTES,
    AnnealerSpace,
    memory_words,
    rank_bytes,
    row_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from .problem import IsingProblem
from .segments import bank_rows, bank_stride, memory_rows
from .size import AnnealerSize

CHECK_BEGIN = 1
"""Cycles from the end of the last round to the first line."""

CHECK_DRAIN = 8
"""Cycles from the last line to the verdict."""

STEP_WORD_BYTES = 2
"""Bytes of a step that a build with windows reads in one cycle: the width of one block RAM of an
iCE40. A whole step at once would take a block RAM for each two bytes, most of it empty."""


def check_lines(size: AnnealerSize) -> int:
    """Count the lines of the check.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    int
        Number of lines, the same for all runs.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> boards = find_board("icebreaker_annealer"), find_board("ulx3s_25f_annealer")
    >>> [check_lines(board.require_annealer()) for board in boards]
    [8192, 512]
    """
    if size.window:
        rows = size.spins + size.offset_rows
        return max(rows << (size.windows - 1).bit_length(), size.steps << step_word_bits(size))
    # With several banks, each has a row more, which is zero.
    return max(bank_rows(size) + (size.flips > 1), size.steps, size.replicas * size.tempering)


def check_cycles(size: AnnealerSize) -> int:
    """Count the clock cycles of the check of a run.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    int
        Cycles from the end of the last round to the end of the run.
    """
    return CHECK_BEGIN + check_lines(size) + CHECK_DRAIN


def step_word_bits(size: AnnealerSize) -> int:
    """Give the bits of the number of a step's word, on a device with windows.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    int
        Base-2 logarithm of the words of `STEP_WORD_BYTES` from a step to the next.
    """
    return stride_bits(step_bytes(size)) - STEP_WORD_BYTES.bit_length() + 1


def fold_couplings(size: AnnealerSize, rows: np.ndarray) -> np.ndarray:
    """Fold the rows of couplings to the lines of the check.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    rows : ndarray of uint8 of shape (n_rows, n_bytes)
        The rows from the first one on; those behind them are zero. With windows they may have more
        than `row_bytes` bytes: the unused windows behind the last one are read, too.

    Returns
    -------
    ndarray of uint32 of shape (n_lines,)
        The lines, up to the last one that these rows are part of.
    """
    if size.window:
        length = size.window * size.coupling_bits // 8
        whole = np.zeros((len(rows), 1 << stride_bits(row_bytes(size))), dtype=np.uint8)
        whole[:, : rows.shape[1]] = rows
        return fold(whole.reshape(-1, length))
    folded = fold(rows)
    if size.flips == 1:
        return folded
    banks = np.zeros(size.flips * bank_stride(size), dtype=np.uint32)
    banks[: len(folded)] = folded
    own = banks.reshape(size.flips, -1)[:, : bank_rows(size) + 1]
    return np.bitwise_xor.reduce(own, axis=0)


def memory_signature(
    size: AnnealerSize,
    couplings: np.ndarray,
    steps: np.ndarray,
    states: np.ndarray | None = None,
    ladder: np.ndarray | None = None,
) -> int:
    """Compute the signature of what the memories hold.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    couplings : ndarray of uint32 of shape (n_lines,)
        The couplings, as `fold_couplings` gives them.
    steps : ndarray of uint8 of shape (n_steps, step_bytes)
        The steps of the run.
    states : ndarray of uint8 of shape (segment, state_bytes), optional
        Words of the initial states, if the run begins in them.
    ladder : ndarray of uint8 of shape (replicas, rank_bytes), optional
        Words of the ladder, where there is one.

    Returns
    -------
    int
        `SIGNATURE_BITS` bits.
    """
    lines = np.zeros(check_lines(size), dtype=np.uint32)
    if size.window:
        words = np.zeros((len(steps), 1 << stride_bits(steps.shape[1])), dtype=np.uint8)
        words[:, : steps.shape[1]] = steps
        steps = words.reshape(-1, STEP_WORD_BYTES)
    parts = [couplings, fold(steps)] + [fold(part) for part in (states, ladder) if part is not None]
    for part in parts:
        lines[: len(part)] ^= part
    return signature(lines.tolist())


def blank_ladder(size: AnnealerSize) -> list[bytes]:
    """Make words of a ladder that no step uses.

    The check reads the ladder of a device that has one, so that something known must stand there.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    list of bytes
        One word for each rank.
    """
    return [bytes(rank_bytes(size))] * size.replicas


_FOLDED: WeakKeyDictionary[IsingProblem, np.ndarray] = WeakKeyDictionary()
"""Folded couplings, as long as their problems are in use."""


def expected_signature(
    problem: IsingProblem, images: Mapping[AnnealerSpace, Sequence[bytes]]
) -> bytes:
    """Compute the signature of what a job writes to a device.

    Parameters
    ----------
    problem : IsingProblem
        The problem of the job.
    images : mapping of AnnealerSpace to sequence of bytes
        For each memory that matters to the job, its words.

    Returns
    -------
    bytes
        The `SIGNATURE_BYTES` at the end of `AnnealerSpace.RUN`.
    """
    words = {
        space: np.frombuffer(b"".join(image), dtype=np.uint8).reshape(len(image), -1)
        for space, image in images.items()
        if space is not AnnealerSpace.COUPLINGS
    }
    couplings = _FOLDED.get(problem)
    if couplings is None:
        rows = np.frombuffer(b"".join(images[AnnealerSpace.COUPLINGS]), dtype=np.uint8)
        rows = rows.reshape(-1, row_bytes(problem.size))
        couplings = _FOLDED[problem] = fold_couplings(problem.size, rows)
    found = memory_signature(
        problem.size,
        couplings,
        words[AnnealerSpace.STEPS],
        words.get(AnnealerSpace.STATES),
        words.get(AnnealerSpace.LADDER),
    )
    return found.to_bytes(SIGNATURE_BYTES, "little")


def stored_signature(
    size: AnnealerSize,
    memories: Mapping[AnnealerSpace, bytes | bytearray],
    n_steps: int,
    initial: bool,
) -> int:
    """Compute the signature of a device's memories, as the device does after a run.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    memories : mapping of AnnealerSpace to bytes or bytearray
        Contents of the memories, by byte address.
    n_steps : int
        Number of steps of the run.
    initial : bool
        Whether the run begins in initial states.

    Returns
    -------
    int
        `SIGNATURE_BITS` bits.

    Raises
    ------
    ValueError
        If there are more steps than the memory holds.
    """
    length = row_bytes(size)
    if size.window:
        length = 1 << stride_bits(length)  # whole windows
    rows = memory_words(memories[AnnealerSpace.COUPLINGS], memory_rows(size), length)
    states = ladder = None
    if initial:
        states = memory_words(memories[AnnealerSpace.STATES], size.segment, state_bytes(size))
    if size.tempering:
        ladder = memory_words(memories[AnnealerSpace.LADDER], size.replicas, rank_bytes(size))
    steps = memory_words(memories[AnnealerSpace.STEPS], n_steps, step_bytes(size))
    return memory_signature(size, fold_couplings(size, rows), steps, states, ladder)
