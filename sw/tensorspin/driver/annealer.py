"""Problems and runs on a device's annealer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.annealer.image import (
    AnnealerSpace,
    couplings_image,
    ladder_image,
    rank_bytes,
    result_bytes,
    row_bytes,
    run_image,
    space_bytes,
    state_bytes,
    states_image,
    step_bytes,
    steps_image,
    stride_bits,
    unpack_results,
)
from ..contract.annealer.problem import IsingProblem, Step
from ..contract.annealer.results import Anneal
from ..contract.annealer.tempering import Ladder
from ..contract.annealer.thresholds import expand_seed
from ..contract.wire.packets import PacketType, Status, pack_memory
from ..errors import DeviceError, TensorspinError
from ..progress import Progress
from .engine import EngineDriver
from .fitting import check_cycles, check_run, fit_problem
from .link.changes import UNKNOWN, coupling_changes, dense_changes
from .link.measure import LinkProbe
from .link.requests import MAX_DATA, Read, Request, Write
from .link.session import Session, SessionLostError

_TRIES = 5
"""Times that a run is begun until the device keeps its session to the end of it."""

_CLEARED = {
    AnnealerSpace.COUPLINGS: 0,
    AnnealerSpace.STATES: 0,
    AnnealerSpace.STEPS: UNKNOWN,
    AnnealerSpace.LADDER: UNKNOWN,
}
"""Every byte of the memories after CLEAR."""

_LEAST_WAIT, _MOST_WAIT = 1e-4, 0.25
"""Seconds between two questions whether a run has ended."""

_WAITED_PART = 8
"""A run that has taken so many seconds is asked for again after one."""


@dataclass(frozen=True, eq=False)
class BoardAnneal(Anneal):
    """What a run on a board gives, and the time that it took there.

    Attributes
    ----------
    seconds : float
        Of the run itself: its cycles at the device's clock.
    transfer_seconds : float
        Of all else, by the board's clock (`tensorspin.driver.board.Board.seconds`): what was
        uploaded, the
        start, the results, and until the end was noticed.
    """

    seconds: float
    transfer_seconds: float


class Annealing(EngineDriver):
    """Uploads problems and runs them; `tensorspin.driver.board.Board.anneal` says how.

    All that a run uses is in the device before it starts, or there is no run: memories are cleared
    first, `DeviceStatus.cleared` tells later that they still hold what came after that, and from
    then on to the last result there is one session, in which a device can't have been restarted.

    Parameters
    ----------
    session : Session
        With a device that has an annealer.
    forget_program : callable
        Called when the device is found to have lost the contractor's program.
    """

    def __init__(self, session: Session, forget_program: Callable[[], None]) -> None:
        self._session = session
        self._forget_program = forget_program
        self._size = session.description.require_annealer()
        # What is in the device's memories, by byte; None: nothing is known.
        self._held: dict[AnnealerSpace, np.ndarray] | None = None
        self._greetings = 0

    def link_probe(self) -> LinkProbe:
        """Give WRITEs of a schedule that is never run, and READs of results.

        The next run uploads everything anew.
        """
        self._held = None
        steps = space_bytes(self._size, AnnealerSpace.STEPS)
        readable = min(MAX_DATA, space_bytes(self._size, AnnealerSpace.RESULTS))
        return LinkProbe(lambda: _Schedule(steps), lambda: Read(AnnealerSpace.RESULTS, 0, readable))

    def anneal(
        self,
        problem: IsingProblem,
        steps: Sequence[Step],
        seed: int,
        refresh: int,
        initial_states: np.ndarray | None,
        ladder: Ladder | None,
        progress: Progress | None,
    ) -> BoardAnneal:
        """As `tensorspin.driver.board.Board.anneal`."""
        session, size = self._session, self._size
        problem = fit_problem(problem, size)
        check_run(steps, seed, refresh, ladder, size)
        most = check_cycles(problem, steps, refresh)
        wanted = {
            AnnealerSpace.COUPLINGS: (couplings_image(problem), row_bytes(size)),
            AnnealerSpace.STEPS: (steps_image(steps), step_bytes(size)),
        }
        if initial_states is not None:
            initial_states = problem.initial_states(initial_states)
            words = states_image(problem, initial_states)
            wanted[AnnealerSpace.STATES] = (words, state_bytes(size))
        if ladder is not None:
            wanted[AnnealerSpace.LADDER] = (ladder_image(ladder), rank_bytes(size))
        seeds = expand_seed(seed, size)
        run = run_image(problem, refresh, steps, seeds, initial_states is not None)
        most_seconds = most / session.description.clock_hz

        begun = session.line.now()
        if session.greetings != self._greetings:
            self._held = None  # Perhaps somebody else was there.
        blocks = self._try(wanted, run, most_seconds, len(steps), progress)
        elapsed = session.line.now() - begun
        found = unpack_results(problem, blocks)
        self._check_energies(problem, found)
        seconds = found.cycles / session.description.clock_hz
        return BoardAnneal(**vars(found), seconds=seconds, transfer_seconds=elapsed - seconds)

    def _try(self, wanted, run, most_seconds, steps, progress) -> list[bytes]:
        """Blocks of results, of a run with all that is wanted."""
        session = self._session
        # What was there before this call is only relied on while the session lasts: after it,
        # perhaps somebody else used the device. For what this call has brought, the device vouches.
        own = lost = False
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                if lost:
                    session.open()
                    lost = False
                if self._held is None:
                    self._clear()
                    own = True
                self._upload(wanted, same_session=not own)
                if not own or self._still_held():
                    session.request(PacketType.ANNEAL, run, same_session=True)
                    self._wait(most_seconds, steps, progress)
                    return self._read_results()
            except SessionLostError:
                if not tries_left:
                    raise
                lost = True
                if not own:
                    self._held = None
            except DeviceError as error:
                # Greeted anew, the device has not the program that it must have otherwise.
                if error.status != Status.NO_MODEL or session.model_digest is None:
                    raise
                self._forget_program()
        raise DeviceError(
            f"the device at {self._session.line.url} lost what was written to it, {_TRIES} times. "
            f"Check its power supply and its reset",
            Status.OK,
        )

    # What the device holds

    def _clear(self) -> None:
        # Alone: asked again after other WRITEs it would undo them.
        self._session.request(PacketType.WRITE, pack_memory(AnnealerSpace.CLEAR, 0) + b"\0")
        self._greetings = self._session.greetings
        self._held = {
            space: np.full(space_bytes(self._size, space), content, dtype=np.int16)
            for space, content in _CLEARED.items()
        }

    def _upload(
        self, wanted: dict[AnnealerSpace, tuple[list[bytes], int]], same_session: bool
    ) -> None:
        """Write what differs from what is held."""
        held = dict(self._held)
        requests: list[Request] = []
        for space, (words, length) in wanted.items():
            before, after = held[space], held[space].copy()
            rows = after[: len(words) << stride_bits(length)].reshape(len(words), -1)
            rows[:, :length] = np.frombuffer(b"".join(words), dtype=np.uint8).reshape(-1, length)
            if space is AnnealerSpace.COUPLINGS:
                requests += coupling_changes(before, after)
            else:
                requests += dense_changes(space, before, after)
            held[space] = after
        if requests:
            self._held = None  # until all has arrived
            for _ in self._session.exchange(requests, same_session=same_session):
                pass
            self._held = held

    def _still_held(self) -> bool:
        """The device was not restarted since it was cleared."""
        if self._session.greetings == self._greetings:
            return True  # and if it is by now, the next request in this session will find out
        if not self._session.status().cleared:
            self._held = None
            return False
        self._greetings = self._session.greetings
        return True

    # The run

    def _wait(self, most_seconds: float, steps: int, progress: Progress | None) -> None:
        """Wait for the end of the run; whatever interrupts that stops it on the device."""
        session = self._session
        begun = session.line.now()
        try:
            while (status := session.status(same_session=True)).annealing:
                if progress is not None:
                    progress(status.step, steps)
                waited = session.line.now() - begun
                if waited > 1 + 2 * most_seconds:
                    raise DeviceError(
                        f"the device at {session.line.url} has annealed for {waited:.1f} s, longer "
                        f"than the schedule can take ({most_seconds:.3g} s); open it again",
                        Status.BUSY,
                    )
                session.wait(min(max(waited / _WAITED_PART, _LEAST_WAIT), _MOST_WAIT))
        except TensorspinError:
            raise
        except BaseException:
            self._stop()
            raise
        if progress is not None:
            progress(steps, steps)

    def _stop(self) -> None:
        try:
            self._session.open()
        except TensorspinError:
            pass  # A device that is out of reach is told by whoever uses it next.

    def _read_results(self) -> list[bytes]:
        length = result_bytes(self._size)
        stride = 1 << stride_bits(length)
        memory = bytearray(self._size.replicas * stride)
        reads = (
            Read(AnnealerSpace.RESULTS, block + first, min(MAX_DATA, length - first))
            for block in range(0, len(memory), stride)
            for first in range(0, length, MAX_DATA)
        )
        for request, reply in self._session.exchange(reads, same_session=True):
            memory[request.address : request.address + request.count] = reply
        return [bytes(memory[block : block + length]) for block in range(0, len(memory), stride)]

    def _check_energies(self, problem: IsingProblem, found: Anneal) -> None:
        for which, states, energies in (
            ("final", found.states, found.energies),
            ("best", found.best_states, found.best_energies),
        ):
            true = problem.energy(states)
            wrong = np.flatnonzero(true != energies)
            if len(wrong):
                self._held = None
                replica = int(wrong[0])
                raise DeviceError(
                    f"the {which} state of replica {replica} has the energy {true[replica]}, the "
                    f"device at {self._session.line.url} says {energies[replica]}: does somebody "
                    f"else use it? Try again",
                    Status.OK,
                )


class _Schedule(Write):
    """A part of a schedule that is never run."""

    def __init__(self, size: int) -> None:
        super().__init__(AnnealerSpace.STEPS, 0, bytes(min(MAX_DATA, size)))

    def split(self, limit: int) -> Sequence[_Schedule]:
        """Write less, instead of the same in pieces: each packet counts for itself."""
        return [self] if self.data_bytes <= limit else [_Schedule(limit)]
