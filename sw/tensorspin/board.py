"""A board with the accelerator on it, real or virtual."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from .contract.device import DeviceDescription
from .contract.fixed import LEVEL
from .contract.memory import MemorySpace
from .contract.packets import ACTIVATE, RESULT, STATUS, DeviceStatus, PacketType, Status
from .contract.results import Results
from .errors import DeviceError, LinkError, TensorspinError
from .link.measure import LinkReport, measure_link
from .link.requests import MAX_DATA, SCORE_BYTES, Read, Request, Run, Write
from .link.session import DEFAULT_TIMEOUT, Session, SessionLostError
from .progress import Progress
from .transports import Transport, baud_rates, open_transport

if TYPE_CHECKING:
    from .compiler.network_program import NetworkProgram

_RESULT_FIELDS = ("exponent", "class", "cycles")
"""Names for the fields of `RESULT`."""

_UPLOADS = 3
"""Times that a program is uploaded until it must read back right."""

_SESSIONS = 5
"""Sessions in which one upload is tried to be read back and activated."""


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
        What `load` has put on the device.

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
        self.program: NetworkProgram | None = None

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
        for rate in rates:
            transport = open_transport(url, baud=rate)
            try:
                session = Session(transport, timeout)
                session.open()
                return cls(session)
            except LinkError as error:
                transport.close()
                if rate == rates[-1]:
                    if len(rates) == 1:
                        raise
                    tried = ", ".join(map(str, rates))
                    raise LinkError(f"{error} (tried at {tried} baud)") from error
            except BaseException:
                transport.close()
                raise
        raise AssertionError("there is always a rate to try")

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
        """The device's counters, and the digest of its model."""
        session = self._open_session
        with self._forgetting_a_lost_program():
            reply = session.request(PacketType.STATUS, reply_bytes=1 + STATUS.size)
        return DeviceStatus.unpack(reply)

    def link_test(self, seconds: float = 1.0) -> LinkReport:
        """Measure the line in both directions; the program on the device stays.

        Parameters
        ----------
        seconds : float
            Time for all, on the transport's clock.
        """
        session = self._open_session
        with self._forgetting_a_lost_program():
            return measure_link(session, seconds)

    # The program

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
        session = self._open_session
        size = self.info.contractor
        program.check(size)
        digest = program.digest(size.lanes)
        images = {
            MemorySpace.PROGRAM: program.image(size.lanes),
            MemorySpace.TABLE: program.table_bytes(),
        }
        activate = ACTIVATE.pack(program.n_features, digest)
        self._forget_program()  # and with it, what the device must hold
        if not force:
            status = self.status()
            if status.active and status.digest == digest:
                if not verify or self._activate(activate, images, check=True):
                    self._remember_program(program, digest)
                    return
        for _ in range(_UPLOADS):
            greetings = session.greetings
            self._upload(images, progress)
            check = verify or session.greetings != greetings
            if self._activate(activate, images, check):
                self._remember_program(program, digest)
                return
        raise DeviceError(
            f"the device at {self.url} lost what was written to it, {_UPLOADS} times; it holds no "
            f"program now. Check its power supply and its reset",
            Status.NO_MODEL,
        )

    def _upload(self, images: dict[MemorySpace, bytes], progress: Progress | None) -> None:
        total = sum(len(image) for image in images.values())
        done = 0
        for request, _ in self._open_session.exchange(_writes(images)):
            done += len(request.data)
            if progress is not None:
                progress(done, total)

    def _activate(self, activate: bytes, images: dict[MemorySpace, bytes], check: bool) -> bool:
        """Make an upload active, unless something in it was lost.

        A restart loses it, and can go unnoticed where the device is greeted anew. So either upload
        and activation happen in one session, or read-back and activation do. The two can't be
        pipelined: a WRITE that is asked again would make the program inactive.

        Parameters
        ----------
        activate : bytes
            Payload of ACTIVATE.
        images : dict of MemorySpace to bytes
            What was uploaded.
        check : bool
            Read back first.

        Returns
        -------
        bool
            False if something was lost.
        """
        session = self._open_session
        tries = 0
        while True:
            try:
                if check and not self._holds(images):
                    return False
                session.request(PacketType.ACTIVATE, activate, same_session=True)
                return True
            except SessionLostError:
                tries += 1
                if tries == _SESSIONS:
                    raise
                session.open()
                check = True

    def _holds(self, images: dict[MemorySpace, bytes]) -> bool:
        """Read memories back in one session, and compare."""
        reads = (
            Read(space, first, min(MAX_DATA, len(image) - first))
            for space, image in images.items()
            for first in range(0, len(image), MAX_DATA)
        )
        wrong = 0
        for request, reply in self._open_session.exchange(reads, same_session=True):
            image = images[request.space]
            wrong += reply != image[request.address : request.address + request.count]
        return wrong == 0

    @contextmanager
    def _forgetting_a_lost_program(self) -> Iterator[None]:
        """Whoever finds that the device has lost the program must load it before the next run."""
        try:
            yield
        except DeviceError:
            self._forget_program()
            raise

    def _forget_program(self) -> None:
        self.program = self._open_session.model_digest = None

    def _remember_program(self, program: NetworkProgram, digest: int) -> None:
        self.program = program
        self._open_session.model_digest = digest

    # Samples

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
        session = self._open_session
        if self.program is None:
            raise TensorspinError(f"no program is loaded on {self.url}: call load first")
        levels = _check_levels(levels, self.program.n_features)
        samples, outputs = len(levels), self.program.n_outputs
        reply_bytes = SCORE_BYTES * outputs + RESULT.size
        replies = np.empty((samples, reply_bytes), dtype=np.uint8)
        seconds = self.program.cycles(self.info.contractor.lanes) / self.info.clock_hz
        requests = (
            Run(index, levels[index].tobytes(), outputs, seconds) for index in range(samples)
        )
        with self._forgetting_a_lost_program():
            for done, (request, reply) in enumerate(session.exchange(requests), start=1):
                if len(reply) != reply_bytes:
                    raise LinkError(
                        f"the device at {self.url} replied to {request} with {len(reply)} bytes "
                        f"instead of {reply_bytes}; does its bitstream belong to this driver?"
                    )
                replies[request.index] = np.frombuffer(reply, dtype=np.uint8)
                if progress is not None:
                    progress(done, samples)
        return _unpack_results(replies, outputs)


