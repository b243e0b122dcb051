"""What a trained network's program will need on a board's contractor."""

from __future__ import annotations

from dataclasses import dataclass

from ..compiler.capacity import Demand
from ..compiler.network_program import NetworkProgram
from ..contract.device.boards import BoardSpec
from ..contract.wire.frames import FRAME_OVERHEAD
from ..contract.wire.packets import OFFSET
from ..driver.link.requests import MAX_DATA
from ..golden.contractor.cycles import utilisation


@dataclass(frozen=True)
class ProgramEstimate:
    """What a program needs on a board.

    Parameters
    ----------
    demands : list of Demand
        Quantities that the board has a limited amount of, and how much of each the program needs.
    cycles : int
        Clock cycles for one sample; exact.
    seconds : float
        Time for one sample in seconds, at the board's clock.
    utilisation : float
        Part of the multiply-accumulators' cycles in which they do needed work, 0 to 1. On a board
        with several groups, which contract a sample each, it holds while there are samples for all.
    samples_per_second : float
        Throughput of a stream of samples. Computing and the serial line overlap, and the slower of
        the two decides. The line's part is modelled: frames follow each other without gaps, and
        the operating system costs no time.
    line_seconds : float
        Time that the frames of one sample take on the serial line, in seconds; modelled.
    single_cycles : int, optional
        Clock cycles for a sample that is alone, as all groups then work on it (single mode); exact.
        None if the board's groups cannot: a sample alone then takes `cycles`, too.

    Examples
    --------
    `estimate_program` makes one for a program and a board.

    >>> ProgramEstimate([], cycles=300, seconds=1e-5, utilisation=0.9, samples_per_second=1e4,
    ...                 line_seconds=1e-4).fits
    True
    """

    demands: list[Demand]
    cycles: int
    seconds: float
    utilisation: float
    samples_per_second: float
    line_seconds: float
    single_cycles: int | None = None

    @property
    def alone_seconds(self) -> float:
        """Time for a sample that is alone in seconds, without the line: the latency."""
        if self.single_cycles is None:
            return self.seconds
        return self.seconds * self.single_cycles / self.cycles

    @property
    def fits(self) -> bool:
        """Whether the board can hold the program."""
        return all(demand.fits for demand in self.demands)


def estimate_program(program, board: BoardSpec) -> ProgramEstimate:
    """Estimate what a program needs on a board, and how fast it is there.

    Parameters
    ----------
    program : NetworkProgram, estimator or Pipeline
        A compiled network, or a fitted model as `tensorspin.deploy` takes it.
    board : BoardSpec
        Row of the board table.

    Returns
    -------
    ProgramEstimate
        Needs and times; the program need not fit.

    Raises
    ------
    ValueError
        If the board has no contractor.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.contract.device import find_board
    >>> X, y = load_iris(return_X_y=True)
    >>> program = MPSClassifier(bond_dim=2, epochs=1).fit(X, y).quantize()
    >>> estimate_program(program, find_board("icebreaker")).fits
    True
    """
    size = board.require_contractor()
    if not isinstance(program, NetworkProgram):
        # Imported here, as estimates of programs need no training.
        from ..models.pipelines import quantize

        program = quantize(program)
    lanes = size.lanes
    cycles = program.cycles(lanes, size.latencies)
    seconds = cycles / board.clock_hz
    # A sample with more features than a packet holds travels in several parts.
    frames = -(-program.n_features // MAX_DATA)
    line_bytes = program.n_features + frames * (FRAME_OVERHEAD + OFFSET.size)
    line_seconds = line_bytes * board.byte_seconds
    return ProgramEstimate(
        program.demands(size),
        cycles,
        seconds,
        utilisation(program.nodes, lanes, cycles),
        1 / max(seconds / size.groups, line_seconds),
        line_seconds,
        program.single_cycles(size) if size.single_drain else None,
    )
