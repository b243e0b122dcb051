"""A board whose engine runs programs: a contractor, or the spatial engine in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode
from ..contract.device.engines import ENGINES
from ..contract.engine import EngineKind
from ..errors import TensorspinError
from ..progress import Progress
from .connection import OpenBoard
from .contractor import ContractorDriver
from .engine import EngineDriver
from .known_answers import KnownAnswers, KnownPair, choose_answers
from .resident import ResidentDriver, require_resident

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_Driver = TypeVar("_Driver", bound=EngineDriver)


class ScoringBoard(OpenBoard):
    """What `tensorspin.Board` can do with programs, which give scores of samples.

    Parameters
    ----------
    session : Session
        An open session with the device.

    Attributes
    ----------
    program : NetworkProgram or None
        The program that `load` has put on the device; None if there is none.
    """

    _known: KnownAnswers | None = None
    """What the program that is loaded is tested with, if `load` was asked to."""
    _tested: tuple[KnownAnswers, ...] = ()
    """The same of the programs that were tested last."""

    @property
    def program(self) -> NetworkProgram | None:
        """The program that `load` has put on the device, and that `run` uses."""
        driver = self._drivers.get(self._scoring_kind)
        return driver.program if isinstance(driver, ContractorDriver) else None

    @property
    def _scoring_kind(self) -> EngineKind:
        """The engine that runs programs: the spatial one if the board has it, or a contractor."""
        spatial = EngineKind.SPATIAL in self._drivers
        return EngineKind.SPATIAL if spatial else EngineKind.CONTRACTOR

    def check(self, program: NetworkProgram) -> None:
        """Refuse a program that does not fit the device. Nothing is asked of the device.

        Parameters
        ----------
        program : NetworkProgram
            A compiled network.

        Raises
        ------
        CapacityError
            If the program is too large.
        ShapeError
            If the device has a spatial engine of another shape than the program's.
        TensorspinError
            If the device has no engine for programs.

        Examples
        --------
        >>> import numpy as np
        >>> from tensorspin import Board, MPSClassifier
        >>> X = np.random.default_rng(0).random((60, 4))
        >>> model = MPSClassifier(bond_dim=2, epochs=1, random_state=0).fit(X, X[:, 0] > 0.5)
        >>> with Board.open("golden://icebreaker") as board:
        ...     board.check(model.quantize())
        """
        self._driver(self._scoring_kind, ContractorDriver)._check(program)

    def load(
        self,
        program: NetworkProgram,
        *,
        verify: bool = False,
        force: bool = False,
        standby: bool = False,
        self_test: bool = False,
        every: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Put a program on the device.

        Nothing is sent if the device already holds this very program. The device activates the
        program as the last step. So if loading fails, the device holds no program, or the one that
        it had before if nothing was sent.

        On a device that holds two programs (`ContractorSize.resident`) the program that ran before
        stays, so that loading it again sends nothing but a request.

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
        standby : bool, default=False
            Whether the program only stands by until `swap`, on a device that holds two. The one
            that runs goes on to run: other threads can run samples while this one is sent.
        self_test : bool, default=False
            Whether the device must answer some samples whose answers are known: once it is loaded
            or first found there, and then after every so many samples.
        every : int, optional
            Samples after which the self-test is repeated. `run` then gives no answers if it fails.
            None: it is not repeated.
        progress : callable, optional
            Called with the number of bytes sent so far and the number of bytes to send.

        Raises
        ------
        CapacityError
            If the program doesn't fit; the device keeps what it had.
        ShapeError
            If the device has a spatial engine of another shape than the program's.
        ValueError
            If `every` is below 1, or is given without `self_test`; or if `self_test` is given with
            `standby`.
        FaultError
            If the self-test fails. The device then holds no program any more.
        DeviceError
            If what was read back is wrong, repeatedly.
        LinkError, TransportError
            If the device is lost.
        TensorspinError
            If `standby` is given and the device holds one program at a time.
        """
        if standby:
            if self_test:
                raise ValueError("self_test=True tests a program that runs, and not with standby")
            self._resident().load_standby(program, self._turn, verify=verify, progress=progress)
            return
        with self._turn:
            driver = self._driver(self._scoring_kind, ContractorDriver)
            known = choose_answers(program, self_test, every, self._tested)
            new = known not in self._tested
            self._known = None  # until the program is there
            sent = driver.load(program, verify=verify, force=force, progress=progress)
            if known is not None and (new or sent):
                known.check(driver)
            self._known = known
            if known is not None and new:
                self._tested = known, *self._tested[:1]  # for each of the programs on the device

    def swap(self) -> None:
        """Run the program that stands by, from the next sample on.

        It takes a single request, and no weights are sent. The program that ran before stands by
        from then on.

        Raises
        ------
        DeviceError
            If the device does not hold the program any more. It then need not hold any.
        LinkError, TransportError
            If the device is lost.
        TensorspinError
            If no program stands by, or the device holds one program at a time.

        Examples
        --------
        >>> import numpy as np
        >>> from tensorspin import Board, MPSClassifier
        >>> X = np.random.default_rng(0).random((60, 4))
        >>> models = [MPSClassifier(2, feature_map="linear", epochs=seed) for seed in (1, 2)]
        >>> old, new = (model.fit(X, X[:, 0] > 0.5).quantize() for model in models)
        >>> with Board.open("golden://resident/icebreaker") as board:
        ...     board.load(old)
        ...     board.load(new, standby=True)
        ...     before = board.program is old
        ...     board.swap()
        ...     before, board.program is new, board.standby is old
        (True, True, True)
        """
        with self._turn:
            self._known = None
            self._resident().swap()

    @property
    def standby(self) -> NetworkProgram | None:
        """The program that `swap` would run; None if there is none."""
        return getattr(self._drivers.get(self._scoring_kind), "standby", None)

    def _resident(self) -> ResidentDriver:
        """Give the driver of a contractor that holds two programs."""
        driver = self._driver(self._scoring_kind, ContractorDriver)
        return require_resident(driver, f"the board at {self.url} ({self.info.board})")

    def run(
        self,
        levels: np.ndarray,
        *,
        mode: Mode | str | None = None,
        progress: Progress | None = None,
    ) -> ContractorResults:
        """Contract samples: compute the scores of the loaded program's network for each.

        Samples travel over the line while the device computes others.

        Parameters
        ----------
        levels : ndarray of int of shape (n_samples, n_features)
            One level, 0 to 255, for each feature; ``n_samples`` may be 0.
        mode : {"throughput", "single"}, optional
            What the groups of the device's contractor do. "throughput": each contracts a sample of
            its own, so that a batch is done soonest. "single": all of them contract one sample
            after the other, so that each answer comes soonest. The answers are the same, only their
            cycles differ. By default "single" for one sample, and "throughput" for more. Where
            groups cannot share a sample, or there is only one, both are the same.
        progress : callable, optional
            Called with the number of samples done and the number of samples to do.

        Returns
        -------
        ContractorResults
            Scores, exponents, classes and clock cycles of all samples.

        Raises
        ------
        ValueError, TypeError
            If `levels` has another shape, type or range, or `mode` is no mode.
        FaultError
            If a sample took another number of cycles than the program takes, or a self-test that
            `load` asked for fails. The device then holds no program any more.
        DeviceError
            If the device has lost the program, or finds an error in it.
        LinkError, TransportError
            If the device is lost.
        TensorspinError
            If no program is loaded.
        """
        with self._turn:
            driver = self._driver(self._scoring_kind, ContractorDriver)
            results = driver.run(levels, mode=mode, progress=progress)
            if self._known is not None:
                self._known.answered(driver, len(results.classes))
            return results

    def run_both(
        self, levels: np.ndarray, *, progress: Progress | None = None
    ) -> tuple[ContractorResults, ContractorResults]:
        """Contract samples with the program that runs and with the one that stands by.

        Each sample is sent once, and its reply has the scores of both. So the levels must mean the
        same to both programs; their feature tables may differ.

        Parameters
        ----------
        levels : ndarray of int of shape (n_samples, n_features)
            One level, 0 to 255, for each feature.
        progress : callable, optional
            Called with the number of samples done and the number of samples to do.

        Returns
        -------
        tuple of two ContractorResults
            Those of the program that runs, and of the one that stands by.

        Raises
        ------
        ValueError
            If the programs have not as many features, or one has more scores than `BOTH_OUTPUTS`
            (`tensorspin.contract.contractor.resident`); or as for `run`.
        FaultError, DeviceError, LinkError, TransportError, TypeError
            As for `run`. A self-test that `load` was asked for is made of both programs.
        TensorspinError
            If no program is loaded, or none stands by, or the device holds one program at a time.

        Examples
        --------
        >>> import numpy as np
        >>> from tensorspin import Board, MPSClassifier
        >>> X = np.random.default_rng(0).random((60, 4))
        >>> models = [MPSClassifier(2, feature_map="linear", epochs=seed) for seed in (1, 2)]
        >>> one, other = (model.fit(X, X[:, 0] > 0.5).quantize() for model in models)
        >>> with Board.open("golden://resident/icebreaker") as board:
        ...     board.load(one)
        ...     board.load(other, standby=True)
        ...     results = board.run_both(one.encode(X))
        >>> [each.scores.shape for each in results]
        [(60, 2), (60, 2)]
        """
        with self._turn:
            driver, known = self._resident(), self._known
            pair = None
            if known is not None:
                theirs = choose_answers(driver.check_both()[1], True, known.every, self._tested)
                assert theirs is not None
                pair = KnownPair(known, theirs)
                if theirs not in self._tested:
                    pair.check(driver)
                    self._tested = known, theirs
            results = driver.run_both(levels, progress=progress)
            if pair is not None:
                pair.answered(driver, len(results[0].classes))
            return results

    def _driver(self, kind: EngineKind, driver_class: type[_Driver]) -> _Driver:
        """Give the driver of an engine, or raise an error if the board is closed or lacks it."""
        if self._session is None:
            raise self._closed()
        driver = self._drivers.get(kind)
        if not isinstance(driver, driver_class):
            raise TensorspinError(
                f"the board at {self.url} ({self.info.board}) has no {ENGINES[kind].name} in its "
                f"bitstream"
            )
        return driver
