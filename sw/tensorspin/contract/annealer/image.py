"""The annealer's memories as the host addresses them, by byte, little-endian.

========= ============================================================================
space     content
========= ============================================================================
COUPLINGS rows of the couplings, then the offset rows; spin 0 in the lowest bits of a row
SPARSE    a script that writes bytes of COUPLINGS: `POINTER_BYTES` from address 0 on, the address of
          the first; then by turns a byte that is written there, and one by which the address moves
          on. So a script stands alone and may be repeated.
CLEAR     a write of its one byte sets couplings, offset rows and initial states to zero
STEPS     the schedule: a step's probabilities, lowest digit first, that of the ring, which
          replicas move, which ranks are exchanged, and its sweeps, two bytes each
STATES    initial states: a word for each spin, in it a bit for each replica, replica 0 the
          lowest, 1 for a negative spin
RESULTS   a block for each replica, see `results_image`
LADDER    with parallel tempering: for each rank the probabilities of its thresholds' digits and
          of those for the exchange with the next, lowest first, two bytes each
RUN       `RUN_FIELDS`, two bytes each; behind `SEED_BYTES`, which they do not fill, the seeds of
          the generators
========= ============================================================================

Rows, steps, words and blocks begin at multiples of a power of two. The numbers of the spaces
follow on those of `tensorspin.contract.contractor.memory`.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..wire.packets import MAX_PAYLOAD, MEMORY
from .problem import IsingProblem, Step
from .results import Anneal
from .size import PROBABILITY, AnnealerSize, Exchange, Moving
from .tempering import Ladder
from .thresholds import SEED_BYTES, generators

STEP_FIELDS = ("ring", "moving", "exchange", "sweeps")
"""Of a step, behind the probabilities of the thresholds' bits."""

STEP_FIELD_BYTES = PROBABILITY.width // 8

RUN_FIELDS = ("first", "offset_rows", "initial", "fill", "refresh", "steps")
"""Parameters of a run, in the order of their addresses: the first spin, offset rows, 1 if there are
initial states, rounds before the first comparison, refresh, steps."""

RUN_FIELD_BYTES = 2

POINTER_BYTES = 3
"""Of a script's first bytes: where in COUPLINGS it begins."""

RESULT_HEADER = struct.Struct("<iiIB")
"""Half the energy and half the best energy, less those of all spins positive; cycles of the run;
the replica's rank, its number where there is no ladder."""


class AnnealerSpace(enum.IntEnum):
    """Selects a memory of the annealer."""

    COUPLINGS = 2
    SPARSE = 3
    CLEAR = 4
    STEPS = 5
    STATES = 6
    RESULTS = 7
    RUN = 8
    LADDER = 9


