"""What users hold: a board with the accelerator on it, real or virtual.

`tensorspin.driver.connection` has what all boards can do; `Board` adds what their engines can do,
each of which has a driver of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.steps import Step
from ..contract.annealer.tempering import Ladder
from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode
from ..contract.device.engines import ENGINES
from ..contract.engine import EngineKind
from ..errors import TensorspinError
from ..progress import Progress
from .annealer import AnnealerDriver, BoardAnnealResults
from .connection import OpenBoard
from .contractor import ContractorDriver
from .engine import EngineDriver
from .known_answers import KnownAnswers, choose_answers
from .resident import ResidentDriver, require_resident

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

_Driver = TypeVar("_Driver", bound=EngineDriver)


class Board(OpenBoard):
    """A board, opened for this process alone.

    Call `Board.open` to get one, and close it or use it as a context manager. A board holds an open
    port, so that it can't be pickled: pass its URL to the other process, which then opens it.

    Threads may share a board: each call has the board to itself, and other threads wait until it is
    done. Calls that belong together, such as `load` and `run`, stand in a block of `exclusive`.

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

    # The contractor

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
        >>> from tensorspin import MPSClassifier
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
        >>> from tensorspin import MPSClassifier
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
    ) -> BoardAnnealResults:
        """Anneal a problem with all of the device's replicas.

        Only bytes that differ from what the device holds of an earlier call are sent, in whichever
        form is shorter.

        Parameters
        ----------
        problem : IsingProblem
            A problem of any size that fits the device; best made for ``info.annealer``.
        steps : sequence of Step
            The schedule, made for ``info.annealer``: of plain annealing
            (`tensorspin.contract.annealer.steps.schedule`), simulated quantum annealing
            (`tensorspin.contract.annealer.transverse`) or parallel tempering
            (`tensorspin.contract.annealer.tempering`).
        seed : int
            Seed of the random thresholds, 0 or more; the same seed gives the same states.
        refresh : int, default=0
            Number of turns that a replica sits out between two sweeps. More turns make the random
            thresholds of successive sweeps less dependent, and take time.
        initial_states : array-like of int of shape (replicas, n), optional
            State of +1 and -1 in which each replica begins. Without them all spins are +1.
        ladder : Ladder, optional
            Temperatures of parallel tempering.
        progress : callable, optional
            Called with the step that is annealed, and the number of steps.

        Returns
        -------
        BoardAnnealResults
            Its energies are those of its states: both were compared.

        Raises
        ------
        CapacityError
            If there are more variables, or steps, than the device has room for. Nothing is sent
            then, nor after a ValueError or a TypeError.
        ValueError, TypeError
            If something else of the problem does not fit, or an argument is wrong.
        DeviceError
            If the device loses what is written to it, or a state and its energy do not agree.
        LinkError, TransportError
            If the device is lost. The next call sends everything again.
        TensorspinError
            If the device has no annealer.
        """
        job = AnnealJob(problem, steps, seed, refresh, initial_states, ladder)
        return self.anneal_job(job, progress=progress)

    def anneal_job(
        self,
        job: AnnealJob,
        *,
        progress: Progress | None = None,
        expected: Sequence[AnnealJob] = (),
        interrupt_function: Callable[[], bool] | None = None,
    ) -> BoardAnnealResults:
        """Anneal as `anneal` does, with all of its arguments in one job.

        Parameters
        ----------
        job : AnnealJob
            The job, of any size that fits; best made for ``info.annealer``.
        progress : callable, optional
            Called with the step that is annealed, and the number of steps.
        expected : sequence of AnnealJob, optional
            Jobs for ``info.annealer`` that will probably be run next; this one may be among them.
            The golden model computes those that differ in nothing but seed and initial states
            together, which is many times quicker for small problems. Nothing else depends on it.
        interrupt_function : callable, optional
            Asked about ten times a second, while the job is sent and runs, by the computer's
            clock; if it returns True, the run is stopped, and the board is free again.

        Returns
        -------
        BoardAnnealResults
            States with their energies: both were compared.

        Raises
        ------
        InterruptedRunError
            If `interrupt_function` has stopped the run, which then has no results.
        CapacityError, ValueError, TypeError
            If the job does not fit the device (`AnnealJob.fit`); nothing is sent then.
        DeviceError, LinkError, TransportError, TensorspinError
            If the run fails; see `anneal`.
        """
        with self._turn:
            driver = self._driver(EngineKind.ANNEALER, AnnealerDriver)
            return driver.run(job, progress, expected, interrupt_function)

    # Both

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
