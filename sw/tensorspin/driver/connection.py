"""A board that is open: its session, and what the devices of all boards can do.

`DRIVERS` lists the drivers of the engines; `tensorspin.driver.board.Board` adds what they can do.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn, Self

from ..contract.device.description import DeviceDescription
from ..contract.engine import EngineKind
from ..contract.wire.packets import DeviceStatus
from ..errors import BaudRateError, LinkError, TensorspinError
from ..progress import Progress
from .annealer import AnnealerDriver
from .engine import EngineDriver
from .link.measure import LinkReport, measure_link
from .link.session import DEFAULT_TIMEOUT, Session, check_timeout
from .resident import contractor_driver
from .spatial import SpatialDriver
from .transports import Transport, access_for, baud_rates, open_transport
from .turn import Turn

_logger = logging.getLogger(__name__)

DRIVERS: dict[int, Callable[[Session, Callable[[], None]], EngineDriver]] = {
    EngineKind.CONTRACTOR: lambda session, forget_models: contractor_driver(session),
    EngineKind.ANNEALER: AnnealerDriver,
    EngineKind.SPATIAL: lambda session, forget_models: SpatialDriver(session),
}
"""The driver of each engine, by `EngineKind`: called with the session, and with a function that
makes all drivers of the board forget the models that the device has lost."""


class OpenBoard:
    """A board, opened for this process alone, with whatever engines it has.

    Threads may share a board: each call has the board to itself from its first request to its last
    reply, and other threads wait until it is done.

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

    Examples
    --------
    >>> with OpenBoard.open("golden://icebreaker") as board:
    ...     board.status().active
    False
    """

    def __init__(self, session: Session) -> None:
        self._session: Session | None = session
        self._turn = Turn(self._begin_turn, self._end_turn)
        self.url = session.line.url
        self.info: DeviceDescription = session.description
        self._drivers = {
            kind: DRIVERS[kind](session, self._forget_models) for kind in self.info.engines
        }

    @classmethod
    def open(
        cls,
        url: str,
        *,
        baud: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        token: str | None = None,
        certificate: str | Path | None = None,
        queue_timeout: float | None = None,
    ) -> Self:
        """Open a board.

        Parameters
        ----------
        url : str
            ``sim://BOARD`` for the simulated gateware, ``golden://BOARD`` for the golden model,
            ``spi://PATH`` for an SPI port of Linux, ``https://HOST:PORT/BOARD`` for a board that
            `tensorspin serve` shares, the path of a serial port, or a URL of pySerial.
        baud : int, optional
            Rate of the serial line in bits per second. By default the rates of all known boards are
            tried, one after the other. The rate of an SPI port stands in its URL.
        timeout : float
            Seconds without progress, beyond the time that the work itself takes, after which the
            board is given up: an hour at most. On virtual boards these are seconds of their own
            clock.
        token : str, optional
            Token for a server. By default the one in the variable ``TENSORSPIN_TOKEN`` of the
            environment, if there is one.
        certificate : str or Path, optional
            File in PEM with the server's certificate, or of who signed it. By default those that
            this computer trusts.
        queue_timeout : float, optional
            Seconds that each call waits until it is its turn at a board that a server shares; by
            default 60.

        Returns
        -------
        OpenBoard
            The open board, of the class that this is called on.

        Raises
        ------
        ValueError
            If `timeout` is not more than 0 and at most an hour, or what is for a server is given
            for something else.
        TransportError
            If the port can't be opened, or the server can't be reached or refuses.
        BoardBusyError
            If the board of a server is not free in time.
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If the device speaks another version of the protocol.
        """
        check_timeout(timeout)  # before a port is opened, or a simulator compiled
        access = access_for(url, token, certificate, queue_timeout)
        if access is not None:
            with ExitStack() as stack:
                transport = open_transport(url, access=access)
                stack.callback(transport.close)
                board = cls.over(transport, timeout)
                stack.pop_all()
                return board
        rates = baud_rates(url) if baud is None else [baud]
        failures: list[BaudRateError | LinkError] = []
        for rate in rates:
            _logger.debug("opening %s at %d baud", url, rate)
            try:
                transport = open_transport(url, baud=rate)
            except BaudRateError as error:
                # The adapter may be too slow for a rate that only other boards use.
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
        # "Nothing answers at this rate" helps the user more than "the adapter lacks that rate".
        failure = next((each for each in failures if isinstance(each, LinkError)), failures[0])
        tried = ", ".join(map(str, rates))
        raise type(failure)(f"{failure} (tried at {tried} baud)") from failure

    @classmethod
    def over(cls, transport: Transport, timeout: float = DEFAULT_TIMEOUT) -> Self:
        """Open a board behind a transport that the caller has made.

        Parameters
        ----------
        transport : Transport
            An open transport. It belongs to the board from now on and is closed with it.
        timeout : float
            Seconds without progress after which the board is given up, as for `open`.

        Returns
        -------
        OpenBoard
            The open board, of the class that this is called on.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If the device speaks another version of the protocol.
        """
        session = Session(transport, timeout)
        session.begin_turn()
        try:
            session.open()
        finally:
            session.end_turn()
        info = session.description
        if info.baud < transport.rate < math.inf:
            _logger.warning(
                "%s: SPI's clock of %g MHz is faster than the %g MHz to which the timing of %s is "
                "held; answers may be damaged",
                transport.url,
                transport.rate / 1e6,
                info.baud / 1e6,
                info.board,
            )
        _logger.debug(
            "%s is %s, build %s, at %g MHz",
            transport.url,
            info.board,
            info.build.hex(),
            info.clock_hz / 1e6,
        )
        return cls(session)

    def close(self) -> None:
        """Release the port; closing again does nothing.

        The device keeps its program, so that the next one who opens the board need not load it. If
        another thread uses the board, closing waits until that call is done.
        """
        with self._turn.lock:
            session, self._session = self._session, None
            if session is not None:
                session.close()

    def detach(self) -> Transport:
        """Give the transport away, still open; this board is closed then.

        Returns
        -------
        Transport
            The transport, which belongs to the caller from now on.

        Raises
        ------
        TensorspinError
            If the board is closed.

        Examples
        --------
        >>> board = OpenBoard.open("golden://icebreaker")
        >>> OpenBoard.over(board.detach())
        <Board golden://icebreaker (icebreaker)>
        """
        with self._turn.lock:
            transport, self._session = self._open_session.line.transport, None
            return transport

    def _begin_turn(self) -> None:
        if self._session is not None and not self._session.begin_turn():
            for driver in self._drivers.values():
                driver.doubt()

    def _end_turn(self) -> None:
        if self._session is not None:
            self._session.end_turn()

    def exclusive(self) -> AbstractContextManager[Any]:
        """Keep the board for this thread alone, for several calls that belong together.

        A run uses the program that was loaded last, by whichever thread. So where threads share a
        board, loading and running belong into one such block. Other threads wait until the block
        ends, also if it ends with an error.

        At a board that a server shares, the block is one turn, and others wait until it ends;
        without a block each call is a turn of its own. A run loads its program again if somebody
        else has loaded another in between.

        Returns
        -------
        context manager
            For a ``with`` statement. Blocks of one thread may be nested.

        Examples
        --------
        >>> with OpenBoard.open("golden://icebreaker") as board:
        ...     with board.exclusive():
        ...         before = board.status()
        ...         board.status() == before
        True
        """
        return self._turn

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._session is None else self.info.board
        return f"<Board {self.url} ({state})>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Give the board itself: copies of a sampler or a pipeline share its port."""
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a Board holds an open port and can't be pickled; pass its URL ({self.url!r}) and "
            f"open it again"
        )

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise self._closed()
        return self._session

    def _closed(self) -> TensorspinError:
        """Make the error of a board that was closed and is still used."""
        return TensorspinError(f"the board at {self.url} is closed; open it again")

    # The device

    @property
    def seconds(self) -> float:
        """The board's clock in seconds, for measuring durations; its zero means nothing.

        It is the host's monotonic clock for a real board, and virtual time for a virtual one.
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
        with self._turn:
            session = self._open_session
            with self._forgetting_losses():
                return session.status()

    def link_test(
        self,
        seconds: float = 1.0,
        wall_seconds: float = math.inf,
        progress: Progress | None = None,
    ) -> LinkReport:
        """Measure the line in both directions; the program on the device stays.

        Parameters
        ----------
        seconds : float
            Time for all measurements together, on the transport's clock: an hour at most.
        wall_seconds : float
            Time after which they end in any case, on the computer's own clock: a simulated device
            may take minutes for a second of its clock.
        progress : callable, optional
            Called with the percentage done and 100.

        Returns
        -------
        LinkReport
            Round trips, throughput, and what happened on the line meanwhile.

        Raises
        ------
        ValueError
            If `seconds` is not more than 0 and at most an hour, or `wall_seconds` not more than 0.
        DeviceError
            If the device has lost the program that was loaded.
        LinkError, TransportError
            If the device is lost.
        TensorspinError
            If the device lists no engine.
        """
        with self._turn:
            session = self._open_session
            # One engine is enough to load the line; the first is the one whose requests disturb
            # least.
            driver = next(iter(self._drivers.values()), None)
            if driver is None:
                raise TensorspinError(
                    f"the device at {self.url} ({self.info.board}) lists no engine, whose requests "
                    f"a link test sends; configure it with a bitstream of this version"
                )
            probe = driver.link_probe()
            with self._forgetting_losses():
                return measure_link(session, seconds, probe, wall_seconds, progress)

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
