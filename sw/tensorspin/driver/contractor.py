"""The driver of a device's contractor: it loads programs and runs samples.

A program is what the compiler makes of a tensor network; a sample is one level, a byte, for each
feature of the network.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..contract.contractor.memory import MemorySpace
from ..contract.contractor.results import ContractorResults
from ..contract.fixed import LEVEL
from ..contract.wire.packets import ACTIVATE, OFFSET, RESULT, PacketType, Status
from ..errors import DeviceError, LinkError, TensorspinError
from ..progress import Progress
from .engine import EngineDriver
from .link.measure import LinkProbe
from .link.requests import MAX_DATA, SCORE_BYTES, Part, Read, Request, RunSample, Write
from .link.session import Session, SessionLostError

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_logger = logging.getLogger(__name__)

_RESULT_FIELDS = ("exponent", "class", "cycles")
"""Names for the fields of `RESULT`, in its order."""

_UPLOADS = 3
"""How often a program is uploaded at most, until it reads back right. A device that loses it more
often has a fault that patience doesn't cure."""

_SESSIONS = 5
"""In how many sessions the driver tries to read one upload back and to activate it."""


class ContractorDriver(EngineDriver):
    """Loads programs into a contractor and runs them, as `tensorspin.Board` describes.

    Parameters
    ----------
    session : Session
        The session with a device that has a contractor.

    Attributes
    ----------
    program : NetworkProgram or None
        The program that `load` has put on the device.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._size = session.description.require_contractor()
        self._url = session.line.url
        self._clock_hz = session.description.clock_hz
        self.program: NetworkProgram | None = None

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Put a program on the device; see `tensorspin.Board.load`."""
        session, size = self._session, self._size
        if program is not self.program:  # The program that is loaded fits.
            program.check(size)
        # The program keeps all of these, so that loading it again computes nothing anew.
        digest = program.digest(size.lanes)
        images = {
            MemorySpace.PROGRAM: program.image(size.lanes),
            MemorySpace.TABLE: program.table_bytes(),
        }
        activate = ACTIVATE.pack(program.n_features, digest)
        # Until the end of this method the device need not hold any particular program.
        self.program = session.model_digest = None
        if not force:
            status = session.status()
            if status.active and status.digest == digest:
                if not verify or self._activate(activate, images, check=True):
                    _logger.debug("%s holds program %08x already", self._url, digest)
                    self.program, session.model_digest = program, digest
                    return
        for _ in range(_UPLOADS):
            greetings = session.greetings
            self._upload(images, progress)
            check = verify or session.greetings != greetings
            if self._activate(activate, images, check):
                size_sent = sum(map(len, images.values()))
                _logger.debug("program %08x, %d bytes, is on %s", digest, size_sent, self._url)
                self.program, session.model_digest = program, digest
                return
            _logger.warning("%s lost what was written to it; it is sent again", self._url)
        raise DeviceError(
            f"the device at {self._url} lost what was written to it, {_UPLOADS} times; it holds no "
            f"program now. Check its power supply and its reset",
            Status.NO_MODEL,
        )

    def _upload(self, images: dict[MemorySpace, bytes], progress: Progress | None) -> None:
        total = sum(len(image) for image in images.values())
        done = 0
        for request, _ in self._session.exchange(_writes(images)):
            done += request.data_bytes
            if progress is not None:
                progress(done, total)

    def _activate(self, activate: bytes, images: dict[MemorySpace, bytes], check: bool) -> bool:
        """Make an upload active, unless something in it was lost.

        A restart of the device loses the upload, and can go unnoticed where the session greets the
        device anew. So either upload and activation happen in one session, or read-back and
        activation do. The two can't be pipelined: a WRITE that is asked again after the ACTIVATE
        would make the program inactive.

        Parameters
        ----------
        activate : bytes
            Payload of ACTIVATE.
        images : dict of MemorySpace to bytes
            What was uploaded.
        check : bool
            Read the memories back first.

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
            image = images[MemorySpace(request.space)]
            wrong += reply != image[request.address : request.address + request.count]
        return wrong == 0

    @contextmanager
    def forgetting_losses(self) -> Iterator[None]:
        """Forget the program if the device turns out to have lost it while something is asked.

        It must then be loaded again before the next run.
        """
        try:
            yield
        except DeviceError:
            self.forget_model()
            raise

    def forget_model(self) -> None:
        """Forget the loaded program and stop checking its digest."""
        self.program = self._session.model_digest = None

    def run(self, levels: np.ndarray, *, progress: Progress | None = None) -> ContractorResults:
        """Contract samples with the program loaded; see `tensorspin.Board.run`."""
        program = self.program
        if program is None:
            raise TensorspinError(f"no program is loaded on {self._url}: call load first")
        levels = _check_levels(levels, program.n_features)
        with self.forgetting_losses():
            replies = self._ask_samples(program, levels, progress)
        results = _unpack_results(replies, program.n_outputs)
        wrong = np.flatnonzero(results.classes != results.scores.argmax(axis=1))
        if len(wrong):
            sample = int(wrong[0])
            raise LinkError(
                f"the device at {self._url} says that score {results.classes[sample]} of sample "
                f"{sample} is the greatest of {results.scores[sample].tolist()}; does its "
                f"bitstream belong to this driver?"
            )
        return results

    def _ask_samples(
        self, program: NetworkProgram, levels: np.ndarray, progress: Progress | None
    ) -> np.ndarray:
        """Run samples and collect the replies' payloads, a row for each sample."""
        samples, outputs = len(levels), program.n_outputs
        reply_bytes = SCORE_BYTES * outputs + RESULT.size
        replies = np.empty((samples, reply_bytes), dtype=np.uint8)
        seconds = program.cycles(self._size.lanes) / self._clock_hz
        requests = (
            RunSample(index, levels[index].tobytes(), outputs, seconds) for index in range(samples)
        )
        for done, (request, reply) in enumerate(self._session.exchange(requests), start=1):
            # Replies come out of order where a sample had to be asked again.
            replies[request.index] = np.frombuffer(reply, dtype=np.uint8)
            if progress is not None:
                progress(done, samples)
        return replies

    def link_probe(self) -> LinkProbe:
        """Return requests that load the line: samples that are never run, READs of the table."""
        features = min(MAX_DATA, self._size.features)
        length = min(MAX_DATA, self._size.space_bytes(MemorySpace.TABLE))
        return LinkProbe(
            send=lambda: _UnfinishedSample(features),
            receive=lambda: Read(MemorySpace.TABLE, 0, length),
        )


