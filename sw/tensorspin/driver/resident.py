"""The driver of a contractor that holds two programs, as `ContractorSize.resident` says."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np

from ..contract.contractor.memory import MemorySpace
from ..contract.contractor.resident import half_base, half_size
from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode
from ..contract.wire.packets import ACTIVATE, BOTH, SECOND, STANDBY, SWAP, PacketType, Status
from ..errors import DeviceError, TensorspinError
from ..progress import Progress
from .contractor import UPLOADS, ContractorDriver
from .flips import Place
from .link.requests import Write
from .link.session import Session
from .memories import writes
from .pairs import first_words, pair_digest, pair_refusal, split_replies
from .samples import check_levels

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_PIECE = 16
"""WRITEs that are sent at a time to the half that stands by, while samples may wait: about 4 KB,
which take 40 ms at a million bits per second."""


class ResidentDriver(ContractorDriver):
    """Loads programs into the halves of a contractor's memories, and changes between them.

    A program is loaded into the half that does not run. The one that ran stays in the other half,
    so that loading it again takes a single request.

    Parameters
    ----------
    session : Session
        The session with a device that has such a contractor.

    Attributes
    ----------
    standby : NetworkProgram or None
        The program in the half that does not run, as far as the driver knows.
    takes_turns : bool
        Whether the device contracts each sample with both programs, as far as the driver knows.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.standby: NetworkProgram | None = None
        self.takes_turns = False
        # The half of the program that runs, as far as is known.
        self._half = 0
        # Whether the program that is loaded runs already.
        self._here = False
        # How often a half may have changed otherwise than by an upload that goes on in pieces.
        self._changes = 0

    def _base(self, space: enum.IntEnum) -> int:
        return half_base(self._size, MemorySpace(space), self._half)

    def _space_bytes(self, space: enum.IntEnum) -> int:
        return half_size(self._size).space_bytes(MemorySpace(space))

    def _activation(self, program: NetworkProgram, flags: int = 0) -> bytes:
        features, digest = ACTIVATE.unpack(super()._activation(program))
        return ACTIVATE.pack(features | flags | SECOND * self._half, digest)

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """Mean the other half meanwhile."""
        self._half ^= 1
        try:
            yield
        finally:
            self._half ^= 1

    def _stands_by(self, program: NetworkProgram) -> bool:
        """Tell whether the half that does not run holds a program."""
        standby = self.standby
        return standby is not None and self._digest(standby) == self._digest(program)

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> bool:
        """Put a program on the device, or let the half run that holds it already."""
        if self._stands_by(program) and not (verify or force):
            try:
                self.swap()
            except DeviceError:
                pass  # The device was restarted, or others have used it.
            else:
                self.program, self._verify = program, verify
                return False
        self._check(program)
        if program is not self.program or verify or force:
            with suppress(DeviceError):  # A device that has lost its programs is loaded again.
                self._run_alone()
        ran, standby, paired = self.program, self.standby, self._paired()
        self.program = self.standby = self._session.model_digest = None
        status = self._session.status()
        self._here = status.active and status.digest in (self._digest(program), paired)
        self.takes_turns &= self._here  # An upload ends in an activation of this program alone.
        if status.active:
            self._half = status.half if self._here else 1 - status.half
        self._changes += not self._here
        sent = super().load(program, verify=verify, force=force, progress=progress)
        if self._here:
            self.standby = standby
            if self.takes_turns:
                self._session.model_digest = paired
        elif ran is not None and status.active and status.digest == self._digest(ran):
            self.standby = ran
        return sent

    def _holds(self, digest: int) -> bool:
        return self._here

    def load_standby(
        self,
        program: NetworkProgram,
        turn: AbstractContextManager[None],
        *,
        verify: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Write a program to the half that does not run; see `tensorspin.Board.load`.

        Parameters
        ----------
        program : NetworkProgram
            The program.
        turn : context manager
            Gives the device to this thread. It is given back between pieces of the upload, so that
            other threads can run samples meanwhile.
        verify : bool
            Read it back.
        progress : callable, optional
            Called with the number of bytes sent so far and the number of bytes to send.

        Raises
        ------
        CapacityError
            If the program is larger than half of a memory.
        TensorspinError
            If the device is lost, or another program was loaded between pieces.
        """
        pieces = self._standby_pieces(program, verify, progress)
        more = True
        while more:
            with turn:
                more = next(pieces, False)

    def _standby_pieces(
        self, program: NetworkProgram, verify: bool, progress: Progress | None
    ) -> Iterator[bool]:
        """Write a program to the half that does not run, a piece until each True."""
        self._check(program)
        if self._stands_by(program) and not verify:
            return
        self._run_alone()
        session, images = self._session, self._images(program)
        status = session.status()
        if status.active:
            self._half = status.half
        self.standby = None
        self._changes += 1
        changes = self._changes
        with self._beside():
            activation = self._activation(program, STANDBY)
            requests = list(writes(images, self._base))
        total = sum(map(len, images.values()))
        for _ in range(UPLOADS):
            greetings, done = session.greetings, 0
            for first in range(0, len(requests), _PIECE):
                done += self._write(requests[first : first + _PIECE])
                if progress is not None:
                    progress(done, total)
                yield True
                if self._changes != changes:
                    raise TensorspinError(
                        f"another program was loaded on {self._url}, or the device was lost, while "
                        f"a program was written to its other half: load that again"
                    )
            check = verify or session.greetings != greetings
            with self._beside(), self.forgetting_losses():
                if self._activate(activation, images, check):
                    self.standby = program
                    return
        raise self._lost()

    def _write(self, requests: Sequence[Write]) -> int:
        """Send WRITEs, and count their bytes."""
        with self.forgetting_losses():
            return sum(request.data_bytes for request, _ in self._session.exchange(requests))

    def swap(self) -> None:
        """Run the program that stands by; see `tensorspin.Board.swap`."""
        program = self.standby
        if program is None:
            raise self._none_stands_by()
        ran = None if self._doubted else self.program
        self._half ^= 1
        self._run_held(program, ran, self._activation(program, SWAP))

    def _run_held(
        self, program: NetworkProgram, standby: NetworkProgram | None, activation: bytes
    ) -> None:
        """Run a program that is there, with the other one standing by or beside it."""
        session = self._session
        # Until it is known which of both runs, the device need not hold any particular program.
        self.forget_model()
        try:
            session.request(PacketType.ACTIVATE, activation)
        except DeviceError as error:
            if error.status != Status.NO_MODEL:
                raise
            raise DeviceError(
                f"the half of the memory of {self._url} that stood by holds no whole program any "
                f"more: the device was restarted, or others have used it. Load the program again",
                Status.NO_MODEL,
            ) from None
        self._doubted = False
        self.program, self.standby = program, standby
        _, session.model_digest = ACTIVATE.unpack(activation)

    def _paired(self) -> int | None:
        """Give the number by which the device tells both programs together from others."""
        if not self.takes_turns or self.program is None or self.standby is None:
            return None
        return pair_digest((self._digest(self.program), self._digest(self.standby)))

    def _run_alone(self) -> None:
        """Leave it to one program alone to contract samples, if two do."""
        if self.takes_turns:
            assert self.program is not None
            activation = self._activation(self.program, SWAP)
            self._run_held(self.program, self.standby, activation)

    def _take_turns(self, program: NetworkProgram, standby: NetworkProgram) -> None:
        """Let both programs contract each sample."""
        if not self.takes_turns:
            features, digest = ACTIVATE.unpack(self._activation(program, BOTH))
            digest = pair_digest((digest, self._digest(standby)))
            self._run_held(program, standby, ACTIVATE.pack(features, digest))
            self.takes_turns = True

    def run(
        self,
        levels: np.ndarray,
        *,
        mode: Mode | str | None = None,
        progress: Progress | None = None,
    ) -> ContractorResults:
        """Contract samples with the program that runs; see `tensorspin.Board.run`."""
        self._run_alone()
        return super().run(levels, mode=mode, progress=progress)

    def run_both(
        self, levels: np.ndarray, *, progress: Progress | None = None
    ) -> tuple[ContractorResults, ContractorResults]:
        """Contract samples with both programs; see `tensorspin.Board.run_both`."""
        first, second = self.check_both()
        levels = check_levels(levels, first.n_features)
        self._take_turns(first, second)
        cycles = [self._cycles(each, Mode.THROUGHPUT) for each in (first, second)]
        words = first_words(first.n_outputs) + second.n_outputs
        with self.forgetting_losses():
            replies = self._ask_samples(words, levels, Mode.THROUGHPUT, sum(cycles), progress)
        parts = split_replies(replies, first.n_outputs)
        ours, theirs = map(self._results, (first, second), parts, cycles)
        return ours, theirs

    def check_both(self) -> tuple[NetworkProgram, NetworkProgram]:
        """Refuse two programs that cannot contract the same samples.

        Returns
        -------
        (NetworkProgram, NetworkProgram)
            The program that runs, and the one that stands by.

        Raises
        ------
        TensorspinError
            If one of the two is missing.
        ValueError
            If they have not as many features, or one of them has too many scores.
        """
        program, standby = self._held_program(), self.standby
        if standby is None:
            raise self._none_stands_by()
        refusal = pair_refusal(program, standby)
        if refusal:
            raise ValueError(f"{refusal}: run one after the other")
        return program, standby

    def _most_cycles(self) -> int:
        return super()._most_cycles() * (1 + self.takes_turns)

    def flip_bits(self, places: Sequence[Place]) -> None:
        """Flip bits of the program that runs; see `ContractorDriver.flip_bits`."""
        self._run_alone()
        super().flip_bits(places)

    def _none_stands_by(self) -> TensorspinError:
        return TensorspinError(
            f"no program stands by on {self._url}: call load(program, standby=True) first"
        )

    def doubt(self) -> None:
        """Load the program again before the next run, unless the device still holds it."""
        super().doubt()
        self.standby, self.takes_turns = None, False
        self._changes += 1

    def forget_model(self) -> None:
        """Forget both programs and stop checking the digest of the one that runs."""
        super().forget_model()
        self.standby, self.takes_turns = None, False
        self._changes += 1


def contractor_driver(session: Session) -> ContractorDriver:
    """Make the driver of a device's contractor.

    Parameters
    ----------
    session : Session
        The session with a device that has a contractor.

    Returns
    -------
    ContractorDriver
        A `ResidentDriver`, if the contractor holds two programs.
    """
    halved = session.description.require_contractor().resident
    return ResidentDriver(session) if halved else ContractorDriver(session)


def require_resident(driver: ContractorDriver, owner: str) -> ResidentDriver:
    """Refuse a device that holds one program.

    Parameters
    ----------
    driver : ContractorDriver
        The driver of its contractor.
    owner : str
        The device, for the message.

    Returns
    -------
    ResidentDriver
        The same driver.

    Raises
    ------
    TensorspinError
        If the device holds one program at a time.
    """
    if not isinstance(driver, ResidentDriver):
        raise TensorspinError(
            f"{owner} holds one program at a time, so that none can stand by: use a bitstream that "
            f"holds two, such as that of resident/icebreaker"
        )
    return driver
