"""Latency and throughput of boards, in clock cycles at the byte stream of the gateware."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from ...compiler import NetworkProgram
from ...contract.device.boards import find_board
from ...contract.wire.cobs import DELIMITER
from ...contract.wire.packets import BITS_PER_BYTE
from ...driver.board import Board
from ...driver.transports import Transport, open_transport
from ...progress import progress_over
from ..common.timing import summary
from .capacity import estimated

SINGLE_SAMPLES = 5
"""Runs of one sample. Their cycles hardly differ: the engine's never, the reply's by a few."""

BATCH_SAMPLES = 500
"""Samples at most in a measurement of throughput, by when it has long settled."""


class ProbedTransport(Transport):
    """A simulated board whose every byte is noted with its cycle.

    The clock runs one cycle at a time while the host waits. The gateware is always ready for a
    byte, one a cycle (`tensorspin_gateware.accelerator.Accelerator`), so that the cycle in which it
    takes one follows from when it was written.

    Parameters
    ----------
    transport : Transport
        A simulated board.
    clock_hz : int
        Of the board.
    """

    def __init__(self, transport: Transport, clock_hz: int) -> None:
        self.url = transport.url
        self.latency = transport.latency
        self._transport = transport
        self._clock_hz = clock_hz
        self._watching = False
        self.forget()

    def forget(self) -> None:
        """Begin a new record."""
        self.sent = 0
        self.accepted_cycle = 0
        self.received: list[tuple[int, int]] = []

    def watch(self, on: bool) -> None:
        """Note cycles, which is slow, or let the clock run freely."""
        self._watching = on

    @property
    def cycle(self) -> int:
        """Cycles since the simulation began."""
        return round(self._transport.now() * self._clock_hz)

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        self.sent += len(data)
        self.accepted_cycle = max(self.cycle, self.accepted_cycle) + len(data)

    def read(self, timeout: float) -> bytes:
        if not self._watching:
            return self._transport.read(timeout)
        deadline = self.cycle + max(1, round(timeout * self._clock_hz))
        while self.cycle < deadline:
            data = self._transport.read(1 / self._clock_hz)
            if data:
                self.received += [(self.cycle, byte) for byte in data]
                return data
        return b""

    def now(self) -> float:
        return self._transport.now()

    def close(self) -> None:
        self._transport.close()

    def reply_cycles(self) -> tuple[int, int]:
        """Cycles in which the first and the last byte of the last frame came."""
        cycles = [cycle for cycle, _ in self.received]
        ends = [index for index, (_, byte) in enumerate(self.received) if byte == DELIMITER]
        first = ends[-2] + 1 if len(ends) > 1 else 0
        return cycles[first], cycles[ends[-1]]


def measure_latency(program: NetworkProgram, board_name: str, X: np.ndarray) -> dict:
    """One sample at a time on the simulated gateware.

    Parameters
    ----------
    program : NetworkProgram
        Fits the board.
    board_name : str
    X : ndarray, shape (n, features)
        The first samples of it are run.

    Returns
    -------
    dict
        Cycles, see `timing.summary`: ``cycles``, from the last byte of the request taken to the
        last byte of the reply given; it is the sum of ``overhead_cycles``, until the first byte of
        the reply but for the engine (frame checked, levels copied, reply begun),
        ``engine_cycles``, as the engine counts them, and ``reply_cycles``, first byte to last.
        ``seconds`` at the board's clock; ``line_seconds``: request and reply on the serial line,
        modelled, no operating system in between.
    """
    row = find_board(board_name)
    probe = ProbedTransport(open_transport(f"sim://{board_name}"), row.clock_hz)
    levels = program.levels(X[:SINGLE_SAMPLES])
    parts: dict[str, list[int]] = {"overhead": [], "engine": [], "reply": []}
    with Board.over(probe) as board:
        board.load(program)
        probe.watch(True)
        for sample in range(len(levels)):
            probe.forget()
            result = board.run(levels[sample : sample + 1])
            first, last = probe.reply_cycles()
            engine = int(result.cycles[0])
            parts["engine"].append(engine)
            parts["overhead"].append(first - probe.accepted_cycle - engine)
            parts["reply"].append(last - first)
    total = np.sum(list(parts.values()), axis=0)
    line_bytes = probe.sent + len(probe.received)
    return {
        "cycles": summary(total),
        **{f"{name}_cycles": summary(values) for name, values in parts.items()},
        "seconds": float(np.median(total)) / row.clock_hz,
        "line_bytes": line_bytes,
        "line_seconds": line_bytes * BITS_PER_BYTE / row.baud,
    }


def measure_throughput(board: Board, program: NetworkProgram, X: np.ndarray) -> dict:
    """Samples in a row on an open board, the first `BATCH_SAMPLES` at most.

    Returns
    -------
    dict
        ``board_seconds``: by the clock of the board's transport (`Board.seconds`), from the first
        byte sent to the last answer; ``samples_per_second`` by that clock;
        ``simulated_cycles_per_second``: cycles of the board's clock in a second of this host.
    """
    levels = program.levels(X[:BATCH_SAMPLES])
    board.load(program)
    started, clock = time.perf_counter(), board.seconds
    board.run(levels)
    seconds, board_seconds = time.perf_counter() - started, board.seconds - clock
    return {
        "batch_samples": len(levels),
        "board_seconds": board_seconds,
        "samples_per_second": len(levels) / board_seconds,
        "host_seconds": seconds,
        "simulated_cycles_per_second": board_seconds * board.info.clock_hz / seconds,
    }


def measure_boards(
    name: str,
    programs: Mapping[tuple[str, int], NetworkProgram],
    boards: Mapping[str, Board],
    X: np.ndarray,
) -> list[dict]:
    """Latency and throughput of all programs on all boards given that hold them.

    Parameters
    ----------
    name : str
        Of the data, for the progress.
    programs : mapping of (str, int) to NetworkProgram
        By the estimator's name and the bits of a weight.
    boards : mapping of str to Board
        Open boards by their URL. The latency is measured on simulated ones only.
    X : ndarray, shape (n, features)

    Returns
    -------
    list of dict
        ``latency`` as of `measure_latency`, or None; ``throughput`` as of `measure_throughput`.
    """
    pairs = [
        (key, program, url, board)
        for key, program in programs.items()
        for url, board in boards.items()
        if estimated(program, board.info.board)["obstacle"] is None
    ]
    rows = []
    for (title, bits), program, url, board in progress_over(pairs, f"boards on {name}", "program"):
        simulated = url == f"sim://{board.info.board}"
        rows.append(
            {
                "classifier": title,
                "weight_bits": bits,
                "url": url,
                "clock_hz": board.info.clock_hz,
                "latency": measure_latency(program, board.info.board, X) if simulated else None,
                "throughput": measure_throughput(board, program, X),
            }
        )
    return rows
