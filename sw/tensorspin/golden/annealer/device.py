"""The annealer as one of a golden device's engines: its memories, and runs that take their time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...contract.annealer.engine import annealer_spaces
from ...contract.annealer.image import (
    INITIAL_STATES,
    POINTER_BYTES,
    SIGNATURE_BYTES,
    SIGNED_RUN,
    AnnealerSpace,
    run_bytes,
    run_lengths,
    run_parameters,
    stride_bits,
)
from ...contract.annealer.job import AnnealJob
from ...contract.annealer.results import AnnealResults
from ...contract.annealer.signature import stored_signature
from ...contract.annealer.size import AnnealerSize
from ...contract.wire.packets import PacketType, Status
from ..engine import GoldenEngine, Reply
from .metropolis import GoldenAnnealer

_CLEARED = (AnnealerSpace.COUPLINGS, AnnealerSpace.STATES)
"""Memories that a write of `AnnealerSpace.CLEAR` sets to zero."""


MOST_TOGETHER = 1 << 15
"""Greatest number of spins, of all replicas and runs, that are computed together. With more of them
NumPy's time is in proportion to their number, and nothing is gained."""


class _Identity(NamedTuple):
    """What determines the results of a job: jobs with equal `alike` can be computed together."""

    alike: tuple
    seeds: bytes
    states: bytes

    def __hash__(self) -> int:
        # Hardly any two jobs have the same seeds, whereas a schedule takes long to hash.
        return hash(self.seeds)


def _identity(job: AnnealJob) -> _Identity:
    problem = job.problem
    tempers = any(step.exchange for step in job.steps)
    alike = (
        problem.couplings.tobytes(),
        problem.linear.tobytes(),
        job.steps,
        job.refresh,
        job.flips,
        job.shared_sweeps,
        job.checked,
        job.initial_states is None,
        job.ladder if tempers else None,  # a device that can temper always has some ladder
    )
    return _Identity(alike, job.generator_seeds.tobytes(), job.start_states.tobytes())


@dataclass
class _RunUnderWay:
    """A run that has been started and not been stopped.

    Parameters
    ----------
    begin : float
        Clock cycle in which it was started.
    image : bytes
        Content of `AnnealerSpace.RUN` at that time.
    job : AnnealJob, optional
        The job, once somebody has asked for its effect.
    identity : _Identity, optional
        What determines its results.
    batch : _Batch, optional
        The run, the first of the batch, as far as it is computed; None if its results are known.
    """

    begin: float
    image: bytes
    job: AnnealJob | None = None
    identity: _Identity | None = None
    batch: _Batch | None = None


class _Batch:
    """Runs that are computed together, round by round.

    Parameters
    ----------
    jobs : dict of _Identity to AnnealJob
        The jobs, which are alike.

    Attributes
    ----------
    step : int
        The step under way.
    """

    def __init__(self, jobs: dict[_Identity, AnnealJob]) -> None:
        self.step = 0
        self._identities = list(jobs)
        self._annealer = GoldenAnnealer(*jobs.values())
        self._rounds = self._compute()

    def advance(self, cycles: float) -> bool:
        """Compute until the first run has come as far as it does in some cycles.

        Returns False once everything is computed.
        """
        while self._annealer.cycles[0] <= cycles:
            step = next(self._rounds, None)
            if step is None:
                return False
            self.step = step
        return True

    def results(self) -> dict[_Identity, AnnealResults]:
        """Give the results of all runs, once they are computed."""
        return dict(zip(self._identities, self._annealer.results(), strict=True))

    def _compute(self) -> Iterator[int]:
        """Do the rounds, and give the step under way after each."""
        self._annealer.fill()
        yield 0
        for number, step in enumerate(self._annealer.job.steps):
            for _ in self._annealer.rounds(step, number < self._annealer.job.shared_steps):
                yield number
            yield number


