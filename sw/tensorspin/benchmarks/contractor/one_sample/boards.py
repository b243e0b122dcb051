"""One sample on every board of the table, in each of its modes: modelled, and nothing is run."""

from __future__ import annotations

from collections.abc import Iterator

from ....compiler import NetworkProgram
from ....contract.contractor.rows import Mode
from ....contract.contractor.size import ContractorSize
from ....contract.device.boards import BOARDS, BoardSpec
from ....contract.wire.frames import FRAME_OVERHEAD
from ....contract.wire.packets import OFFSET, RESULT
from ....driver.link.requests import MAX_DATA, SCORE_BYTES


def line_bytes(program: NetworkProgram) -> tuple[int, int]:
    """Count the bytes that a sample takes on the line.

    Parameters
    ----------
    program : NetworkProgram
        The program.

    Returns
    -------
    sent : int
        Bytes of all frames to the board; a sample may need several.
    received : int
        Bytes of the frame with the answer, without replies to the parts before the last.

    Examples
    --------
    >>> from tensorspin import MPSClassifier
    >>> program = MPSClassifier(2, epochs=1).fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]).quantize()
    >>> line_bytes(program)
    (13, 22)
    """
    frames = -(-program.n_features // MAX_DATA)
    sent = program.n_features + frames * (FRAME_OVERHEAD + OFFSET.size)
    return sent, 1 + SCORE_BYTES * program.n_outputs + RESULT.size + FRAME_OVERHEAD


def board_modes() -> Iterator[tuple[BoardSpec, ContractorSize, Mode]]:
    """List the boards that have a contractor, once for each mode of its groups."""
    for board in BOARDS.values():
        size = board.engines.find(ContractorSize)
        if size is None:
            continue
        yield board, size, Mode.THROUGHPUT
        if size.single_drain:
            yield board, size, Mode.SINGLE


def model_boards(title: str, program: NetworkProgram) -> list[dict]:
    """Model one sample, and many in a row, on each board that holds a program.

    Clocks, cycles and lines are those of the board table.

    Parameters
    ----------
    title : str
        The program's name.
    program : NetworkProgram
        The program.

    Returns
    -------
    list of dict
        For each board and mode ``who``, ``mode``, ``seconds`` (exact cycles at the board's clock),
        ``cycles``, ``clock_hz``, ``line`` with its rate, ``line_seconds`` (with request and reply
        on the line), ``samples_per_second`` of all groups, the same ``with_line``, ``known``.
        Nothing of a host is in it.
    """
    sent, received = line_bytes(program)
    rows = []
    for board, size, mode in board_modes():
        if not all(demand.fits for demand in program.demands(size)):
            continue
        shared = mode is Mode.SINGLE
        cycles = (
            program.single_cycles(size) if shared else program.cycles(size.lanes, size.latencies)
        )
        seconds = cycles / board.clock_hz
        pace = (1 if shared else size.groups) / seconds
        rows.append(
            {
                "kind": "board",
                "model": title,
                "who": board.name,
                "mode": mode.value if size.groups > 1 else "one group",
                "cycles": cycles,
                "clock_hz": board.clock_hz,
                "seconds": seconds,
                "line": board.line.describe(board.baud),
                "line_seconds": seconds + (sent + received) * board.byte_seconds,
                "samples_per_second": pace,
                # The line carries both ways at once.
                "with_line": min(pace, 1 / (max(sent, received) * board.byte_seconds)),
                "known": "modelled",
            }
        )
    return rows
