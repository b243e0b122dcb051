"""The driver of a device's contractor: it loads programs and runs samples.

A program is what the compiler makes of a tensor network; a sample is one level, a byte, for each
feature of the network.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..contract.contractor.bound import most_cycles
from ..contract.contractor.lock import whole_blocks
from ..contract.contractor.memory import MemorySpace
from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode, check_mode
from ..contract.device.description import DeviceDescription
from ..contract.wire.packets import ACTIVATE, PROTECTED, RESULT, SIGNED, Status
from ..errors import DeviceError, FaultError, TensorspinError
from ..golden.contractor.contraction import contract
from ..progress import Progress
from .engine import EngineDriver
from .flips import Place, check_places, flip_bits
from .link.measure import LinkProbe
from .link.requests import (
    MAX_DATA,
    SCORE_BYTES,
    AskStatus,
    Read,
    RunSample,
    UnfinishedSample,
    Write,
)
from .link.session import Session
from .memories import activate_upload, changed_bits, locked_activation, writes
from .samples import check_classes, check_levels, unpack_results

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_logger = logging.getLogger(__name__)

UPLOADS = 3
"""How often a program is uploaded at most, until it reads back right. It may be lost twice."""


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

    _probed: enum.IntEnum = MemorySpace.TABLE
    """Number of the memory that is read to measure the line."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._size = self._engine_size(session.description)
        self._url = session.line.url
        self._clock_hz = session.description.clock_hz
        self.program: NetworkProgram | None = None
        # Whether somebody else may have loaded another program since, and whether it is to be read
        # back when it is loaded again.
        self._doubted = self._verify = False

    # What another engine that gives scores of samples answers otherwise

    def _engine_size(self, description: DeviceDescription) -> Any:
        """Give the size of the engine, with its `features`."""
        return description.require_contractor()

    def _check(self, program: NetworkProgram) -> None:
        """Refuse a program that does not fit."""
        program.check(self._size)

    def _digest(self, program: NetworkProgram) -> int:
        """Give the number by which the device tells a program from another."""
        return program.digest(self._size.lanes, self._signs())

    def _images(self, program: NetworkProgram) -> dict[enum.IntEnum, bytes]:
        """Give what the device's memories hold with a program, by the number of each."""
        image = program.image(self._size.lanes, self._signs())
        return {
            MemorySpace.PROGRAM: whole_blocks(image) if self._locked() else image,
            MemorySpace.TABLE: program.table_bytes(),
        }

    def _signs(self) -> bool:
        """Tell whether the engine checks the signature of what it reads."""
        return bool(self._size.signature)

    def _locked(self) -> bool:
        """Tell whether the engine runs only what was locked with its key, and lets nobody read."""
        return bool(self._size.lock)

    def _checks_table(self) -> bool:
        """Tell whether the engine's feature table has parity."""
        return bool(self._size.table_parity)

    def _shares_samples(self) -> bool:
        """Tell whether the engine has `Mode.SINGLE`."""
        return bool(self._size.single_drain)

    def _cycles(self, program: NetworkProgram, mode: Mode) -> int:
        """Count the clock cycles that each sample takes."""
        if mode is Mode.SINGLE:
            return program.single_cycles(self._size)
        return program.cycles(self._size.lanes, self._size.latencies)

    def _most_cycles(self) -> int:
        """Bound the clock cycles of a sample, whatever the memory holds; 0: no bound is known."""
        return 0 if self._shares_samples() else most_cycles(self._size)

    def expected(self, program: NetworkProgram, levels: np.ndarray) -> ContractorResults:
        """Compute the scores of a device that has no fault."""
        return contract(program.nodes, program.weights, program.table, levels, self._size.lanes)

    def _space_bytes(self, space: enum.IntEnum) -> int:
        """Count the byte addresses of a memory."""
        return self._size.space_bytes(MemorySpace(space))

    def _base(self, space: enum.IntEnum) -> int:
        """Give the address of a memory at which the program begins."""
        return 0

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> bool:
        """Put a program on the device; see `tensorspin.Board.load`. Tell whether it was sent."""
        session = self._session
        if program is not self.program:  # The program that is loaded fits.
            self._check(program)
        # The program keeps all of these, so that loading it again computes nothing anew.
        digest, images = self._digest(program), self._images(program)
        activation = self._activation(program)
        # Until the end of this method the device need not hold any particular program.
        self.program = session.model_digest = None
        self._doubted, self._verify = False, verify
        if not force and self._holds(digest):
            if not verify or self._activate(activation, images, check=True):
                _logger.debug("%s holds program %08x already", self._url, digest)
                self.program, session.model_digest = program, digest
                return False
        self._put(activation, images, verify, progress)
        sent = sum(map(len, images.values()))
        _logger.debug("program %08x, %d bytes, is on %s", digest, sent, self._url)
        self.program, session.model_digest = program, digest
        return True

    def _holds(self, digest: int) -> bool:
        """Ask the device whether a program is active."""
        status = self._session.status()
        return status.active and status.digest == digest

    def _put(
        self,
        activation: bytes,
        images: dict[enum.IntEnum, bytes],
        verify: bool,
        progress: Progress | None,
    ) -> None:
        """Upload a program and activate it, again if the device has lost something of it."""
        session = self._session
        for attempt in range(UPLOADS):
            greetings = session.greetings
            self._upload(images, progress)
            check = session.greetings != greetings
            # A locked device checks its memories itself; it is asked twice if they may be lost.
            check = check and attempt == 0 if self._locked() else check or verify
            if self._activate(activation, images, check):
                return
            _logger.warning("%s lost what was written to it; it is sent again", self._url)
        raise self._lost()

    def _lost(self) -> DeviceError:
        """Make the error that an upload was lost as often as it was sent."""
        return DeviceError(
            f"the device at {self._url} lost what was written to it, {UPLOADS} times; it holds no "
            f"program now. Check its power supply and its reset",
            Status.NO_MODEL,
        )

    def _activation(self, program: NetworkProgram) -> bytes:
        """Make the payload of ACTIVATE."""
        if self._locked():
            return locked_activation(program, self._size, self._url)
        flags = SIGNED * self._signs() | PROTECTED * (self._size.protected and program.protected)
        return ACTIVATE.pack(program.n_features | flags, self._digest(program))

    def _upload(self, images: dict[enum.IntEnum, bytes], progress: Progress | None) -> None:
        total = sum(len(image) for image in images.values())
        done = 0
        for request, _ in self._session.exchange(writes(images, self._base)):
            done += request.data_bytes
            if progress is not None:
                progress(done, total)

    def _activate(self, activation: bytes, images: dict[enum.IntEnum, bytes], check: bool) -> bool:
        """Make an upload active, unless something in it was lost; see `activate_upload`."""
        locked = self._size if self._locked() else None
        return activate_upload(self._session, activation, images, self._base, check, locked)

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

    def doubt(self) -> None:
        """Load the program again before the next run, unless the device still holds it."""
        self._doubted = self.program is not None
        self._session.model_digest = None

    def _held_program(self) -> NetworkProgram:
        """Give the loaded program, after loading it again if others may have loaded another."""
        if self.program is None:
            raise TensorspinError(f"no program is loaded on {self._url}: call load first")
        if self._doubted:
            self._load_again(self.program)
        return self.program

    def _load_again(self, program: NetworkProgram) -> None:
        try:
            self.load(program, verify=self._verify)
        except BaseException:
            # The user has loaded it and need not know that it was lost: the next run tries again.
            self.program, self._doubted = program, True
            raise

    def forget_model(self) -> None:
        """Forget the loaded program and stop checking its digest."""
        self.program = self._session.model_digest = None

    def run(
        self,
        levels: np.ndarray,
        *,
        mode: Mode | str | None = None,
        progress: Progress | None = None,
    ) -> ContractorResults:
        """Contract samples with the program loaded; see `tensorspin.Board.run`."""
        chosen = check_mode(mode)
        if self.program is None:
            raise TensorspinError(f"no program is loaded on {self._url}: call load first")
        levels = check_levels(levels, self.program.n_features)
        if chosen is None:
            chosen = Mode.SINGLE if len(levels) == 1 else Mode.THROUGHPUT
        if not self._shares_samples():
            chosen = Mode.THROUGHPUT  # A single group, or groups that can do nothing else.
        program = self._held_program()
        expected = self._cycles(program, chosen)
        with self.forgetting_losses():
            replies = self._ask_samples(program.n_outputs, levels, chosen, expected, progress)
        return self._results(program, replies, expected)

    def _results(
        self, program: NetworkProgram, replies: np.ndarray, cycles: int
    ) -> ContractorResults:
        """Read replies, and refuse them if they contradict themselves or took another time."""
        results = unpack_results(replies, program.n_outputs)
        check_classes(results, self._url)
        self._check_cycles(program, results.cycles, cycles)
        return results

    def _check_cycles(self, program: NetworkProgram, cycles: np.ndarray, expected: int) -> None:
        """Refuse answers that took another time than the program takes, which is always the same.

        The device has then not read what was loaded. Its digest, which it was told, says nothing
        of that. So a WRITE makes its program inactive, and no one else finds it active either.
        """
        wrong = np.flatnonzero(cycles != expected)
        if not len(wrong):
            return
        sample = int(wrong[0])
        raise self.faulty(
            f"it took {cycles[sample]} cycles for sample {sample}, not {expected} ({len(wrong)} of "
            f"{len(cycles)} samples are wrong)"
        )

    def faulty(self, why: str) -> FaultError:
        """Make the device's program inactive, and return the error that tells why."""
        program = self.program
        self.forget_model()
        try:
            if program is not None:
                space, image = next(iter(self._images(program).items()))
                write = Write(space, self._base(space), image[:1])
                for _ in self._session.exchange([write]):
                    pass
        except TensorspinError as error:
            _logger.warning("%s may still run its faulty program: %s", self._url, error)
        return FaultError(
            f"the device at {self._url} does not run the program that was loaded: {why}. All "
            f"answers are discarded; load the program again, and if that does not help, check the "
            f"board with tensorspin selftest"
        )

    def changed_bits(self) -> list[Place]:
        """List the bits in which the memories differ from the program that is loaded."""
        program = self._held_program()
        if self._locked():
            raise TensorspinError(
                f"the memory of {self._url} cannot be read: it is locked, and checks its memory "
                f"itself when a program is loaded"
            )
        with self.forgetting_losses():
            return changed_bits(self._session, self._images(program), self._base)

    def flip_bits(self, places: Sequence[Place]) -> None:
        """Flip bits in the device's memory, and leave its program active as if nothing had been.

        Parameters
        ----------
        places : sequence of (enum.IntEnum, int, int)
            Memory, byte address and bit of each.

        Raises
        ------
        ValueError
            If an address is beyond the end of its memory.
        TensorspinError
            If no program is loaded, or the device is lost.
        """
        program = self._held_program()
        check_places(places, self._space_bytes, self._url, self._locked())
        images = self._images(program)

        def stored_at(space: enum.IntEnum, address: int, byte: int, changed: int) -> int:
            """Choose the address at which a byte gets the parity that it was loaded with."""
            if space != MemorySpace.TABLE or not self._checks_table():
                return address
            image = images[space]
            loaded = image[address] if address < len(image) else byte
            odd = (loaded ^ changed).bit_count() % 2
            return address + odd * self._size.space_bytes(space)

        with self.forgetting_losses():
            flip_bits(self._session, places, stored_at, self._activation(program), self._base)

    def _ask_samples(
        self,
        outputs: int,
        levels: np.ndarray,
        mode: Mode,
        cycles: int,
        progress: Progress | None,
    ) -> np.ndarray:
        """Run samples and collect the replies' payloads, a row for each sample."""
        shape = len(levels), SCORE_BYTES * outputs + RESULT.size
        replies = np.empty(shape, dtype=np.uint8)
        seconds, most = cycles / self._clock_hz, self._most_cycles() / self._clock_hz
        requests = (
            RunSample(index, sample.tobytes(), outputs, seconds, mode, most)
            for index, sample in enumerate(levels)
        )
        for done, (request, reply) in enumerate(self._session.exchange(requests), start=1):
            # Replies come out of order where a sample had to be asked again.
            replies[request.index] = np.frombuffer(reply, dtype=np.uint8)
            if progress is not None:
                progress(done, len(levels))
        return replies

    def link_probe(self) -> LinkProbe:
        """Return requests that load the line: samples that are never run, READs of the table."""
        features = min(MAX_DATA, self._size.features)
        length = min(MAX_DATA, self._space_bytes(self._probed))
        return LinkProbe(
            send=lambda: UnfinishedSample(features),
            # Nothing else of a locked device can be read.
            receive=lambda: AskStatus() if self._locked() else Read(self._probed, 0, length),
        )
