"""Which boards hold a program, and how fast they are: from the exact cycle count, nothing run."""

from __future__ import annotations

from collections.abc import Mapping

from ...compiler import NetworkProgram
from ...contract.device.boards import CONTRACTORS, find_board
from ...errors import CapacityError
from ...feasibility.programs import estimate


def estimated(program: NetworkProgram, board_name: str) -> dict:
    """One program on one board.

    Parameters
    ----------
    program : NetworkProgram
    board_name : str
        Of `tensorspin.contract.device.boards.CONTRACTORS`.

    Returns
    -------
    dict
        ``obstacle`` names the quantities of which the board has too little, with both numbers; None
        if the program fits. ``fullest`` names the one that is used most. The others are those
        of `tensorspin.feasibility.programs.Estimate`, at the engine clock of the board's row.
    """
    board = find_board(board_name)
    row = {"board": board.name, "title": board.title, "clock_hz": board.clock_hz}
    try:
        found = estimate(program, board)
    except CapacityError as error:
        return row | {"obstacle": str(error), "cycles": None}
    obstacles = [_amount(demand) for demand in found.demands if not demand.fits]
    return row | {
        "obstacle": "; ".join(obstacles) or None,
        "fullest": _amount(max(found.demands, key=lambda demand: demand.needed / demand.limit)),
        "cycles": found.cycles,
        "seconds": found.seconds,
        "utilisation": found.utilisation,
        "line_seconds": found.line_seconds,
        "samples_per_second_with_line": found.samples_per_second,
    }


def measure_capacity(programs: Mapping[tuple[str, int], NetworkProgram]) -> list[dict]:
    """All programs on all boards of the table that have a contractor.

    Parameters
    ----------
    programs : mapping of (str, int) to NetworkProgram
        By the estimator's name and the bits of a weight.

    Returns
    -------
    list of dict
        As of `estimated`, with ``classifier`` and ``weight_bits``.
    """
    return [
        {"classifier": title, "weight_bits": bits, **estimated(program, name)}
        for (title, bits), program in programs.items()
        for name in CONTRACTORS
    ]


def _amount(demand) -> str:
    return f"{demand.what}: {demand.needed:,} of {demand.limit:,}"
