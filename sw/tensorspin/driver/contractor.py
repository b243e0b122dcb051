"""Programs and samples on a device's contractor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..contract.contractor.memory import MemorySpace
from ..contract.contractor.results import Results
from ..contract.fixed import LEVEL
from ..contract.wire.packets import ACTIVATE, OFFSET, RESULT, PacketType, Status
from ..errors import DeviceError, LinkError, TensorspinError
from ..progress import Progress
from .engine import EngineDriver
from .link.measure import LinkProbe
from .link.requests import MAX_DATA, SCORE_BYTES, Part, Read, Request, Run, Write
from .link.session import Session, SessionLostError

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_RESULT_FIELDS = ("exponent", "class", "cycles")
"""Names for the fields of `RESULT`."""

_UPLOADS = 3
"""Times that a program is uploaded until it must read back right."""

_SESSIONS = 5
"""Sessions in which one upload is tried to be read back and activated."""


class Contracting(EngineDriver):
    """Loads programs into a contractor and runs them; `tensorspin.driver.board.Board` says how.

    Parameters
    ----------
    session : Session
        With a device that has a contractor.

    Attributes
    ----------
    program : NetworkProgram or None
        What `load` has put on the device.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._size = session.description.require_contractor()
        self._url = session.line.url
        self.program: NetworkProgram | None = None

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """As `Board.load`."""
        session, size = self._session, self._size
        program.check(size)
        digest = program.digest(size.lanes)
        images = {
            MemorySpace.PROGRAM: program.image(size.lanes),
            MemorySpace.TABLE: program.table_bytes(),
        }
        activate = ACTIVATE.pack(program.n_features, digest)
        self.forget_model()  # and with it, what the device must hold
        if not force:
            status = session.status()
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
            f"the device at {self._url} lost what was written to it, {_UPLOADS} times; it holds no "
            f"program now. Check its power supply and its reset",
            Status.NO_MODEL,
        )

    def _upload(self, images: dict[MemorySpace, bytes], progress: Progress | None) -> None:
        total = sum(len(image) for image in images.values())
        done = 0
        for request, _ in self._session.exchange(_writes(images)):
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
        session = self._session
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
        for request, reply in self._session.exchange(reads, same_session=True):
            image = images[request.space]
            wrong += reply != image[request.address : request.address + request.count]
        return wrong == 0

    @contextmanager
    def forgetting_losses(self) -> Iterator[None]:
        """Whoever finds that the device has lost the program must load it before the next run."""
        try:
            yield
        except DeviceError:
            self.forget_model()
            raise

    def forget_model(self) -> None:
        """What the device must hold is not asked for any more."""
        self.program = self._session.model_digest = None

    def link_probe(self) -> LinkProbe:
        """Give requests that leave the program alone: parts of a sample, and READs."""
        space = MemorySpace.TABLE
        readable = min(MAX_DATA, self._size.space_bytes(space))
        return LinkProbe(lambda: _Levels(self._size.features), lambda: Read(space, 0, readable))

    def _remember_program(self, program: NetworkProgram, digest: int) -> None:
        self.program = program
        self._session.model_digest = digest

    def run(self, levels: np.ndarray, *, progress: Progress | None = None) -> Results:
        """As `Board.run`."""
        session = self._session
        if self.program is None:
            raise TensorspinError(f"no program is loaded on {self._url}: call load first")
        levels = _check_levels(levels, self.program.n_features)
        samples, outputs = len(levels), self.program.n_outputs
        reply_bytes = SCORE_BYTES * outputs + RESULT.size
        replies = np.empty((samples, reply_bytes), dtype=np.uint8)
        seconds = self.program.cycles(self._size.lanes) / session.description.clock_hz
        requests = (
            Run(index, levels[index].tobytes(), outputs, seconds) for index in range(samples)
        )
        with self.forgetting_losses():
            for done, (request, reply) in enumerate(session.exchange(requests), start=1):
                if len(reply) != reply_bytes:
                    raise LinkError(
                        f"the device at {self._url} replied to {request} with {len(reply)} bytes "
                        f"instead of {reply_bytes}; does its bitstream belong to this driver?"
                    )
                replies[request.index] = np.frombuffer(reply, dtype=np.uint8)
                if progress is not None:
                    progress(done, samples)
        return _unpack_results(replies, outputs)


class _Levels(Request):
    """The first part of a sample that is never run."""

    def __init__(self, features: int) -> None:
        self.count = min(MAX_DATA, features)

    def parts(self, limit: int) -> list[Part]:
        self.count = min(self.count, limit)
        return [(PacketType.FEATURES, OFFSET.pack(0) + bytes(self.count))]


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
    """Split replies, as `tensorspin.contract.wire.packets.PacketType.RUN` lays them out."""
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
