"""How long a board answers over SPI: the C driver on the simulated pins, and a UART beside it."""

from __future__ import annotations

import numpy as np

from tensorspin.compiler import NetworkProgram
from tensorspin.contract.device.boards import BoardSpec, find_board
from tensorspin.contract.device.line import Line
from tensorspin.contract.wire import frames
from tensorspin.contract.wire.packets import MEMORY, OFFSET, RESULT
from tensorspin.export.model import ClientModel
from tensorspin_gateware.simulation import pins

from . import c_client
from .c_client import Client, Result
from .c_lines import PinsLine
from .loaded_programs import golden_answers


class WrongAnswer(AssertionError):
    """The driver has an error, or an answer is not the golden model's."""


def _check(status: int) -> None:
    if status != c_client.OK:
        raise WrongAnswer(f"the driver returned {status}")


def measure(
    board: BoardSpec, program: NetworkProgram, levels: np.ndarray, sck_hz: float, more: int = 12
) -> dict:
    """Load a program and run samples, one at a time and one ahead of another.

    Parameters
    ----------
    board : BoardSpec
        A row whose line is SPI.
    program : NetworkProgram
        The program.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples; each is compared with the golden model.
    sck_hz : float
        Frequency of SCK in Hz.
    more : int
        Samples of which one is always ahead.

    Returns
    -------
    dict
        Seconds of the simulation: ``load``, ``latency`` (mean) and ``engine``; ``pipelined``,
        samples a second; ``faults``.
    """
    model = ClientModel(program, board)
    golden = golden_answers(program, levels, model.board.require_contractor())
    with pins.load(board.name, sck_hz) as wires:
        client = Client(PinsLine(wires))
        _check(client.open())
        began = wires.now()
        _check(client.load(model))
        load = wires.now() - began
        seconds = []
        for index, sample in enumerate(levels):
            began = wires.now()
            status, result = client.run(sample)
            seconds.append(wires.now() - began)
            _check(status)
            same = list(result.scores[: program.n_outputs]) == golden.scores[index].tolist()
            if not same or result.exponent != golden.exponents[index]:
                raise WrongAnswer(f"sample {index} on {board.name} is not the golden model's")
        pace = _pipelined(client, wires, levels, more)
        faults = client.faults
    return {
        "sck_hz": sck_hz,
        "load": load,
        "latency": float(np.mean(seconds)),
        "engine": model.cycles / board.clock_hz,
        "pipelined": pace,
        "faults": faults,
    }


def _pipelined(client, wires, levels, count) -> float:
    """Samples a second when the next one always travels while one computes."""
    results = [Result(), Result()]
    _check(client.start(levels[0], results[0]))
    began = wires.now()
    for index in range(1, count + 1):
        _check(client.start(levels[index % len(levels)], results[index % 2]))
        while (status := client.finish()) == c_client.PENDING:
            pass
        _check(status)
    seconds = wires.now() - began
    while client.finish() == c_client.PENDING:
        pass
    return count / seconds


def computed_uart(board: BoardSpec, program: NetworkProgram) -> dict:
    """Compute from bytes and cycles how long the board's twin with a UART takes.

    Parameters
    ----------
    board : BoardSpec
        A row whose line is SPI; its twin has the name without ``_spi``.
    program : NetworkProgram
        The program.

    Returns
    -------
    dict
        ``board``, ``baud``, ``bytes`` of a sample both ways, ``load`` and ``latency`` in seconds,
        ``engine``. Nothing that a computer adds, such as a USB adapter's delay, is in it.
    """
    twin = find_board(board.name.removesuffix("_spi"))
    model = ClientModel(program, twin)
    byte = Line.UART.bits_per_byte / twin.baud
    piece = frames.MAX_PAYLOAD - OFFSET.size
    requests = -(-model.features // piece)
    asked = model.features + requests * (OFFSET.size + frames.FRAME_OVERHEAD)
    answered = 1 + RESULT.size + 2 * model.outputs + frames.FRAME_OVERHEAD
    load = 0
    for content in (model.image, model.table):
        writes = -(-len(content) // (frames.MAX_PAYLOAD - MEMORY.size))
        load += len(content) + writes * (MEMORY.size + frames.FRAME_OVERHEAD)
    engine = model.cycles / twin.clock_hz
    return {
        "board": twin.name,
        "baud": twin.baud,
        "bytes": asked + answered,
        "load": load * byte,
        "latency": (asked + answered) * byte + engine,
        "engine": engine,
    }