def _writes(images: dict[MemorySpace, bytes]) -> Iterator[Request]:
    for space, image in images.items():
        for first in range(0, len(image), MAX_DATA):
            yield Write(space, first, image[first : first + MAX_DATA])


def _check_levels(levels: np.ndarray, features: int) -> np.ndarray:
    """Levels as a contiguous array of uint8."""
    levels = np.asarray(levels)
    if levels.ndim != 2 or levels.shape[1] != features:
        advice = "; for one sample, levels[np.newaxis]" if levels.shape == (features,) else ""
        raise ValueError(
            f"levels must have shape (n, {features}), one column a feature of the program, not "
            f"{levels.shape}{advice}"
        )
    if levels.dtype != np.uint8:
        if not np.issubdtype(levels.dtype, np.integer):
            raise TypeError(
                f"levels must be integers {LEVEL.minimum}..{LEVEL.maximum}, not {levels.dtype}"
            )
        outside = (levels < LEVEL.minimum) | (levels > LEVEL.maximum)
        if outside.any():
            sample, feature = np.argwhere(outside)[0]
            raise ValueError(
                f"levels must be {LEVEL.minimum}..{LEVEL.maximum}; sample {sample}, feature "
                f"{feature} has {levels[sample, feature]}"
            )
    return np.ascontiguousarray(levels, dtype=np.uint8)


def _unpack_results(replies: np.ndarray, outputs: int) -> Results:
    """Split replies, as `tensorspin.contract.packets.PacketType.RUN` lays them out."""
    byte_order, *codes = RESULT.format
    layout = np.dtype(
        [("scores", "<i2", (outputs,))]
        + [(name, byte_order + code) for name, code in zip(_RESULT_FIELDS, codes)]
    )
    fields = replies.view(layout)[:, 0]
    return Results(
        fields["scores"].astype(np.int16),
        fields["exponent"].astype(np.uint16),
        fields["class"].astype(np.int64),
        fields["cycles"].astype(np.int64),
    )
