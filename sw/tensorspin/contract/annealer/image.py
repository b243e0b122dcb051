"""The annealer's memories as the host addresses them: by byte, little-endian.

========= ============================================================================
space     content
========= ============================================================================
COUPLINGS rows of the couplings, then the offset rows; spin 0 is in the lowest bits of a row. With
          several flips a turn there are banks, which `tensorspin.contract.annealer.segments`
          describes
SPARSE    a script that writes bytes of COUPLINGS. Addresses 0 to `POINTER_BYTES` - 1 hold the
          address of the first byte in COUPLINGS; after it alternate a byte that is written there,
          and a byte by which the address moves on. A script depends on nothing that was written
          before, so a host may repeat it.
CLEAR     a write of a zero to its one byte sets couplings, offset rows and initial states to zero
STEPS     the schedule: for each step the probabilities of the thresholds' digits, lowest digit
          first, then `STEP_FIELDS`; two bytes each
STATES    initial states: a word for each spin, in it a bit for each replica, replica 0 the
          lowest, 1 for a negative spin. With several segments of spins, a word holds those of the
          first spins of all segments, the next word those of the second spins, and so on, a whole
          number of bytes for each segment
RESULTS   a block for each replica, see `tensorspin.contract.annealer.results.AnnealResults.blocks`
LADDER    with parallel tempering: for each rank the probabilities of the digits of its thresholds,
          then those of the thresholds for the exchange with the next rank, lowest digit first; two
          bytes each
RUN       `RUN_FIELDS`, two bytes each, in the first `SEED_BYTES`, which they do not fill; then the
          seeds of the generators; with `AnnealerSize.signature` the expected signature, which an
          ANNEAL may leave out if the run is not to be checked
========= ============================================================================

Rows, steps, words and blocks begin at multiples of a power of two, the *stride*, so that the
gateware finds them with the upper bits of an address. The numbers of the spaces follow on those of
`tensorspin.contract.contractor.memory`.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from ..signature import SIGNATURE_BITS
from ..wire.frames import MAX_PAYLOAD
from ..wire.packets import MEMORY
from .problem import IsingProblem
from .segments import memory_rows, offset_places, spin_rows, variable_spins
from .size import PROBABILITY, AnnealerSize, Exchange, Moving
from .steps import Step
from .tempering import Ladder
from .thresholds import SEED_BYTES, generators

STEP_FIELDS = ("ring", "moving", "exchange", "sweeps")
"""Fields of a step after the probabilities of the thresholds' digits, in the order of their
addresses: attributes of `tensorspin.contract.annealer.steps.Step`."""

STEP_FIELD_BYTES = PROBABILITY.width // 8
"""Bytes of each probability and of each other field of a step."""

RUN_FIELDS = ("first", "offset_rows", "initial", "fill", "refresh", "steps")
"""Parameters of a run, in the order of their addresses: the first spin that is a variable, the
number of offset rows, flags (`INITIAL_STATES`, `SHARED_SWEEPS`, `SIGNED_RUN`), the rounds before
the first comparison, the turns that a replica sits out between two sweeps, and the number of
steps."""

INITIAL_STATES = 1
"""Flag of the parameter `initial`: the replicas begin in initial states."""

SHARED_SWEEPS = 2
"""Flag of the parameter `initial`: the replicas share the sweeps of each step."""

SIGNED_RUN = 4
"""Flag of the parameter `initial`: the memories are checked after the run."""

SIGNATURE_BYTES = SIGNATURE_BITS // 8
"""Bytes of the signature that is expected of them."""

RUN_FIELD_BYTES = 2
"""Bytes of each parameter of a run."""

SEGMENT_FIELDS = ("uneven", "together")
"""Further parameters of a run on a device with several segments of spins, where `first` is the
place in a segment of its first variable: the number of segments, the first ones, that begin one
spin later; and 1 if each segment flips a spin in a turn, 0 if only one of them does."""

POINTER_BYTES = 3
"""Bytes at the beginning of a script, which hold the address in COUPLINGS of its first byte."""

RESULT_HEADER = struct.Struct("<iiIB")
"""First fields of a block of results: half the energy of the last state and half that of the best,
both counted from the energy of the state with all spins positive; the cycles of the run; the rank
of the replica, which is its number where there is no ladder."""


_COUPLINGS: WeakKeyDictionary[IsingProblem, list[bytes]] = WeakKeyDictionary()
"""Images of the coupling memory, as long as their problems are in use."""


class AnnealerSpace(enum.IntEnum):
    """Number of a memory of the annealer, as requests name it."""

    COUPLINGS = 2
    SPARSE = 3
    CLEAR = 4
    STEPS = 5
    STATES = 6
    RESULTS = 7
    RUN = 8
    LADDER = 9


def row_bytes(size: AnnealerSize) -> int:
    """Count the bytes of a row of couplings."""
    return -(-size.spins * size.coupling_bits // 8)


def step_bytes(size: AnnealerSize) -> int:
    """Count the bytes of a step of the schedule."""
    return STEP_FIELD_BYTES * (size.threshold_bits + len(STEP_FIELDS))


def rank_bytes(size: AnnealerSize) -> int:
    """Count the bytes of a rank of the ladder."""
    return STEP_FIELD_BYTES * (size.threshold_bits + size.exchange_bits)


def run_fields(size: AnnealerSize) -> tuple[str, ...]:
    """List the parameters of a run on a device, in the order of their addresses."""
    return RUN_FIELDS + (SEGMENT_FIELDS if size.flips > 1 else ())


def run_parameters(size: AnnealerSize, run: bytes) -> dict[str, int]:
    """Read the parameters of a run, with `SEGMENT_FIELDS` of 0 where the device has none."""
    names = run_fields(size)
    words = np.frombuffer(run, dtype="<u2", count=len(names)).tolist()
    return dict.fromkeys(SEGMENT_FIELDS, 0) | dict(zip(names, words))


def state_bytes(size: AnnealerSize) -> int:
    """Count the bytes of the word with all replicas' initial states of one spin a segment."""
    return size.flips * -(-size.replicas // 8)


def result_bytes(size: AnnealerSize) -> int:
    """Count the bytes of a replica's block of results."""
    return RESULT_HEADER.size + 2 * -(-size.spins // 8)


def run_bytes(size: AnnealerSize) -> int:
    """Count the bytes of `AnnealerSpace.RUN`, with the signature if the device compares one."""
    return SEED_BYTES * (1 + generators(size)) + SIGNATURE_BYTES * size.signature


def run_lengths(size: AnnealerSize) -> tuple[int, ...]:
    """List the lengths that the payload of an ANNEAL may have."""
    whole = run_bytes(size)
    return (whole, whole - SIGNATURE_BYTES) if size.signature else (whole,)


def stride_bits(length: int) -> int:
    """Compute the base-2 logarithm of a stride.

    Parameters
    ----------
    length : int
        Bytes of a row, step, word or block.

    Returns
    -------
    int
        Logarithm of the bytes from the beginning of one row to the beginning of the next.
    """
    return (length - 1).bit_length()


def space_bytes(size: AnnealerSize, space: AnnealerSpace) -> int:
    """Count the byte addresses of a memory space.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    space : AnnealerSpace
        The memory space.

    Returns
    -------
    int
        Number of addresses; for SPARSE, which has no memory of its own, the greatest length of a
        script, which one packet must hold.
    """
    if space is AnnealerSpace.RUN:
        return run_bytes(size)
    if space is AnnealerSpace.CLEAR:
        return 1
    if space is AnnealerSpace.SPARSE:
        return MAX_PAYLOAD - MEMORY.size
    count, length = {
        AnnealerSpace.COUPLINGS: (memory_rows(size), row_bytes(size)),
        AnnealerSpace.STEPS: (size.steps, step_bytes(size)),
        AnnealerSpace.STATES: (size.segment, state_bytes(size)),
        AnnealerSpace.RESULTS: (size.replicas, result_bytes(size)),
        AnnealerSpace.LADDER: (size.replicas * size.tempering, rank_bytes(size)),
    }[space]
    return count << stride_bits(length)


def coupling_rows(problem: IsingProblem) -> np.ndarray:
    """Lay out the coupling memory, as far as a problem uses it or the device checks it.

    Row i holds the couplings of spin i. The offset rows make up the fields at the start: the first
    of them holds the lowest bits of the fields, which no flip changes; the others are added twice.

    Parameters
    ----------
    problem : IsingProblem
        The problem.

    Returns
    -------
    ndarray of int64 of shape (rows, spins)
        Content of the rows, up to the last one in use; of all rows with `AnnealerSize.signature`.
    """
    size, spins, offsets = problem.size, problem.spins, problem.offsets
    places, own = offset_places(size, len(offsets)), spin_rows(size, spins)
    count = memory_rows(size) if size.signature else 1 + max(*places, *own.tolist())
    rows = np.zeros((count, size.spins), dtype=np.int64)
    rows[np.ix_(own, spins)] = problem.couplings
    rows[np.ix_(np.array(places), spins)] = offsets
    return rows


def couplings_image(problem: IsingProblem) -> list[bytes]:
    """Pack a problem into the rows of the coupling memory, once for all of its runs."""
    if problem in _COUPLINGS:
        return _COUPLINGS[problem]
    bits = problem.size.coupling_bits
    rows = coupling_rows(problem) & ((1 << bits) - 1)
    digits = (rows[:, :, None] >> np.arange(bits)) & 1
    packed = np.packbits(digits.reshape(len(rows), -1).astype(np.uint8), axis=1, bitorder="little")
    _COUPLINGS[problem] = [row.tobytes() for row in packed]
    return _COUPLINGS[problem]


def unpack_problem(
    size: AnnealerSize, memory: bytes, variables: int, offset_rows: int
) -> IsingProblem:
    """Read the problem from a coupling memory: the inverse of `couplings_image`.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    memory : bytes
        Content of `AnnealerSpace.COUPLINGS`, by byte address.
    variables : int
        Number of variables.
    offset_rows : int
        Number of offset rows.

    Returns
    -------
    IsingProblem
        The problem.

    Raises
    ------
    ValueError
        If the memory does not hold a problem that fits, for example because a row was not written.
    """
    spins, places = variable_spins(size, variables), offset_places(size, offset_rows)
    raw = memory_words(memory, memory_rows(size), row_bytes(size))
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, : size.spins * size.coupling_bits]
    # Couplings are in two's complement: the highest bit counts negative.
    weights = 1 << np.arange(size.coupling_bits)
    weights[-1] = -weights[-1]
    rows = bits.reshape(len(raw), size.spins, size.coupling_bits) @ weights
    couplings = rows[np.ix_(spin_rows(size, spins), spins)]
    lowest, *others = rows[np.ix_(np.array(places, dtype=int), spins)]
    start = lowest + 2 * np.sum(others, axis=0, dtype=np.int64)
    return IsingProblem(size, couplings, start - couplings.sum(axis=1))


def steps_image(steps: Sequence[Step]) -> list[bytes]:
    """Pack a schedule into its words, one for each step, `step_bytes` each."""
    words = (
        [*step.probabilities, *(getattr(step, name) for name in STEP_FIELDS)] for step in steps
    )
    return [np.array(word, dtype="<u2").tobytes() for word in words]


def unpack_steps(size: AnnealerSize, memory: bytes, count: int) -> list[Step]:
    """Read the schedule from a memory: the inverse of `steps_image`.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    memory : bytes
        Content of `AnnealerSpace.STEPS`, by byte address.
    count : int
        Number of steps.

    Returns
    -------
    list of Step
        The schedule.
    """
    words = memory_words(memory, count, step_bytes(size)).view("<u2")
    steps = []
    for word in words.tolist():
        fields = dict(zip(STEP_FIELDS, word[size.threshold_bits :]))
        fields["moving"] = Moving(fields["moving"])
        fields["exchange"] = Exchange(fields["exchange"])
        steps.append(Step(tuple(word[: size.threshold_bits]), **fields))
    return steps


def ladder_image(ladder: Ladder) -> list[bytes]:
    """Pack a ladder into its words, one for each rank, `rank_bytes` each."""
    rows = zip(ladder.probabilities, ladder.exchanges)
    return [np.array([*own, *exchange], dtype="<u2").tobytes() for own, exchange in rows]


def unpack_ladder(size: AnnealerSize, memory: bytes) -> Ladder:
    """Read the ladder from a memory, `AnnealerSpace.LADDER`: the inverse of `ladder_image`."""
    words = memory_words(memory, size.replicas, rank_bytes(size)).view("<u2")
    halves = np.split(words, [size.threshold_bits], axis=1)
    return Ladder(*(tuple(map(tuple, half.tolist())) for half in halves))


def states_image(problem: IsingProblem, initial_states: np.ndarray) -> list[bytes]:
    """Pack initial states into their words.

    Parameters
    ----------
    problem : IsingProblem
        The problem that begins in these states.
    initial_states : ndarray of int of shape (replicas, n)
        States of +1 and -1.

    Returns
    -------
    list of bytes
        One word for each spin of a segment of the device, `state_bytes` each, spin 0 first.
    """
    size = problem.size
    negative = np.zeros((size.spins, size.replicas), dtype=np.uint8)
    negative[problem.spins] = np.asarray(initial_states).T < 0
    packed = np.packbits(negative, axis=1, bitorder="little")
    segments = packed.reshape(size.flips, size.segment, -1)
    words = segments.swapaxes(0, 1).reshape(size.segment, -1)
    return [word.tobytes() for word in words]


def unpack_states(size: AnnealerSize, memory: bytes, variables: int) -> np.ndarray:
    """Read initial states from a memory: the inverse of `states_image`.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    memory : bytes
        Content of `AnnealerSpace.STATES`, by byte address.
    variables : int
        Number of variables.

    Returns
    -------
    ndarray of int8 of shape (replicas, n)
        States of +1 and -1.
    """
    words = memory_words(memory, size.segment, state_bytes(size))
    segments = words.reshape(size.segment, size.flips, -1).swapaxes(0, 1)
    raw = segments.reshape(size.spins, -1)[variable_spins(size, variables)]
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, : size.replicas]
    return 1 - 2 * bits.T.astype(np.int8)


def memory_words(memory: bytes | bytearray, count: int, length: int) -> np.ndarray:
    """Give the first words of a memory without the gaps between them.

    Parameters
    ----------
    memory : bytes or bytearray
        Content of a memory space, by byte address.
    count : int
        Number of words.
    length : int
        Bytes of a word.

    Returns
    -------
    ndarray of uint8 of shape (count, length)
        The words.
    """
    stride = 1 << stride_bits(length)
    raw = np.frombuffer(memory, dtype=np.uint8, count=count * stride).reshape(count, stride)
    return np.ascontiguousarray(raw[:, :length])