def row_bytes(size: AnnealerSize) -> int:
    """Bytes of a row of couplings."""
    return -(-size.spins * size.coupling_bits // 8)


def step_bytes(size: AnnealerSize) -> int:
    """Bytes of a step."""
    return STEP_FIELD_BYTES * (size.threshold_bits + len(STEP_FIELDS))


def rank_bytes(size: AnnealerSize) -> int:
    """Bytes of a rank."""
    return STEP_FIELD_BYTES * (size.threshold_bits + size.exchange_bits)


def state_bytes(size: AnnealerSize) -> int:
    """Bytes of a spin's initial states."""
    return -(-size.replicas // 8)


def result_bytes(size: AnnealerSize) -> int:
    """Bytes of a replica's block of results."""
    return RESULT_HEADER.size + 2 * -(-size.spins // 8)


def run_bytes(size: AnnealerSize) -> int:
    """Bytes of `AnnealerSpace.RUN`."""
    return SEED_BYTES * (1 + generators(size))


def stride_bits(length: int) -> int:
    """Base-2 logarithm of the bytes between the beginnings of two rows, steps, words or blocks."""
    return (length - 1).bit_length()


def space_bytes(size: AnnealerSize, space: AnnealerSpace) -> int:
    """Size of a memory space in byte addresses; of SPARSE, what a packet may write."""
    if space is AnnealerSpace.RUN:
        return run_bytes(size)
    if space is AnnealerSpace.CLEAR:
        return 1
    if space is AnnealerSpace.SPARSE:
        return MAX_PAYLOAD - MEMORY.size
    count, length = {
        AnnealerSpace.COUPLINGS: (size.spins + size.offset_rows, row_bytes(size)),
        AnnealerSpace.STEPS: (size.steps, step_bytes(size)),
        AnnealerSpace.STATES: (size.spins, state_bytes(size)),
        AnnealerSpace.RESULTS: (size.replicas, result_bytes(size)),
        AnnealerSpace.LADDER: (size.replicas * size.tempering, rank_bytes(size)),
    }[space]
    return count << stride_bits(length)


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
    words = (
        [*step.probabilities, *(getattr(step, name) for name in STEP_FIELDS)] for step in steps
    )
    return [np.array(word, dtype="<u2").tobytes() for word in words]


def ladder_image(ladder: Ladder) -> list[bytes]:
    """Words of the ladder, `rank_bytes` each."""
    rows = zip(ladder.probabilities, ladder.exchanges)
    return [np.array([*own, *exchange], dtype="<u2").tobytes() for own, exchange in rows]


def states_image(problem: IsingProblem, initial_states: np.ndarray) -> list[bytes]:
    """Words of the initial states, `state_bytes` each, spin 0 first.

    Parameters
    ----------
    problem : IsingProblem
    initial_states : ndarray of int, shape (replicas, n)
        +1 and -1.
    """
    negative = np.zeros((problem.size.spins, problem.size.replicas), dtype=np.uint8)
    negative[problem.first :] = np.asarray(initial_states).T < 0
    return [word.tobytes() for word in np.packbits(negative, axis=1, bitorder="little")]


def run_image(
    problem: IsingProblem,
    refresh: int,
    steps: Sequence[Step],
    seeds: np.ndarray,
    initial: bool = False,
) -> bytes:
    """Content of `AnnealerSpace.RUN`, `run_bytes` long.

    Parameters
    ----------
    problem : IsingProblem
    refresh : int
        Turns that a replica sits out between two sweeps.
    steps : sequence of Step
    seeds : ndarray of uint8, shape (generators, SEED_BYTES)
        As from `tensorspin.contract.annealer.thresholds.expand_seed`.
    initial : bool, default=False
        The replicas begin with the states in `AnnealerSpace.STATES`, instead of all spins positive.
    """
    values = (
        problem.first,
        problem.offset_rows,
        int(initial),
        problem.fill_rounds(initial),
        refresh,
        len(steps),
    )
    fields = np.array(values, dtype="<u2").tobytes()
    return fields.ljust(SEED_BYTES, b"\0") + np.asarray(seeds, dtype=np.uint8).tobytes()


@dataclass(frozen=True, eq=False)
class Run:
    """What `run_image` holds.

    Attributes
    ----------
    first, offset_rows, fill, refresh, steps : int
    initial : bool
    seeds : ndarray of uint8, shape (generators, SEED_BYTES)
    """

    first: int
    offset_rows: int
    initial: bool
    fill: int
    refresh: int
    steps: int
    seeds: np.ndarray

    @classmethod
    def unpack(cls, image: bytes) -> Run:
        """Inverse of `run_image`."""
        words = np.frombuffer(image, dtype="<u2", count=len(RUN_FIELDS))
        values = dict(zip(RUN_FIELDS, words.tolist()))
        values["initial"] = bool(values["initial"])
        seeds = np.frombuffer(image, dtype=np.uint8, offset=SEED_BYTES)
        return cls(**values, seeds=seeds.reshape(-1, SEED_BYTES))


def unpack_problem(size: AnnealerSize, memory: bytes, run: Run) -> IsingProblem:
    """The problem in a coupling memory, addressed by byte: inverse of `couplings_image`.

    Raises
    ------
    ValueError
        If the memory does not hold a problem that fits, such as a row that was not written.
    """
    raw = _words(memory, size.rows(run.offset_rows), row_bytes(size))
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, : size.spins * size.coupling_bits]
    weights = 1 << np.arange(size.coupling_bits)
    weights[-1] = -weights[-1]
    rows = bits.reshape(len(raw), size.spins, size.coupling_bits) @ weights
    couplings = rows[run.first : size.spins, run.first :]
    lowest, *others = rows[size.offset_places(run.offset_rows), run.first :]
    start = lowest + 2 * np.sum(others, axis=0, dtype=np.int64)
    return IsingProblem(size, couplings, start - couplings.sum(axis=1))


def unpack_steps(size: AnnealerSize, memory: bytes, run: Run) -> list[Step]:
    """The schedule in a memory, addressed by byte: inverse of `steps_image`."""
    words = _words(memory, run.steps, step_bytes(size)).view("<u2")
    steps = []
    for word in words.tolist():
        fields = dict(zip(STEP_FIELDS, word[size.threshold_bits :]))
        fields["moving"] = Moving(fields["moving"])
        fields["exchange"] = Exchange(fields["exchange"])
        steps.append(Step(tuple(word[: size.threshold_bits]), **fields))
    return steps


def unpack_ladder(size: AnnealerSize, memory: bytes) -> Ladder:
    """The ladder in a memory, addressed by byte: inverse of `ladder_image`."""
    words = _words(memory, size.replicas, rank_bytes(size)).view("<u2")
    halves = np.split(words, [size.threshold_bits], axis=1)
    return Ladder(*(tuple(map(tuple, half.tolist())) for half in halves))


def unpack_states(size: AnnealerSize, memory: bytes, run: Run) -> np.ndarray:
    """The initial states in a memory, addressed by byte: inverse of `states_image`.

    Returns
    -------
    ndarray of int8, shape (replicas, n)
    """
    raw = _words(memory, size.spins, state_bytes(size))[run.first :]
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, : size.replicas]
    return 1 - 2 * bits.T.astype(np.int8)


def results_image(problem: IsingProblem, run: Anneal) -> list[bytes]:
    """Blocks of results, `result_bytes` each.

    A block is `RESULT_HEADER`, the state, and the best state; spin 0 in the lowest bit, 1 for a
    negative spin, whole bytes each.
    """
    origin = problem.energy(np.ones(problem.variables))
    blocks = []
    for replica in range(problem.size.replicas):
        halves = [
            int(energies[replica] - origin) // 2 for energies in (run.energies, run.best_energies)
        ]
        blocks.append(RESULT_HEADER.pack(*halves, run.cycles, run.ranks[replica]))
        for states in (run.states, run.best_states):
            negative = np.zeros(problem.size.spins, dtype=np.uint8)
            negative[problem.first :] = states[replica] < 0
            blocks[-1] += np.packbits(negative, bitorder="little").tobytes()
    return blocks


def unpack_results(problem: IsingProblem, blocks: Iterable[bytes]) -> Anneal:
    """What a run gave: inverse of `results_image`.

    Parameters
    ----------
    problem : IsingProblem
    blocks : iterable of bytes
        Of the replicas, in order, `result_bytes` each.

    Returns
    -------
    Anneal
        With the energies that the device gives, which its states should have.
    """
    size = problem.size
    length = -(-size.spins // 8)
    headers, states = [], []
    for block in blocks:
        headers.append(RESULT_HEADER.unpack_from(block))
        bits = np.frombuffer(block, dtype=np.uint8, offset=RESULT_HEADER.size)
        bits = np.unpackbits(bits.reshape(2, length), axis=1, bitorder="little")
        states.append(1 - 2 * bits[:, problem.first : size.spins].astype(np.int8))
    energies, best_energies, cycles, ranks = np.array(headers, dtype=np.int64).T
    origin = problem.energy(np.ones(problem.variables))
    final, best = np.swapaxes(states, 0, 1)
    return Anneal(
        final, best, origin + 2 * energies, origin + 2 * best_energies, ranks, int(cycles[0])
    )


def _words(memory: bytes, count: int, length: int) -> np.ndarray:
    stride = 1 << stride_bits(length)
    raw = np.frombuffer(memory, dtype=np.uint8, count=count * stride).reshape(count, stride)
    return np.ascontiguousarray(raw[:, :length])
