"""A job for the annealer: a problem, its schedule, and all else that determines the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...errors import CapacityError
from .checks import check_ladder, check_seed
from .image import (
    INITIAL_STATES,
    SHARED_SWEEPS,
    SIGNED_RUN,
    AnnealerSpace,
    couplings_image,
    ladder_image,
    run_fields,
    run_parameters,
    states_image,
    steps_image,
    unpack_ladder,
    unpack_problem,
    unpack_states,
    unpack_steps,
)
from .problem import IsingProblem
from .segments import segment_bounds
from .sharing import check_sharing, least_shared_rounds
from .signature import blank_ladder, check_cycles, expected_signature
from .size import CYCLES, REFRESH, START, STEP_ROUNDS, AnnealerSize, Exchange
from .steps import Step, check_step
from .tempering import Ladder
from .thresholds import SEED_BYTES, expand_seed


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
    flips : int, default=1
        Most flips of a turn: 1, or those that the device can do
        (`tensorspin.contract.annealer.segments`).
    shared_sweeps : bool, default=False
        Whether the replicas share the sweeps of each step, so that none waits for the others
        (`tensorspin.contract.annealer.sharing`).
    signed : bool, default=True
        Whether a device that can do it checks its memories after the run
        (`tensorspin.contract.annealer.signature`).

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
    flips: int = 1
    shared_sweeps: bool = False
    signed: bool = True

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
        check_seed(self.seed, size)
        if not REFRESH.minimum <= self.refresh <= REFRESH.maximum:
            raise ValueError(f"refresh must be 0 to {REFRESH.maximum}, not {self.refresh}")
        if self.flips not in (1, size.flips):
            known = "1" if size.flips == 1 else f"1 or {size.flips}"
            raise ValueError(f"flips must be {known} on this device, not {self.flips}")
        check_ladder(self.ladder, self.steps, size)
        if len(self.steps) > size.steps:
            raise CapacityError("steps of the schedule", len(self.steps), size.steps)
        if not self.steps:
            raise ValueError("a schedule must have at least one step")
        for index, step in enumerate(self.steps):
            check_step(index, step, size)
        if self.shared_sweeps:
            check_sharing(self.steps, size)
        self._check_cycles()
        if self.initial_states is not None:
            _ = self.start_states  # refuses states that do not fit

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
        fill = size.fill_rounds(problem.offset_rows + -(-problem.variables // size.flips))
        # A sweep takes one turn more than it has turns with flips.
        turns = sum(step.sweeps for step in self.steps) * (self.most_turns + 1 + self.refresh)
        ends = (STEP_ROUNDS + size.exchange_rounds) * len(self.steps)
        return START + cycles * (fill + turns + ends) + self.check_cycles

    @cached_property
    def least_cycles(self) -> int:
        """Clock cycles that the run takes at least: if no visit of any sweep is a flip."""
        size, flipped = self.problem.size, 0
        turns = size.replicas  # of a round
        if size.window:
            # Idle replicas are left out, also while they are given their initial states.
            turns = size.least_turns
            flipped = 0 if self.initial_states is None else self.problem.variables
        fill = size.replicas * (self.fill_rounds - flipped)
        rounds = sum(
            step.sweeps + max(step.sweeps - 1, 0) * self.refresh + STEP_ROUNDS - 1
            for step in self.steps
        )
        exchanges = sum(step.exchange is not Exchange.NONE for step in self.steps)
        exchanged = size.replicas * size.exchange_rounds * exchanges
        if self.shared_sweeps:
            rounds = least_shared_rounds(self.steps, self.refresh)
        return START + self.turn_cycles * (fill + turns * rounds + exchanged) + self.check_cycles

    @property
    def checked(self) -> bool:
        """Whether the device checks its memories after the run."""
        return bool(self.signed and self.problem.size.signature)

    @property
    def check_cycles(self) -> int:
        """Clock cycles, after the last round, of the check of the memories."""
        return check_cycles(self.problem.size) if self.checked else 0

    @property
    def shared_steps(self) -> int:
        """Number of steps, from the first on, whose sweeps the replicas share: all but the last."""
        return (len(self.steps) - 1) * self.shared_sweeps

    @property
    def cycle_step(self) -> int:
        """Between start and check, the cycles of a run are a multiple of so many: of a round's.

        Where idle replicas are left out, they are a multiple of a turn's.
        """
        return self.turn_cycles * (1 if self.problem.size.window else self.problem.size.replicas)

    def possible_cycles(self, cycles: int) -> bool:
        """Tell whether a run may take so many clock cycles.

        How many it takes depends on the flips, so that only limits and a step are known.

        Parameters
        ----------
        cycles : int
            Clock cycles that a device has counted.

        Returns
        -------
        bool
            False if no run of this job takes so many.
        """
        within = self.least_cycles <= cycles <= self.most_cycles
        return within and (cycles - START - self.check_cycles) % self.cycle_step == 0

    @property
    def turn_cycles(self) -> int:
        """Clock cycles of a turn of this problem."""
        return self.problem.size.turn(self.problem.first)

    @property
    def most_turns(self) -> int:
        """Turns of a sweep in which every visit is a flip, but for the last turn without one."""
        problem = self.problem
        if self.flips == 1:
            return problem.variables
        return int(np.diff(segment_bounds(problem.size, problem.variables)).max())

    @property
    def fill_rounds(self) -> int:
        """Rounds before the first comparison."""
        size, flipped = self.problem.size, 0
        if self.initial_states is not None:
            # Those of one segment, while others flip the same places.
            flipped = -(-self.problem.variables // size.flips)
        return size.fill_rounds(self.problem.offset_rows + flipped)

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
        elif self.checked and self.problem.size.tempering:
            # The check reads it, so that something known must stand there.
            images[AnnealerSpace.LADDER] = blank_ladder(self.problem.size)
        return images

    def run_image(self) -> bytes:
        """Pack what the request that starts the run carries.

        Returns
        -------
        bytes
            Content of `AnnealerSpace.RUN`.
        """
        size = self.problem.size
        first, uneven = divmod(size.spins - self.problem.variables, size.flips)
        values = {
            "first": first,
            "offset_rows": self.problem.offset_rows,
            "initial": INITIAL_STATES * (self.initial_states is not None)
            | SHARED_SWEEPS * self.shared_sweeps
            | SIGNED_RUN * self.checked,
            "fill": self.fill_rounds,
            "refresh": self.refresh,
            "steps": len(self.steps),
            "uneven": uneven,
            "together": int(self.flips > 1),
        }
        fields = np.array([values[name] for name in run_fields(size)], dtype="<u2").tobytes()
        seeds = np.asarray(self.generator_seeds, dtype=np.uint8).tobytes()
        expected = b""
        if self.checked:
            expected = expected_signature(self.problem, self.images())
        return fields.ljust(SEED_BYTES, b"\0") + seeds + expected

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
        fields = run_parameters(size, run)
        variables = size.spins - size.flips * fields["first"] - fields["uneven"]
        couplings = bytes(memories[AnnealerSpace.COUPLINGS])
        problem = unpack_problem(size, couplings, variables, fields["offset_rows"])
        steps = unpack_steps(size, bytes(memories[AnnealerSpace.STEPS]), fields["steps"])
        ladder = states = None
        if size.tempering:
            ladder = unpack_ladder(size, bytes(memories[AnnealerSpace.LADDER]))
        if fields["initial"] & INITIAL_STATES:
            states = unpack_states(size, bytes(memories[AnnealerSpace.STATES]), variables)
        seeds = np.frombuffer(run[: len(run) // SEED_BYTES * SEED_BYTES], dtype=np.uint8)
        seeds = seeds.reshape(-1, SEED_BYTES)[1:]
        flips = size.flips if fields["together"] else 1
        shared = bool(size.shared_sweeps and fields["initial"] & SHARED_SWEEPS)
        signed = bool(fields["initial"] & SIGNED_RUN)
        return cls(problem, steps, seeds, fields["refresh"], states, ladder, flips, shared, signed)