class _UnfinishedSample(Request):
    """The first part of a sample that is never run, to measure the line with.

    Parameters
    ----------
    features : int
        Number of levels in that part.
    """

    def __init__(self, features: int) -> None:
        self.data_bytes = features

    def parts(self, limit: int) -> list[Part]:
        """Return one packet, of fewer levels if the limit is lower."""
        self.data_bytes = min(self.data_bytes, limit)
        return [(PacketType.FEATURES, OFFSET.pack(0) + bytes(self.data_bytes))]

    def __str__(self) -> str:
        return f"FEATURES of {self.data_bytes} levels"


def _writes(images: dict[MemorySpace, bytes]) -> Iterator[Write]:
    for space, image in images.items():
        for first in range(0, len(image), MAX_DATA):
            yield Write(space, first, image[first : first + MAX_DATA])


def _check_levels(levels: np.ndarray, features: int) -> np.ndarray:
    """Return levels as a contiguous array of uint8."""
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


def _unpack_results(replies: np.ndarray, outputs: int) -> ContractorResults:
    """Split replies, as `tensorspin.contract.wire.packets.PacketType.RUN` lays them out.

    Parameters
    ----------
    replies : ndarray of uint8 of shape (n_samples, reply_bytes)
        Payloads of the replies after the status byte.
    outputs : int
        Number of scores of a sample.
    """
    codes = RESULT.format
    layout = np.dtype(
        [("scores", "<i2", (outputs,))]
        + [(name, codes[0] + code) for name, code in zip(_RESULT_FIELDS, codes[1:])]
    )
    # A view reads all replies at once: they are packed records of this layout.
    fields = replies.view(layout)[:, 0]
    return ContractorResults(
        fields["scores"].astype(np.int16),
        fields["exponent"].astype(np.uint16),
        fields["class"].astype(np.int64),
        fields["cycles"].astype(np.int64),
    )
