"""Jobs on a device's annealer: uploads, runs and results.

The device may be restarted, or used by another host, at any time. `AnnealerDriver` makes sure that
a run uses what this host has written, or does not start, and that results belong to their states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.annealer.image import AnnealerSpace, result_bytes, space_bytes, stride_bits
from ..contract.annealer.job import AnnealJob
from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.results import AnnealResults
from ..contract.wire.packets import PacketType, Status, pack_memory
from ..errors import DeviceError, FaultError, InterruptedRunError, LinkError, TensorspinError
from ..progress import Progress
from .engine import EngineDriver
from .flips import Place, check_places, flip_written
from .interruption import Interruption
from .link.changes import UNKNOWN, coupling_changes, dense_changes
from .link.measure import LinkProbe
from .link.requests import MAX_DATA, Read, Request, Write
from .link.session import Session, SessionLostError
from .results import result_ranges

_TRIES = 5
"""How often a run is begun until the device keeps its session to the end of the run."""

_CLEARED = {
    AnnealerSpace.COUPLINGS: 0,
    AnnealerSpace.STATES: 0,
    AnnealerSpace.STEPS: UNKNOWN,
    AnnealerSpace.LADDER: UNKNOWN,
}
"""Value of every byte of each memory after CLEAR. What schedule and ladder hold stays unknown, as
CLEAR does not change them."""

_LEAST_WAIT, _MOST_WAIT = 1e-4, 0.25
"""Least and greatest pause, in seconds, between two questions whether a run has ended."""

_PATIENCE = 10.0
"""Seconds beyond twice the longest time that a schedule can take, after which a run is given up. A
real device needs none; a board at a bridge computes on a processor that does other things too."""

_WAITED_PART = 8
"""The pause is this part of the time that the run has taken so far: short runs are noticed at once,
and long ones do not keep the line busy."""


@dataclass(frozen=True, eq=False)
class BoardAnnealResults(AnnealResults):
    """What a run on a board gives, and the time that it took there.

    Parameters
    ----------
    seconds : float
        Duration of the run itself in seconds: its cycles at the device's clock.
    transfer_seconds : float
        Everything else in seconds, by the board's clock (`tensorspin.driver.board.Board.seconds`):
        the upload, the start, the results, and the time until the end of the run was noticed.
    """

    seconds: float
    transfer_seconds: float


class AnnealerDriver(EngineDriver):
    """Uploads jobs to a device's annealer and runs them.

    Everything that a run uses is in the device before it starts, or there is no run. First the
    memories are cleared; later `DeviceStatus.cleared` tells that they still hold what was written
    since then. From that question to the last result there is one session, in which a device cannot
    have been restarted unnoticed.

    Parameters
    ----------
    session : Session
        An open session with a device that has an annealer.
    forget_program : callable
        Called when the device is found to have lost the contractor's program.
    """

    def __init__(self, session: Session, forget_program: Callable[[], None]) -> None:
        self._session = session
        self._forget_program = forget_program
        self._size = session.description.require_annealer()
        self._result_bytes = result_bytes(self._size)
        self._clock_hz = session.description.clock_hz
        # Known content of the device's memories, by byte; None if nothing is known.
        self._held: dict[AnnealerSpace, np.ndarray] | None = None
        # Bits that are set in a byte of the device which differs, on purpose, from what is known.
        self._flipped: dict[tuple[AnnealerSpace, int], int] = {}
        # Number of the session in which this knowledge was last confirmed.
        self._greetings = 0

    def link_probe(self) -> LinkProbe:
        """Give WRITEs of a schedule that is never run, and READs of results.

        They overwrite the schedule, so the next run uploads everything.

        Returns
        -------
        LinkProbe
            The requests.
        """
        self._held = None
        steps = space_bytes(self._size, AnnealerSpace.STEPS)
        readable = min(MAX_DATA, space_bytes(self._size, AnnealerSpace.RESULTS))
        return LinkProbe(lambda: _Schedule(steps), lambda: Read(AnnealerSpace.RESULTS, 0, readable))

    def run(
        self,
        job: AnnealJob,
        progress: Progress | None = None,
        expected: Sequence[AnnealJob] = (),
        interrupt_function: Callable[[], bool] | None = None,
    ) -> BoardAnnealResults:
        """Run a job; `tensorspin.driver.board.Board.anneal_job` describes what it raises.

        Parameters
        ----------
        job : AnnealJob
            A job of any size that fits.
        progress : callable, optional
            Called with the step that is annealed, and the number of steps.
        expected : sequence of AnnealJob, optional
            Jobs that will probably follow, as for `tensorspin.driver.board.Board.anneal_job`.
        interrupt_function : callable, optional
            Asked while the run goes on; if it returns True, the run is stopped.

        Returns
        -------
        BoardAnnealResults
            States and energies, which are checked to belong together, and times.
        """
        session = self._session
        job = job.fit(self._size)
        session.line.transport.expect(expected)
        images, run = job.images(), job.run_image()
        most_seconds = job.most_cycles / self._clock_hz

        begun = session.line.now()
        if session.greetings != self._greetings:
            # Another host may have used the device between two sessions.
            self._held = None
        check = Interruption(interrupt_function).check
        steps = len(job.steps)
        try:
            blocks = self._try(job.problem, images, run, most_seconds, steps, progress, check)
        except FaultError:
            self._held = None  # the next run sends everything
            raise
        elapsed = session.line.now() - begun
        found = AnnealResults.unpack(job.problem, blocks)
        self._check_energies(job.problem, found)
        self._check_counts(job, found)
        seconds = found.cycles / self._clock_hz
        return BoardAnnealResults(
            **vars(found), seconds=seconds, transfer_seconds=elapsed - seconds
        )

    def _try(
        self,
        problem: IsingProblem,
        images: dict[AnnealerSpace, list[bytes]],
        run: bytes,
        most_seconds: float,
        steps: int,
        progress: Progress | None,
        check: Callable[[], None] | None,
    ) -> list[bytes]:
        """Upload and run until a run has kept its session; return the blocks of its results."""
        session = self._session
        # Another host may use the device whenever a session ends, so what was uploaded before this
        # call is trusted only as long as the session lasts. What this call has uploaded itself
        # (`own`) is confirmed by the device, with `DeviceStatus.cleared`.
        own = lost = False
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                if lost:
                    session.open()
                    lost = False
                if self._held is None:
                    self._clear()
                    own = True
                self._upload(images, not own, check)
                if not own or self._still_held():
                    session.request(PacketType.ANNEAL, run, same_session=True)
                    self._wait(most_seconds, steps, progress, check)
                    return self._read_results(problem)
            except SessionLostError:
                if not tries_left:
                    raise
                lost = True
                if not own:
                    self._held = None
            except DeviceError as error:
                # A session that begins anew asks whether the device still has the contractor's
                # program. If it has not, only the program is lost: annealing goes on.
                if error.status != Status.NO_MODEL or session.model_digest is None:
                    raise
                self._forget_program()
        raise DeviceError(
            f"the device at {self._session.line.url} lost what was written to it, {_TRIES} times. "
            f"Check its power supply and its reset",
            Status.OK,
        )

    # What the device holds

    def flip_bits(self, places: Sequence[Place]) -> None:
        """Flip bits of the memories that the last job has written, behind the driver's back.

        Parameters
        ----------
        places : sequence of (enum.IntEnum, int, int)
            Memory, byte address and bit of each.

        Raises
        ------
        ValueError
            If a memory holds nothing that is written, or an address is beyond its end.
        TensorspinError
            If no job has been run, or the device is lost.
        """
        for space, *_ in places:
            if space not in _CLEARED or not space_bytes(self._size, AnnealerSpace(space)):
                raise ValueError(f"no bit of {space.name} can be flipped: nothing is written there")
        url = self._session.line.url
        check_places(places, lambda space: space_bytes(self._size, AnnealerSpace(space)), url)
        if self._held is None:
            raise TensorspinError(f"{url} holds no problem: run a job first")
        flip_written(self._session, self._held, self._flipped, places)

    def _clear(self) -> None:
        """Clear the device's memories, and note what they hold then."""
        # The request travels alone. If its reply is lost it is repeated, and would undo WRITEs that
        # had followed it.
        self._session.request(PacketType.WRITE, pack_memory(AnnealerSpace.CLEAR, 0) + b"\0")
        self._greetings = self._session.greetings
        self._flipped.clear()
        self._held = {
            space: np.full(space_bytes(self._size, space), content, dtype=np.int16)
            for space, content in _CLEARED.items()
        }

    def _upload(
        self,
        images: dict[AnnealerSpace, list[bytes]],
        same_session: bool,
        check: Callable[[], None] | None,
    ) -> None:
        """Write the bytes in which the images differ from what the device holds."""
        held = dict(self._held or {})
        requests: list[Request] = []
        for space, words in images.items():
            length = len(words[0])
            before, after = held[space], held[space].copy()
            rows = after[: len(words) << stride_bits(length)].reshape(len(words), -1)
            rows[:, :length] = np.frombuffer(b"".join(words), dtype=np.uint8).reshape(-1, length)
            if space is AnnealerSpace.COUPLINGS:
                requests += coupling_changes(before, after)
            else:
                requests += dense_changes(space, before, after)
            held[space] = after
        if requests:
            self._flipped.clear()
            self._held = None  # Until all has arrived, it is not known how much has.
            for _ in self._session.exchange(requests, same_session=same_session):
                if check is not None:
                    check()
            self._held = held

    def _still_held(self) -> bool:
        """Find out whether the device still holds what was written since it was cleared."""
        if self._session.greetings == self._greetings:
            # If the device has been restarted by now, the next request in this session will fail.
            return True
        if not self._session.status().cleared:
            self._held = None
            return False
        self._greetings = self._session.greetings
        return True

    # The run

    def _wait(
        self,
        most_seconds: float,
        steps: int,
        progress: Progress | None,
        check: Callable[[], None] | None,
    ) -> None:
        """Wait for the end of the run; an interruption (Ctrl-C too) stops it on the device."""
        session = self._session
        begun = session.line.now()
        try:
            while (status := session.status(same_session=True)).annealing:
                if progress is not None:
                    progress(min(status.step, steps), steps)
                waited = session.line.now() - begun
                if waited > _PATIENCE + 2 * most_seconds:
                    raise DeviceError(
                        f"the device at {session.line.url} has annealed for {waited:.1f} s, longer "
                        f"than the schedule can take ({most_seconds:.3g} s); open it again",
                        Status.BUSY,
                    )
                session.wait(min(max(waited / _WAITED_PART, _LEAST_WAIT), _MOST_WAIT), check)
        except InterruptedRunError:
            self._stop()
            raise
        except TensorspinError:
            raise
        except BaseException:
            self._stop()
            raise
        if progress is not None:
            progress(steps, steps)

    def _stop(self) -> None:
        """Stop the run: a device that is greeted stops whatever it does."""
        try:
            self._session.open()
        except TensorspinError:
            pass  # If the device is out of reach, the next request will report it.

    def _read_results(self, problem: IsingProblem) -> list[bytes]:
        """Read the blocks of all replicas, in their order, as far as the problem uses them."""
        length = self._result_bytes
        stride = 1 << stride_bits(length)
        memory = bytearray(self._size.replicas * stride)
        reads = (
            Read(AnnealerSpace.RESULTS, first, min(MAX_DATA, end - first))
            for begin, end in result_ranges(self._size, problem.variables)
            for first in range(begin, end, MAX_DATA)
        )
        for request, reply in self._session.exchange(reads, same_session=True):
            assert isinstance(request, Read)
            memory[request.address : request.address + request.count] = reply
        return [bytes(memory[block : block + length]) for block in range(0, len(memory), stride)]

    def _check_energies(self, problem: IsingProblem, found: AnnealResults) -> None:
        """Refuse states whose energies are not those that the device states."""
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

    def _check_counts(self, job: AnnealJob, found: AnnealResults) -> None:
        """Refuse ranks and cycles that no run can end with."""
        ranks, cycles = found.ranks, found.cycles
        if not np.array_equal(np.sort(ranks), np.arange(self._size.replicas)):
            wrong = f"ranks {ranks.tolist()} of its replicas"
        elif not job.possible_cycles(cycles):
            wrong = (
                f"{cycles} cycles of a run that takes {job.least_cycles} to {job.most_cycles} in "
                f"steps of {job.cycle_step}"
            )
        else:
            return
        self._held = None
        raise LinkError(
            f"the device at {self._session.line.url} reports impossible {wrong}; does its "
            f"bitstream belong to this driver?"
        )


class _Schedule(Write):
    """A part of a schedule that is never run.

    Parameters
    ----------
    size : int
        Number of bytes to write, cut off at `MAX_DATA`.
    """

    def __init__(self, size: int) -> None:
        super().__init__(AnnealerSpace.STEPS, 0, bytes(min(MAX_DATA, size)))

    def split(self, limit: int) -> Sequence[_Schedule]:
        """Write less, instead of the same in pieces: each packet counts for itself."""
        return [self] if self.data_bytes <= limit else [_Schedule(limit)]
