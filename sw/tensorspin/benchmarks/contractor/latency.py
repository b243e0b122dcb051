"""Latency and throughput of boards, in clock cycles at the byte stream of the gateware.

The byte stream is where the gateware takes and gives bytes, behind the serial port. The time that
the bytes take on the serial line is modelled and reported apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from ...compiler import NetworkProgram
from ...contract.device.boards import find_board
from ...contract.wire.frames import DELIMITER
from ...driver.board import Board
from ...driver.transports import Transport, open_transport
from ...progress import progress_over
from ..common.timing import summary
from .capacity import estimated

SINGLE_SAMPLES = 5
"""Number of single samples whose latency is measured.

Their cycles hardly differ: those of the engine never, those of the reply by a few.
"""

BATCH_SAMPLES = 500
"""Largest number of samples in a measurement of throughput, which has long settled by then."""


class ProbedTransport(Transport):
    """A simulated board that notes the clock cycle of every byte.

    While the host waits for a byte, the clock runs one cycle at a time. The gateware can always
    take one byte per cycle (`tensorspin_gateware.accelerator.Accelerator`), so that the cycle in
    which it takes a byte follows from the cycle in which the host wrote it.

    Parameters
    ----------
    transport : Transport
        A simulated board.
    clock_hz : int
        Frequency of the board's clock in hertz.
    """

    def __init__(self, transport: Transport, clock_hz: int) -> None:
        self.url = transport.url
        self.latency = transport.latency
        self._transport = transport
        self._clock_hz = clock_hz
        self._watching = False
        self.forget()

    def forget(self) -> None:
        """Forget all bytes noted so far, and begin a new record."""
        self.sent = 0
        self.accepted_cycle = 0
        self.received: list[tuple[int, int]] = []

    def watch(self, on: bool) -> None:
        """Note the cycle of every byte, which is slow, or let the clock run freely.

        Parameters
        ----------
        on : bool
            Whether to note cycles.
        """
        self._watching = on

    @property
    def cycle(self) -> int:
        """Clock cycles since the simulation began."""
        return round(self._transport.now() * self._clock_hz)

    def write(self, data: bytes) -> None:
        """Write bytes, and note the cycle in which the gateware takes the last of them."""
        self._transport.write(data)
        self.sent += len(data)
        # The gateware takes these bytes after all that were written before, one per cycle.
        self.accepted_cycle = max(self.cycle, self.accepted_cycle) + len(data)

    def read(self, timeout: float) -> bytes:
        """Read what has come; the time-out counts in the board's time."""
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
        """Return the board's time in seconds."""
        return self._transport.now()

    def close(self) -> None:
        """End the simulation."""
        self._transport.close()

    def reply_cycles(self) -> tuple[int, int]:
        """Find the last frame that was received.

        Returns
        -------
        first : int
            Clock cycle in which the frame's first byte came.
        last : int
            Clock cycle of its last byte, the delimiter.
        """
        cycles = [cycle for cycle, _ in self.received]
        # A frame ends with a delimiter and begins behind the delimiter of the frame before.
        ends = [index for index, (_, byte) in enumerate(self.received) if byte == DELIMITER]
        first = ends[-2] + 1 if len(ends) > 1 else 0
        return cycles[first], cycles[ends[-1]]


def measure_latency(program: NetworkProgram, board_name: str, X: np.ndarray) -> dict:
    """Run one sample at a time on the simulated gateware, and count the clock cycles.

    Parameters
    ----------
    program : NetworkProgram
        A program that fits the board.
    board_name : str
        Name of the board.
    X : ndarray of float64 of shape (n_samples, n_features)
        Samples, of which the first `SINGLE_SAMPLES` are run.

    Returns
    -------
    dict
        ``cycles`` count from the last byte of the request, taken by the gateware, to the last byte
        of the reply, given by it. They are the sum of ``engine_cycles`` (as the engine counts
        them), ``reply_cycles`` (from the reply's first byte to its last) and ``overhead_cycles``
        (all else before the reply: checking the frame, copying the levels, beginning the reply).
        Each is summarised as `timing.summary` does. ``seconds`` is the median of ``cycles`` at the
        board's clock. ``line_seconds`` is the time of ``line_bytes``, request and reply, on the
        serial line; it is modelled without the delays of an operating system.
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
        "line_seconds": line_bytes * row.byte_seconds,
    }


def measure_throughput(
    board: Board, program: NetworkProgram, X: np.ndarray, simulated: bool = False
) -> dict:
    """Run many samples in a row on an open board, and measure how long they take.

    Parameters
    ----------
    board : Board
        An open board.
    program : NetworkProgram
        A program that fits the board.
    X : ndarray of float64 of shape (n_samples, n_features)
        Samples, of which the first `BATCH_SAMPLES` are run.
    simulated : bool
        Whether this thread simulates the board, so that its processor time counts on the host: the
        simulators of other boards may be compiled meanwhile.

    Returns
    -------
    dict
        ``batch_samples`` is the number of samples. ``board_seconds`` is the time from the first
        byte sent to the last answer, by the board's own clock (`Board.seconds`), and
        ``samples_per_second`` the throughput by that clock. ``host_seconds`` is the time by the
        host's clock, or the processor time of a simulation, ``simulated_cycles_per_second`` the
        number of the board's clock cycles that pass in one second of it.
    """
    levels = program.levels(X[:BATCH_SAMPLES])
    board.load(program)
    timer = time.thread_time if simulated else time.perf_counter
    started, clock = timer(), board.seconds
    board.run(levels)
    seconds, board_seconds = timer() - started, board.seconds - clock
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
    """Measure latency and throughput of all programs on those boards that hold them.

    Parameters
    ----------
    name : str
        Name of the data set, for the progress bar.
    programs : mapping of (str, int) to NetworkProgram
        Programs by the classifier's name and the number of bits of a weight.
    boards : mapping of str to Board
        Open boards by their URL.
    X : ndarray of float64 of shape (n_samples, n_features)
        Samples to run.

    Returns
    -------
    list of dict
        One row for each pair of program and board. ``latency`` is what `measure_latency` returns,
        or None if the board is not simulated, as only a simulation counts cycles at its byte
        stream. ``throughput`` is what `measure_throughput` returns.
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
                "throughput": measure_throughput(board, program, X, simulated),
            }
        )
    return rows
