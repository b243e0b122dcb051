"""What users hold: a board with the accelerator on it, real or virtual.

`tensorspin.driver.connection` has what all boards can do, and `tensorspin.driver.scoring_board`
what those with an engine for programs can; `Board` adds the annealer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.steps import Step
from ..contract.annealer.tempering import Ladder
from ..contract.engine import EngineKind
from ..progress import Progress
from .annealer import AnnealerDriver, BoardAnnealResults
from .scoring_board import ScoringBoard


class Board(ScoringBoard):
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
