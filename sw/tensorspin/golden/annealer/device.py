"""The annealer as one of a golden device's engines: its memories, and runs that take their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...contract.annealer.engine import annealer_spaces
from ...contract.annealer.image import (
    POINTER_BYTES,
    AnnealerSpace,
    run_bytes,
    stride_bits,
)
from ...contract.annealer.job import AnnealJob
from ...contract.annealer.results import AnnealResults
from ...contract.annealer.size import AnnealerSize
from ...contract.wire.packets import PacketType, Status
from ..engine import GoldenEngine, Reply
from .metropolis import anneal_all

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


def _identity(job: AnnealJob) -> _Identity:
    problem = job.problem
    tempers = any(step.exchange for step in job.steps)
    alike = (
        problem.couplings.tobytes(),
        problem.linear.tobytes(),
        job.steps,
        job.refresh,
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
    cycles : int, optional
        Clock cycles that the run takes; None until somebody asks, since the run must be computed
        to know them.
    steps : int, default=0
        Number of steps of its schedule, once the run has been computed.
    """

    begin: float
    image: bytes
    cycles: int | None = None
    steps: int = 0


class DeviceAnnealer(GoldenEngine):
    """What requests do to the annealer of a device.

    A run is computed when its effect is first asked for, so a run that is stopped before costs
    nothing.

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
        Whether the memories were cleared since configuration.

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
        self.cleared = False
        self._run_bytes = run_bytes(size)
        self._pointer = 0
        self._run: _RunUnderWay | None = None
        self._expected: Sequence[Any] = ()
        # Results of jobs that were computed together with one that was run.
        self._found: dict[_Identity, AnnealResults] = {}

    # What the device asks of an engine

    def execute(self, kind: PacketType, payload: bytes, cycle: float) -> Reply:
        """Execute ANNEAL: start a run."""
        if len(payload) != self._run_bytes:
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
        return {"step": step or 0, "annealing": step is not None, "cleared": self.cleared}

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
            Index of the step, as if all steps of the run took equally long; None if no run is
            under way.
        """
        run = self._run
        if run is None:
            return None
        if run.cycles is None:
            run.cycles = self._compute(run)
        passed = cycle - run.begin
        if passed >= run.cycles:
            self._run = None
            return None
        return int(run.steps * passed // run.cycles)

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

    def _anneal(self, job: AnnealJob) -> AnnealResults:
        """Compute a run, and along with it as many as possible of those that will follow."""
        own = _identity(job)
        if own not in self._found:
            batch = {own: job}
            most = MOST_TOGETHER // (self.size.replicas * job.problem.variables)
            for other in self._expected:
                if len(batch) >= most:
                    break
                if isinstance(other, AnnealJob) and other.problem.size == self.size:
                    identity = _identity(other)
                    if identity.alike == own.alike:
                        batch[identity] = other
            self._found = dict(zip(batch, anneal_all(list(batch.values())), strict=True))
        return self._found[own]

    def _compute(self, run: _RunUnderWay) -> int:
        """Compute a run, write its results, and return the clock cycles that it takes.

        The results lie in their memory before the run ends, but nobody may read them until then:
        requests to the memories are refused while a run is under way.
        """
        results = self.memories[AnnealerSpace.RESULTS]
        results[:] = b"\xff" * len(results)
        try:
            job = AnnealJob.unpack(self.size, run.image, self.memories)
        except ValueError:
            return 0
        if not job.steps or (job.ladder is None and any(step.exchange for step in job.steps)):
            return 0
        run.steps = len(job.steps)
        found = self._anneal(job)
        blocks = found.blocks(job.problem)
        stride = 1 << stride_bits(len(blocks[0]))
        for replica, block in enumerate(blocks):
            results[replica * stride : replica * stride + len(block)] = block
        return found.cycles
