"""Which boards hold a program, and how fast each runs it.

Nothing is run: the exact number of clock cycles follows from the program alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...compiler import NetworkProgram
from ...contract.device.boards import CONTRACTORS, find_board
from ...errors import CapacityError
from ...feasibility.programs import estimate_program


def estimated(program: NetworkProgram, board_name: str) -> dict:
    """Estimate one program on one board.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    board_name : str
        Name of a board that has a contractor.

    Returns
    -------
    dict
        ``obstacle`` names the quantities of which the board has too little, with the amounts needed
        and available; it is None if the program fits. ``fullest`` names the quantity of which the
        largest share is used. The other figures are those of
        `tensorspin.feasibility.programs.ProgramEstimate`, at the engine clock of the board table.
    """
    board = find_board(board_name)
    row: dict = {"board": board.name, "title": board.title, "clock_hz": board.clock_hz}
    try:
        found = estimate_program(program, board)
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
    """Estimate all programs on all boards of the table that have a contractor.

    Parameters
    ----------
    programs : mapping of (str, int) to NetworkProgram
        Programs by the classifier's name and the number of bits of a weight.

    Returns
    -------
    list of dict
        What `estimated` returns for each pair, with ``classifier`` and ``weight_bits``.
    """
    return [
        {"classifier": title, "weight_bits": bits, **estimated(program, name)}
        for (title, bits), program in programs.items()
        for name in CONTRACTORS
    ]


def _amount(demand) -> str:
    return f"{demand.what}: {demand.needed:,} of {demand.limit:,}"
