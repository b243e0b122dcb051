"""The annealer of a golden device: its memories, and runs that take their time."""

from __future__ import annotations

from dataclasses import dataclass

from ...contract.annealer.engine import annealer_spaces
from ...contract.annealer.image import (
    POINTER_BYTES,
    AnnealerSpace,
    Run,
    result_bytes,
    results_image,
    stride_bits,
    unpack_ladder,
    unpack_problem,
    unpack_states,
    unpack_steps,
)
from ...contract.annealer.size import AnnealerSize
from .metropolis import anneal

_CLEARED = (AnnealerSpace.COUPLINGS, AnnealerSpace.STATES)


@dataclass
class _UnderWay:
    """A run.

    Attributes
    ----------
    begin : float
        Clock cycle of its start.
    image : bytes
        Content of `AnnealerSpace.RUN`.
    cycles : int, optional
        That it takes; computed when somebody asks.
    """

    begin: float
    image: bytes
    cycles: int | None = None


class DeviceAnnealer:
    """What requests do to an annealer.

    A run is computed when its effect is first asked for: one that is stopped before costs nothing.

    If the memories hold no problem or no schedule, as when a host starts a run without having
    written them, a run ends at once and its results are nonsense, though not that of the gateware.

    Parameters
    ----------
    size : AnnealerSize

    Attributes
    ----------
    memories : dict of AnnealerSpace to bytearray
        Contents by byte address. All zero at first.
    cleared : bool
        Since configuration.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self.size = size
        self.memories = {
            AnnealerSpace(space): bytearray(1 << found.bits)
            for space, found in annealer_spaces(size).items()
        }
        self.cleared = False
        self._pointer = 0
        self._run: _UnderWay | None = None

    def write(self, space: AnnealerSpace, address: int, data: bytes) -> None:
        """Bytes of a WRITE."""
        if space is AnnealerSpace.CLEAR:
            for cleared in _CLEARED:
                self.memories[cleared][:] = bytes(len(self.memories[cleared]))
            self.cleared = True
        elif space is AnnealerSpace.SPARSE:
            for place, byte in enumerate(data, start=address):
                self._follow_script(place, byte)
        else:
            self.memories[space][address : address + len(data)] = data

    def start(self, image: bytes, cycle: float) -> None:
        """Start a run with the bytes of an ANNEAL; one under way is stopped."""
        self._run = _UnderWay(cycle, image)

    def stop(self) -> None:
        """Stop the run, if there is one."""
        self._run = None

    def step(self, cycle: float) -> int | None:
        """Index of the step under way in a clock cycle, as if all took as long; None without a run.

        A run that has ended by then leaves its results.
        """
        under_way = self._run
        if under_way is None:
            return None
        if under_way.cycles is None:
            under_way.cycles = self._compute(under_way.image)
        passed = cycle - under_way.begin
        if passed >= under_way.cycles:
            self._run = None
            return None
        return int(Run.unpack(under_way.image).steps * passed // under_way.cycles)

    def _follow_script(self, place: int, byte: int) -> None:
        if place < POINTER_BYTES:
            shift = 8 * place
            self._pointer = self._pointer & ~(0xFF << shift) | byte << shift
        elif (place - POINTER_BYTES) % 2:
            self._pointer = (self._pointer + byte) % (1 << 8 * POINTER_BYTES)
        else:
            couplings = self.memories[AnnealerSpace.COUPLINGS]
            couplings[self._pointer % len(couplings)] = byte

    def _compute(self, image: bytes) -> int:
        """Cycles of a run, whose results are now in their memory: nobody may read them before."""
        run = Run.unpack(image)
        results = self.memories[AnnealerSpace.RESULTS]
        results[:] = b"\xff" * len(results)
        try:
            memory = self.memories[AnnealerSpace.COUPLINGS]
            problem = unpack_problem(self.size, bytes(memory), run)
            steps = unpack_steps(self.size, bytes(self.memories[AnnealerSpace.STEPS]), run)
            ladder = states = None
            if self.size.tempering:
                ladder = unpack_ladder(self.size, bytes(self.memories[AnnealerSpace.LADDER]))
            if run.initial:
                states = unpack_states(self.size, bytes(self.memories[AnnealerSpace.STATES]), run)
        except ValueError:
            return 0
        if not steps or (ladder is None and any(step.exchange for step in steps)):
            return 0
        found = anneal(problem, steps, run.seeds, run.refresh, states, ladder)
        stride = 1 << stride_bits(result_bytes(self.size))
        for replica, block in enumerate(results_image(problem, found)):
            results[replica * stride : replica * stride + len(block)] = block
        return found.cycles
