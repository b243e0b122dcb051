"""A board with the accelerator on it, real or virtual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..contract.annealer.problem import IsingProblem, Step
from ..contract.annealer.tempering import Ladder
from ..contract.contractor.results import Results
from ..contract.device.description import DeviceDescription
from ..contract.wire.packets import DeviceStatus
from ..errors import BaudRateError, LinkError, TensorspinError
from ..progress import Progress
from .annealer import Annealing, BoardAnneal
from .contractor import Contracting
from .link.measure import LinkReport, measure_link
from .link.session import DEFAULT_TIMEOUT, Session
from .transports import Transport, baud_rates, open_transport

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_Engine = TypeVar("_Engine", Contracting, Annealing)


class Board:
    """A board, opened for this process alone.

    Use `Board.open`, and close it or use it as a context manager. A board holds an open port, so
    that it can't be pickled: pass its URL on instead.

    Attributes
    ----------
    url : str
    info : DeviceDescription
        What the device says of itself.
    program : NetworkProgram or None
        What `load` has put on the device; None on one without a contractor.

    Examples
    --------
    >>> with Board.open("golden://icebreaker") as board:
    ...     board.info.contractor.lanes
    8
    """

    def __init__(self, session: Session) -> None:
        self._session: Session | None = session
        self.url = session.line.url
        self.info: DeviceDescription = session.description
        self._contracting = self._annealing = None
        if self.info.contractor is not None:
            self._contracting = Contracting(session)
        if self.info.annealer is not None:
            self._annealing = Annealing(session, self._forget_program)

    @classmethod
    def open(cls, url: str, *, baud: int | None = None, timeout: float = DEFAULT_TIMEOUT) -> Board:
        """Open a board.

        Parameters
        ----------
        url : str
            ``sim://BOARD``, ``golden://BOARD``, the path of a serial port, or a URL of pySerial.
        baud : int, optional
            Rate of the serial line. By default the rates of the known boards are tried.
        timeout : float
            Seconds without progress, beyond what the work itself takes, until the board is given
            up; on virtual boards, seconds of their own clock.

        Raises
        ------
        TransportError
            If the port can't be opened.
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If the device speaks another version of the protocol.
        """
        rates = baud_rates(url) if baud is None else [baud]
        failures = []
        for rate in rates:
            try:
                transport = open_transport(url, baud=rate)
            except BaudRateError as error:
                failures.append(error)  # an adapter that is too slow for others' boards
                continue
            try:
                return cls.over(transport, timeout)
            except LinkError as error:
                transport.close()
                failures.append(error)
            except BaseException:
                transport.close()
                raise
        if len(failures) == 1:
            raise failures[0]
        # That nothing answers at one rate tells more than that another is not possible.
        error = next((each for each in failures if isinstance(each, LinkError)), failures[0])
        tried = ", ".join(map(str, rates))
        raise type(error)(f"{error} (tried at {tried} baud)") from error

    @classmethod
    def over(cls, transport: Transport, timeout: float = DEFAULT_TIMEOUT) -> Board:
        """Open a board at the end of a transport of one's own; it is closed with the board."""
        session = Session(transport, timeout)
        session.open()
        return cls(session)

    def close(self) -> None:
        """Release the port; closing again does nothing. The device keeps its program."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._session is None else self.info.board
        return f"<Board {self.url} ({state})>"

    def __deepcopy__(self, memo) -> Board:
        """The board itself: copies of a sampler or a pipeline share its port."""
        return self

    def __reduce__(self):
        raise TypeError(
            f"a Board holds an open port and can't be pickled; pass its URL ({self.url!r}) and "
            f"open it again"
        )

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise TensorspinError(f"the board at {self.url} is closed; open it again")
        return self._session

    # The device

    @property
    def seconds(self) -> float:
        """The board's clock, to measure how long things take there; its zero means nothing.

        On a real board that is the host's monotonic clock, on a virtual one the virtual time.
        """
        return self._open_session.line.now()

    def status(self) -> DeviceStatus:
        """The device's counters, the digest of its model, and what its annealer does."""
        session = self._open_session
        if self._contracting is None:
            return session.status()
        with self._contracting.forgetting_a_lost_program():
            return session.status()

    def link_test(self, seconds: float = 1.0) -> LinkReport:
        """Measure the line in both directions; the program on the device stays.

        Parameters
        ----------
        seconds : float
            Time for all, on the transport's clock.
        """
        session = self._open_session
        if self._contracting is None:
            self._annealing.forget_memories()
            return measure_link(session, seconds)
        with self._contracting.forgetting_a_lost_program():
            return measure_link(session, seconds)

    def _engine(self, engine: _Engine | None, name: str) -> _Engine:
        if self._open_session and engine is None:
            raise TensorspinError(
                f"the board at {self.url} ({self.info.board}) has no {name} in its bitstream"
            )
        return engine

    # The contractor

    @property
    def program(self) -> NetworkProgram | None:
        """What `load` has put on the device."""
        return None if self._contracting is None else self._contracting.program

    def _forget_program(self) -> None:
        if self._contracting is not None:
            self._contracting.forget_program()

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Put a program on the device.

        Nothing is sent if the device holds this very program. The program becomes active as the
        last step: if loading fails, the device holds none, or what it had if nothing was sent.

        Parameters
        ----------
        program : NetworkProgram
        verify : bool
            Read everything back and compare. If the device had to be greeted anew while loading,
            that is done in any case, since it may have been restarted before.
        force : bool
            Load even if the device holds the program.
        progress : callable, optional
            Called with the bytes sent and the bytes to send.

        Raises
        ------
        CapacityError
            If the program doesn't fit; the device keeps what it had.
        DeviceError
            If what was read back is wrong.
        LinkError, TransportError
            If the device is lost.
        """
        contracting = self._engine(self._contracting, "contractor")
        contracting.load(program, verify=verify, force=force, progress=progress)

    def run(self, levels: np.ndarray, *, progress: Progress | None = None) -> Results:
        """Contract samples with the program loaded.

        Samples travel while others are computed.

        Parameters
        ----------
        levels : ndarray of integers 0..255, shape (n, n_features)
            One level a feature; n may be 0.
        progress : callable, optional
            Called with the samples done and the samples to do.

        Returns
        -------
        Results

        Raises
        ------
        ValueError, TypeError
            If `levels` has another shape, type or range.
        DeviceError
            If the device has lost the program, or finds an error in it.
        LinkError, TransportError
            If the device is lost.
        TensorspinError
            If no program is loaded.
        """
        return self._engine(self._contracting, "contractor").run(levels, progress=progress)

    # The annealer

    def anneal(
        self,
        problem: IsingProblem,
        steps: Sequence[Step],
        seed: int,
        *,
        refresh: int = 0,
        initial_states: np.ndarray | None = None,
        ladder: Ladder | None = None,
        progress: Progress | None = None,
    ) -> BoardAnneal:
        """Anneal a problem with all of the device's replicas.

        What the device holds of an earlier call is not sent again. Of the rest only the bytes that
        differ travel, in whichever form is shorter.

        Parameters
        ----------
        problem : IsingProblem
            Of any size that fits; best made for ``info.annealer``.
        steps : sequence of Step
            As from `tensorspin.contract.annealer.problem.schedule`, or of simulated quantum
            annealing
            (`tensorspin.contract.annealer.transverse`) or parallel tempering
            (`tensorspin.contract.annealer.tempering`), for ``info.annealer``.
        seed : int
            0 or more; the same gives the same states.
        refresh : int, default=0
            Turns that a replica sits out between two sweeps.
        initial_states : array_like of int, shape (replicas, n), optional
            +1 and -1. Without them all spins are +1.
        ladder : Ladder, optional
            Temperatures of parallel tempering.
        progress : callable, optional
            Called with the step that is annealed, and the number of steps.

        Returns
        -------
        BoardAnneal
            Its energies are those of its states: both were compared.

        Raises
        ------
        CapacityError
            If there are more variables, or steps, than the device has room for. Like the next, it
            is raised before anything is sent.
        ValueError, TypeError
            If something else of the problem does not fit, or an argument is wrong.
        DeviceError
            If the device loses what is written to it, or a state and its energy do not agree.
        LinkError, TransportError
            If the device is lost. The next call sends everything again.
        TensorspinError
            If the device has no annealer.
        """
        annealing = self._engine(self._annealing, "annealer")
        return annealing.anneal(problem, steps, seed, refresh, initial_states, ladder, progress)