class DeviceAnnealer(GoldenEngine):
    """What requests do to the annealer of a device.

    A run is computed as far as the clock has come when its effect is asked for, so a run that is
    stopped costs only what has been seen of it.

    If the memories hold no problem or no schedule, because a host starts a run without having
    written them, the run ends at once. Its results are nonsense, as on the gateware, but not the
    same nonsense.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer. All memories are zero at first, as after configuration.

    Attributes
    ----------
    memories : dict of AnnealerSpace to bytearray
        Content of each memory, by byte address.
    cleared : bool
        Whether the memories were cleared since configuration, and no check has found since that
        they hold something else than was written.
    corrupt : bool
        Whether the last run was found to be so; its results cannot be read.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> from tensorspin.contract.annealer.image import AnnealerSpace
    >>> annealer = DeviceAnnealer(AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8))
    >>> annealer.write(AnnealerSpace.CLEAR, 0, b"x")
    >>> annealer.cleared
    True
    >>> annealer.execute(PacketType.ANNEAL, b"too short", cycle=0)
    (<Status.BAD_LENGTH: 2>, b'')
    """

    memories: dict[AnnealerSpace, bytearray]

    def __init__(self, size: AnnealerSize) -> None:
        self.size = size
        self.memories = {
            AnnealerSpace(space): bytearray(1 << found.bits)
            for space, found in annealer_spaces(size).items()
        }
        self.cleared = self.corrupt = False
        self._corrupted = 0
        self._signature = bytes(SIGNATURE_BYTES)
        self._pointer = 0
        self._run: _RunUnderWay | None = None
        self._expected: Sequence[Any] = ()
        # Results of jobs that were computed together with one that was run.
        self._found: dict[_Identity, AnnealResults] = {}

    # What the device asks of an engine

    def execute(self, kind: PacketType, payload: bytes, cycle: float) -> Reply:
        """Execute ANNEAL: start a run."""
        if len(payload) not in run_lengths(self.size):
            return Status.BAD_LENGTH, b""
        self.start(payload, cycle)
        return Status.OK, b""

    def write(self, space: int, address: int, data: bytes) -> None:
        """Execute a WRITE; some spaces are commands rather than memories."""
        space = AnnealerSpace(space)
        if space is AnnealerSpace.CLEAR:
            for cleared in _CLEARED:
                self.memories[cleared][:] = bytes(len(self.memories[cleared]))
            self.cleared = True
        elif space is AnnealerSpace.SPARSE:
            for place, byte in enumerate(data, start=address):
                self._follow_script(place, byte)
        else:
            self.memories[space][address : address + len(data)] = data

    def greet(self) -> None:
        """Stop the run: it belongs to the session before. What has been written stays."""
        self.stop()

    def expect(self, jobs: Sequence[Any]) -> None:
        """Learn which jobs will probably be run next; see `GoldenEngine.expect`."""
        self._expected = jobs

    def is_busy(self, cycle: float) -> bool:
        """Tell whether a run is under way: its memories must not change, nor be read half-way."""
        return self.step(cycle) is not None

    def status(self, cycle: float) -> dict[str, int]:
        """Give the step under way, and whether the memories have been cleared."""
        step = self.step(cycle)
        return {
            "step": step or 0,
            "annealing": step is not None,
            "cleared": self.cleared,
            "corrupted": self._corrupted,
        }

    # Runs

    def start(self, image: bytes, cycle: float) -> None:
        """Start a run; if another is under way, it is stopped.

        Parameters
        ----------
        image : bytes
            Bytes of the ANNEAL request, the content of `AnnealerSpace.RUN`.
        cycle : float
            Clock cycle of the start.
        """
        self._run = _RunUnderWay(cycle, image)
        self.corrupt = False
        if self.size.signature and len(image) == run_bytes(self.size):
            self._signature = image[-SIGNATURE_BYTES:]

    def stop(self) -> None:
        """Stop the run, if one is under way."""
        self._run = None

    def step(self, cycle: float) -> int | None:
        """Find the step that is under way in a clock cycle.

        A run that has ended by then leaves its results in their memory.

        Parameters
        ----------
        cycle : float
            Clock cycle, not before the start of the run.

        Returns
        -------
        int or None
            Index of the step; of a run that was computed along with another one, as if all steps
            took equally long. None if no run is under way.
        """
        run = self._run
        if run is None:
            return None
        try:
            return self._advance(run, cycle)
        except BaseException:
            # A computation that is broken off, as by Ctrl-C, cannot go on: the run ends without
            # results.
            self.stop()
            self._write_results(None, None)
            raise

    def _advance(self, run: _RunUnderWay, cycle: float) -> int | None:
        """Compute a run as far as it has come in a clock cycle; see `step`."""
        if run.job is None and not self._begin(run):
            self._run = None
            self._write_results(None, None)
            self._check(run.image)
            return None
        assert run.job is not None and run.identity is not None
        passed = cycle - run.begin
        if run.batch is not None:
            if run.batch.advance(passed):
                return run.batch.step
            self._found, run.batch = run.batch.results(), None
        found = self._found[run.identity]
        if passed < found.cycles:
            return int(len(run.job.steps) * passed // found.cycles)
        self._run = None
        self._write_results(run.job, found)
        self._check(run.image)
        return None

    def _check(self, image: bytes) -> None:
        """Compare the signature of the memories at the end of a run, if it is to be."""
        parameters = run_parameters(self.size, image)
        if not (self.size.signature and parameters["initial"] & SIGNED_RUN):
            return
        initial = bool(parameters["initial"] & INITIAL_STATES)
        try:
            found = stored_signature(self.size, self.memories, parameters["steps"], initial)
        except ValueError:
            found = None  # more steps than there are
        if found != int.from_bytes(self._signature, "little"):
            self.corrupt, self.cleared = True, False
            self._corrupted += 1

    def _follow_script(self, place: int, byte: int) -> None:
        """Do what one byte of a script says; `place` is its address in the script."""
        if place < POINTER_BYTES:
            shift = 8 * place
            self._pointer = self._pointer & ~(0xFF << shift) | byte << shift
        elif (place - POINTER_BYTES) % 2:
            self._pointer = (self._pointer + byte) % (1 << 8 * POINTER_BYTES)
        else:
            couplings = self.memories[AnnealerSpace.COUPLINGS]
            couplings[self._pointer % len(couplings)] = byte

    def _begin(self, run: _RunUnderWay) -> bool:
        """Find out what a run is to compute; return False if there is nothing, so that it ends.

        While a run is under way the memories do not change, as requests to them are refused.
        """
        try:
            job = AnnealJob.unpack(self.size, run.image, self.memories)
        except ValueError:
            return False
        if not job.steps or (job.ladder is None and any(step.exchange for step in job.steps)):
            return False
        run.job, run.identity = job, _identity(job)
        if run.identity not in self._found:
            run.batch = _Batch(self._together(run.identity, job))
        return True

    def _together(self, own: _Identity, job: AnnealJob) -> dict[_Identity, AnnealJob]:
        """Choose a job and as many as possible of those that will follow and are alike."""
        batch = {own: job}
        most = MOST_TOGETHER // (self.size.replicas * job.problem.variables)
        for other in self._expected:
            if len(batch) >= most:
                break
            if isinstance(other, AnnealJob) and other.problem.size == self.size:
                identity = _identity(other)
                if identity.alike == own.alike:
                    batch[identity] = other
        return batch

    def _write_results(self, job: AnnealJob | None, found: AnnealResults | None) -> None:
        """Write the results of a run into their memory."""
        results = self.memories[AnnealerSpace.RESULTS]
        results[:] = b"\xff" * len(results)
        if job is None or found is None:
            return
        blocks = found.blocks(job.problem)
        stride = 1 << stride_bits(len(blocks[0]))
        for replica, block in enumerate(blocks):
            results[replica * stride : replica * stride + len(block)] = block
