"""What a program will need on a board, before anything is built or connected."""

from __future__ import annotations

from dataclasses import dataclass

from ..compiler.capacity import Demand
from ..compiler.network_program import NetworkProgram
from ..contract.device.boards import BoardSpec
from ..contract.wire.packets import BITS_PER_BYTE, FRAME_OVERHEAD, OFFSET
from ..driver.link.requests import MAX_DATA
from ..golden.contractor.cycles import utilisation


@dataclass(frozen=True)
class Estimate:
    """What a program needs on a board.

    Attributes
    ----------
    demands : list of Demand
        Quantities of which the board has only so much.
    cycles : int
        Clock cycles of one sample; exact.
    seconds : float
        The same at the board's clock.
    utilisation : float
        Part of the multiply-accumulators' cycles that does needed work, 0..1; on a board with
        groups, while there are samples for all of them.
    samples_per_second : float
        Computing and line overlap; the slower decides. The line's part is modelled: frames back to
        back, no operating system in between.
    line_seconds : float
        Time that one sample's frames take on the serial line; modelled.
    """

    demands: list[Demand]
    cycles: int
    seconds: float
    utilisation: float
    samples_per_second: float
    line_seconds: float

    @property
    def fits(self) -> bool:
        """The board can hold the program."""
        return all(demand.fits for demand in self.demands)


def estimate(program: NetworkProgram, board: BoardSpec) -> Estimate:
    """Estimate a program on a board.

    Parameters
    ----------
    program : NetworkProgram
    board : tensorspin.contract.device.boards.BoardSpec

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If the board has no contractor.
    """
    size = board.require_contractor()
    lanes = size.lanes
    cycles = program.cycles(lanes)
    seconds = cycles / board.clock_hz
    frames = -(-program.n_features // MAX_DATA)
    line_bytes = program.n_features + frames * (FRAME_OVERHEAD + OFFSET.size)
    line_seconds = line_bytes * BITS_PER_BYTE / board.baud
    return Estimate(
        program.demands(size),
        cycles,
        seconds,
        utilisation(program.nodes, lanes, cycles),
        1 / max(seconds / size.groups, line_seconds),
        line_seconds,
    )
