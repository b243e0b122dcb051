"""A job for the annealer: a problem, its schedule, and all else that determines the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...errors import CapacityError
from .image import (
    RUN_FIELDS,
    AnnealerSpace,
    couplings_image,
    ladder_image,
    states_image,
    steps_image,
    unpack_ladder,
    unpack_problem,
    unpack_states,
    unpack_steps,
)
from .problem import IsingProblem
from .size import CYCLES, PROBABILITY, REFRESH, RING, START, STEP_ROUNDS, SWEEPS, AnnealerSize
from .steps import Step
from .tempering import Ladder
from .thresholds import SEED_BYTES, expand_seed, generators


@dataclass(frozen=True, eq=False)  # arrays have no single answer to whether they are equal
class AnnealJob:
    """One run of the annealer: everything that determines its results, bit for bit.

    A job is made freely and refused when it is used: `fit` gives the job for a device's size, or
    says why the device cannot run it.

    Parameters
    ----------
    problem : IsingProblem
        The problem that all replicas anneal.
    steps : sequence of Step
        The schedule: at least one step, made for the size of the problem.
    seed : int or ndarray of uint8 of shape (generators, SEED_BYTES), default=0
        A number of 0 or more, of which the seeds of the random generators are made; or these seeds
        themselves, as a device holds them.
    refresh : int, default=0
        Turns that a replica sits out between two sweeps.
    initial_states : array-like of int of shape (replicas, n), optional
        States of +1 and -1 in which the replicas begin. By default all spins are +1.
    ladder : Ladder, optional
        The temperatures of the ranks, for steps with an exchange.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.annealer import AnnealerSize, IsingProblem, schedule
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8)
    >>> problem = IsingProblem(size, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
    >>> job = AnnealJob(problem, schedule([4.0, 1.0], 5, size), seed=1).fit(size)
    >>> len(job.images()[AnnealerSpace.STEPS]), job.most_cycles
    (2, 573)
    """

    problem: IsingProblem = field(repr=False)
    steps: Sequence[Step] = field(repr=False)
    seed: int | np.ndarray = 0
    refresh: int = 0
    initial_states: np.ndarray | None = field(default=None, repr=False)
    ladder: Ladder | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # What is computed once, such as `most_cycles`, must not depend on a list that may change.
        object.__setattr__(self, "steps", tuple(self.steps))

    # Whether a device can run the job

    def fit(self, size: AnnealerSize) -> AnnealJob:
        """Make the job one of a device's size, and check it.

        Parameters
        ----------
        size : AnnealerSize
            Size of the device.

        Returns
        -------
        AnnealJob
            The same job with the problem laid out for this size.

        Raises
        ------
        CapacityError
            If there are more variables than the device has spins, more steps than it has room for,
            or more cycles than it can count.
        ValueError, TypeError
            If anything else does not fit, or `problem` is not an IsingProblem.
        """
        job, problem = self, self.problem
        if not isinstance(problem, IsingProblem):
            raise TypeError(f"a problem must be an IsingProblem, not {type(problem).__name__}")
        if problem.size is not size and problem.size != size:
            if problem.variables > size.spins:
                advice = "fix some of them, or decompose the problem"
                raise CapacityError(
                    "variables of the problem", problem.variables, size.spins, advice
                )
            job = replace(self, problem=IsingProblem(size, problem.couplings, problem.linear))
        job.check()
        return job

    def check(self) -> None:
        """Refuse a job that a device of the problem's size cannot run.

        Raises
        ------
        CapacityError
            If there are more steps than the device has room for, or more cycles than it can count.
        ValueError
            If anything else does not fit.
        """
        size = self.problem.size
        self._check_seed()
        if not REFRESH.minimum <= self.refresh <= REFRESH.maximum:
            raise ValueError(f"refresh must be 0 to {REFRESH.maximum}, not {self.refresh}")
        self._check_ladder()
        if len(self.steps) > size.steps:
            raise CapacityError("steps of the schedule", len(self.steps), size.steps)
        if not self.steps:
            raise ValueError("a schedule must have at least one step")
        for index, step in enumerate(self.steps):
            _check_step(index, step, size)
        self._check_cycles()
        if self.initial_states is not None:
            _ = self.start_states  # refuses states that do not fit

    def _check_seed(self) -> None:
        if not isinstance(self.seed, np.ndarray):
            if self.seed < 0:
                raise ValueError(f"seed must be 0 or more, not {self.seed}")
            return
        shape = (generators(self.problem.size), SEED_BYTES)
        if self.seed.shape != shape or self.seed.dtype != np.uint8:
            raise ValueError(
                f"seeds of the generators must be uint8 of shape {shape}, not {self.seed.dtype} of "
                f"shape {self.seed.shape}"
            )

    def _check_ladder(self) -> None:
        size, ladder = self.problem.size, self.ladder
        if ladder is None:
            if any(step.exchange for step in self.steps):
                raise ValueError("steps with an exchange need a ladder of temperatures")
            return
        if not size.tempering:
            raise ValueError(
                "a ladder of temperatures is given, which the device does not exchange"
            )
        shapes = [(len(rows), {len(row) for row in rows}) for rows in vars(ladder).values()]
        if shapes != [
            (size.replicas, {size.threshold_bits}),
            (size.replicas, {size.exchange_bits}),
        ]:
            raise ValueError("the ladder is that of another device: make it for this one's size")

    def _check_cycles(self) -> None:
        if self.most_cycles > CYCLES.maximum:
            sweeps = sum(step.sweeps for step in self.steps)
            fewer = int(sweeps * CYCLES.maximum / self.most_cycles)
            raise CapacityError(
                f"cycles of a run of {sweeps} sweeps in which every visit is a flip",
                self.most_cycles,
                CYCLES.maximum,
                f"take {fewer} sweeps or fewer, and more reads",
            )

    # What the job amounts to

    @cached_property
    def most_cycles(self) -> int:
        """Clock cycles that the run takes at most: if every visit of every sweep is a flip."""
        problem, size = self.problem, self.problem.size
        cycles = size.replicas * self.turn_cycles  # cycles of a round, at most
        fill = size.fill_rounds(problem.offset_rows + problem.variables)
        # A sweep takes one turn more than it flips spins.
        turns = sum(step.sweeps for step in self.steps) * (problem.variables + 1 + self.refresh)
        ends = (STEP_ROUNDS + size.exchange_rounds) * len(self.steps)
        return START + cycles * (fill + turns + ends)

    @property
    def turn_cycles(self) -> int:
        """Clock cycles of a turn of this problem."""
        return self.problem.size.turn(self.problem.first)

    @property
    def fill_rounds(self) -> int:
        """Rounds before the first comparison."""
        flipped = 0 if self.initial_states is None else self.problem.variables
        return self.problem.size.fill_rounds(self.problem.offset_rows + flipped)

    @property
    def start_states(self) -> np.ndarray:
        """States in which the replicas begin: ndarray of int8 of shape (replicas, n).

        Raises
        ------
        ValueError
            If the shape or a value of `initial_states` does not fit.
        """
        shape = (self.problem.size.replicas, self.problem.variables)
        if self.initial_states is None:
            return np.ones(shape, dtype=np.int8)
        states = np.asarray(self.initial_states)
        if states.shape != shape:
            raise ValueError(f"initial states must have the shape {shape}, not {states.shape}")
        if not np.all(np.isin(states, (-1, 1))):
            raise ValueError("initial states must be +1 and -1")
        return states.astype(np.int8)

    @property
    def generator_seeds(self) -> np.ndarray:
        """Seeds of the random generators: ndarray of uint8 of shape (generators, SEED_BYTES)."""
        if isinstance(self.seed, np.ndarray):
            return self.seed
        return expand_seed(self.seed, self.problem.size)

    # What the device's memories hold for it

    def images(self) -> dict[AnnealerSpace, list[bytes]]:
        """Pack what the device's memories must hold before the run starts.

        Returns
        -------
        dict of AnnealerSpace to list of bytes
            For each memory space that matters to the job: the words from address 0 on. Each begins
            at a multiple of its stride (`tensorspin.contract.annealer.image.stride_bits`).
        """
        images = {
            AnnealerSpace.COUPLINGS: couplings_image(self.problem),
            AnnealerSpace.STEPS: steps_image(self.steps),
        }
        if self.initial_states is not None:
            images[AnnealerSpace.STATES] = states_image(self.problem, self.initial_states)
        if self.ladder is not None:
            images[AnnealerSpace.LADDER] = ladder_image(self.ladder)
        return images

    def run_image(self) -> bytes:
        """Pack what the request that starts the run carries.

        Returns
        -------
        bytes
            Content of `AnnealerSpace.RUN`.
        """
        values = (
            self.problem.first,
            self.problem.offset_rows,
            int(self.initial_states is not None),
            self.fill_rounds,
            self.refresh,
            len(self.steps),
        )
        fields = np.array(values, dtype="<u2").tobytes()
        seeds = np.asarray(self.generator_seeds, dtype=np.uint8).tobytes()
        return fields.ljust(SEED_BYTES, b"\0") + seeds

    @classmethod
    def unpack(
        cls, size: AnnealerSize, run: bytes, memories: Mapping[AnnealerSpace, bytes | bytearray]
    ) -> AnnealJob:
        """Read a job from a device's memories: the inverse of `run_image` and `images`.

        Parameters
        ----------
        size : AnnealerSize
            Size of the device.
        run : bytes
            Content of `AnnealerSpace.RUN`.
        memories : mapping of AnnealerSpace to bytes or bytearray
            Contents of the other memories, by byte address.

        Returns
        -------
        AnnealJob
            The job, not checked. Its `seed` are the seeds of the generators. On a device with
            parallel tempering it has a ladder, whether or not a step uses it.

        Raises
        ------
        ValueError
            If the memories hold no problem or no schedule, for example because a host has not
            written them.
        """
        words = np.frombuffer(run, dtype="<u2", count=len(RUN_FIELDS)).tolist()
        fields = dict(zip(RUN_FIELDS, words))
        first = fields["first"]
        couplings = bytes(memories[AnnealerSpace.COUPLINGS])
        problem = unpack_problem(size, couplings, first, fields["offset_rows"])
        steps = unpack_steps(size, bytes(memories[AnnealerSpace.STEPS]), fields["steps"])
        ladder = states = None
        if size.tempering:
            ladder = unpack_ladder(size, bytes(memories[AnnealerSpace.LADDER]))
        if fields["initial"]:
            states = unpack_states(size, bytes(memories[AnnealerSpace.STATES]), first)
        seeds = np.frombuffer(run, dtype=np.uint8, offset=SEED_BYTES).reshape(-1, SEED_BYTES)
        return cls(problem, steps, seeds, fields["refresh"], states, ladder)


def _check_step(index: int, step: Step, size: AnnealerSize) -> None:
    """Refuse a step that a device of this size cannot run."""
    if len(step.probabilities) != size.threshold_bits:
        raise ValueError(
            f"step {index} has {len(step.probabilities)} probabilities, the device's "
            f"thresholds have {size.threshold_bits} bits: make the schedule for its size"
        )
    if not all(0 <= p <= PROBABILITY.maximum for p in step.probabilities):
        raise ValueError(f"probabilities must be 0 to {PROBABILITY.maximum}, see step {index}")
    if not 0 <= step.ring <= RING.maximum * size.ring:
        raise ValueError(
            f"the ring's probability must be 0 to {RING.maximum}, step {index} has {step.ring}"
            if size.ring
            else f"step {index} couples the replicas along a ring, which the device has not"
        )
    if not 1 <= step.sweeps <= SWEEPS.maximum:
        raise ValueError(
            f"a step must have 1 to {SWEEPS.maximum} sweeps, step {index} has {step.sweeps}"
        )
