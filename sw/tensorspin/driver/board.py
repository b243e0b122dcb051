"""A board with the accelerator on it, real or virtual: what users of the package hold.

`Board` opens a board and keeps the session with its device. What the board can do beyond that, each
of its engines' drivers does; `DRIVERS` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..contract.annealer.problem import IsingProblem, Step
from ..contract.annealer.tempering import Ladder
from ..contract.contractor.results import Results
from ..contract.device.description import DeviceDescription
from ..contract.device.engines import ENGINES
from ..contract.engine import EngineKind
from ..contract.wire.packets import DeviceStatus
from ..errors import BaudRateError, LinkError, TensorspinError
from ..progress import Progress
from .annealer import Annealing, BoardAnneal
from .contractor import Contracting
from .engine import EngineDriver
from .link.measure import LinkReport, measure_link
from .link.session import DEFAULT_TIMEOUT, Session
from .transports import Transport, baud_rates, open_transport

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

DRIVERS: dict[int, Callable[[Session, Callable[[], None]], EngineDriver]] = {
    EngineKind.CONTRACTOR: lambda session, forget_models: Contracting(session),
    EngineKind.ANNEALER: Annealing,
}
"""The driver of each engine, by `EngineKind`: called with the session, and with a function that
makes all drivers of the board forget the models that the device has lost."""

_Driver = TypeVar("_Driver", bound=EngineDriver)


class Board:
    """A board, opened for this process alone.

    Call `Board.open` to get one, and close it or use it as a context manager. A board holds an open
    port, so that it can't be pickled: pass its URL to the other process, which then opens it.

    Parameters
    ----------
    session : Session
        An open session with the device. `open` and `over` make one.

    Attributes
    ----------
    url : str
        What the board was opened with.
    info : DeviceDescription
        What the device says of itself: its board, its clock, and the sizes of its engines.
    program : NetworkProgram or None
        The program that `load` has put on the device; None if there is none.

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
        self._drivers = {
            kind: DRIVERS[kind](session, self._forget_models) for kind in self.info.engines
        }

    @classmethod
    def open(cls, url: str, *, baud: int | None = None, timeout: float = DEFAULT_TIMEOUT) -> Board:
        """Open a board.

        Parameters
        ----------
        url : str
            ``sim://BOARD`` for the simulated gateware, ``golden://BOARD`` for the golden model, the
            path of a serial port, or a URL of pySerial.
        baud : int, optional
            Rate of the serial line in bits per second. By default the rates of all known boards are
            tried, one after the other.
        timeout : float
            Seconds without progress, beyond the time that the work itself takes, after which the
            board is given up. On virtual boards these are seconds of their own clock.

        Returns
        -------
        Board
            The open board.

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
        failures: list[BaudRateError | LinkError] = []
        for rate in rates:
            try:
                transport = open_transport(url, baud=rate)
            except BaudRateError as error:
                # The adapter may be too slow for the rate of another board.
                failures.append(error)
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
        failure = next((each for each in failures if isinstance(each, LinkError)), failures[0])
        tried = ", ".join(map(str, rates))
        raise type(failure)(f"{failure} (tried at {tried} baud)") from failure

    @classmethod
    def over(cls, transport: Transport, timeout: float = DEFAULT_TIMEOUT) -> Board:
        """Open a board behind a transport that the caller has made.

        Parameters
        ----------
        transport : Transport
            An open transport. It belongs to the board from now on and is closed with it.
        timeout : float
            As for `open`.

        Returns
        -------
        Board
            The open board.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If the device speaks another version of the protocol.
        """
        session = Session(transport, timeout)
        session.open()
        return cls(session)

    def close(self) -> None:
        """Release the port; closing again does nothing.

        The device keeps its program, so that the next one who opens the board need not load it.
        """
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
        """Give the board itself: copies of a sampler or a pipeline share its port."""
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
        """The board's clock in seconds, for measuring durations; its zero means nothing.

        Of a real board it is the host's monotonic clock, of a virtual board its virtual time.
        """
        return self._open_session.line.now()

    def status(self) -> DeviceStatus:
        """Ask for the device's counters, the digest of its model, and what its annealer does.

        Returns
        -------
        DeviceStatus
            The device's answer.

        Raises
        ------
        DeviceError
            If the device has lost the program that was loaded.
        LinkError, TransportError
            If the device is lost.
        """
        session = self._open_session
        with self._forgetting_losses():
            return session.status()

    def link_test(self, seconds: float = 1.0) -> LinkReport:
        """Measure the line in both directions; the program on the device stays.

        Parameters
        ----------
        seconds : float
            Time for all measurements together, on the transport's clock.

        Returns
        -------
        LinkReport
            Round trips, throughput, and what happened on the line meanwhile.

        Raises
        ------
        ValueError
            If `seconds` is not more than 0.
        DeviceError
            If the device has lost the program that was loaded.
        LinkError, TransportError
            If the device is lost.
        """
        session = self._open_session
        # One engine is enough to load the line; the first is the one whose requests disturb least.
        probe = next(iter(self._drivers.values())).link_probe()
        with self._forgetting_losses():
            return measure_link(session, seconds, probe)

    @contextmanager
    def _forgetting_losses(self) -> Iterator[None]:
        """Let every driver see whether requests fail because the device has lost something."""
        with ExitStack() as stack:
            for driver in self._drivers.values():
                stack.enter_context(driver.forgetting_losses())
            yield

    def _forget_models(self) -> None:
        for driver in self._drivers.values():
            driver.forget_model()

    def _driver(self, kind: EngineKind, driver_class: type[_Driver]) -> _Driver:
        """Give the driver of an engine, or raise an error if the board is closed or lacks it."""
        driver = self._drivers.get(kind) if self._open_session else None
        if not isinstance(driver, driver_class):
            raise TensorspinError(
                f"the board at {self.url} ({self.info.board}) has no {ENGINES[kind].name} in its "
                f"bitstream"
            )
        return driver

    # The contractor

    @property
    def program(self) -> NetworkProgram | None:
        """The program that `load` has put on the device, and that `run` uses."""
        driver = self._drivers.get(EngineKind.CONTRACTOR)
        return driver.program if isinstance(driver, Contracting) else None

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Put a program on the device.

        Nothing is sent if the device already holds this very program. The device activates the
        program as the last step. So if loading fails, the device holds no program, or the one that
        it had before if nothing was sent.

        Parameters
        ----------
        program : NetworkProgram
            A compiled network.
        verify : bool
            Whether to read everything back and compare. If the session had to be begun anew while
            the program was sent, this is done in any case, since the device may have been restarted
            in between.
        force : bool
            Whether to load the program even if the device holds it.
        progress : callable, optional
            Called with the number of bytes sent so far and the number of bytes to send.

        Raises
        ------
        CapacityError
            If the program doesn't fit; the device keeps what it had.
        DeviceError
            If what was read back is wrong, repeatedly.
        LinkError, TransportError
            If the device is lost.
        """
        driver = self._driver(EngineKind.CONTRACTOR, Contracting)
        driver.load(program, verify=verify, force=force, progress=progress)

    def run(self, levels: np.ndarray, *, progress: Progress | None = None) -> Results:
        """Contract samples: compute the scores of the loaded program's network for each.

        Samples travel over the line while the device computes others.

        Parameters
        ----------
        levels : ndarray of int of shape (n_samples, n_features)
            One level, 0 to 255, for each feature; ``n_samples`` may be 0.
        progress : callable, optional
            Called with the number of samples done and the number of samples to do.

        Returns
        -------
        Results
            Scores, exponents, classes and clock cycles of all samples.

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
        return self._driver(EngineKind.CONTRACTOR, Contracting).run(levels, progress=progress)

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
        driver = self._driver(EngineKind.ANNEALER, Annealing)
        return driver.anneal(problem, steps, seed, refresh, initial_states, ladder, progress)
