"""The same sample without a quantum processor: on a board, a microcontroller and this machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...compiler.network_program import NetworkProgram
from ...contract.device.boards import BoardSpec
from ...hybrid.circuits.unit_network import unit_network
from ..programs import estimate_program
from .figure import MEASURED, MODELLED, SIMULATED, Figure
from .sources import CONTROLLER_CLOCK, CONTROLLER_CYCLES, CONTROLLER_LEVEL


@dataclass(frozen=True)
class BoardRun:
    """A run of samples on a board, one by one.

    Parameters
    ----------
    url : str
        Where the board is.
    seconds : float
        Median time of a sample, on the board's own clock if it is virtual.
    virtual : bool
        Whether the board is simulated, or a model.
    samples : int
        Number of samples.
    """

    url: str
    seconds: float
    virtual: bool
    samples: int


@dataclass(frozen=True)
class Local:
    """What a sample takes without a quantum processor.

    Parameters
    ----------
    board : str
        The board's name.
    fits : bool
        Whether the board holds the program.
    needs : str
        What does not fit, in words; empty if all fits.
    computing : Figure
        Time of the board's engine.
    whole : Figure
        The same with the line to the board.
    controller, host : Figure
        Time on a microcontroller, and on this machine.
    """

    board: str
    fits: bool
    needs: str
    computing: Figure
    whole: Figure
    controller: Figure
    host: Figure


def local_times(
    program: NetworkProgram, board: BoardSpec, X: np.ndarray, ran: BoardRun | None
) -> Local:
    """Tell how long a sample takes on a board, a microcontroller and this machine.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network.
    board : BoardSpec
        The board.
    X : array-like of shape (n_samples, n_features)
        Samples, of which the first is computed here.
    ran : BoardRun or None
        The run on the board, if there was one.

    Returns
    -------
    Local
        The times.

    Raises
    ------
    ValueError
        If the board has no contractor.
    """
    found = estimate_program(program, board)
    needs = "; ".join(
        f"{demand.what}: {demand.needed} of {demand.limit}"
        for demand in found.demands
        if not demand.fits
    )
    whole = Figure(
        found.alone_seconds + found.line_seconds,
        "s",
        MODELLED,
        f"with {board.line.describe(board.baud)}, without the time of the operating system",
    )
    if ran is not None:
        kind = SIMULATED if ran.virtual else MEASURED
        clock = "by its own clock, with the line" if ran.virtual else "from request to answer"
        source = f"{ran.url}, median of {ran.samples} samples, {clock}"
        whole = Figure(ran.seconds, "s", kind, source)
    return Local(
        board.name,
        found.fits,
        needs,
        Figure(
            found.alone_seconds,
            "s",
            SIMULATED,
            f"{found.single_cycles or found.cycles} cycles, exact, at {board.clock_hz / 1e6:g} MHz",
        ),
        whole,
        _controller(program),
        _host(program, X),
    )


def _controller(program: NetworkProgram) -> Figure:
    products = sum(node.left.size * node.right.size * node.outputs for node in program.nodes)
    cycles = products * CONTROLLER_CYCLES.number + program.n_features * CONTROLLER_LEVEL.number
    return Figure(
        cycles / CONTROLLER_CLOCK.number,
        "s",
        MODELLED,
        f"RP2040 at {CONTROLLER_CLOCK.number / 1e6:g} MHz; {products} multiplications by weights, "
        f"{CONTROLLER_CYCLES.number:g} cycles each ({CONTROLLER_CYCLES.source}); levels of "
        f"{program.n_features} readings, {CONTROLLER_LEVEL.number:g} cycles each "
        f"({CONTROLLER_LEVEL.source})",
    )


def _host(program: NetworkProgram, X: np.ndarray) -> Figure:
    from .latency import timed

    try:
        network = unit_network(program, own_components=True)
    except ValueError as error:
        return Figure(None, "s", MEASURED, f"not run on this machine: {error}")
    seconds = timed(lambda: network.probabilities(network.encode(X[:1])[0]))
    source = "NumPy on this machine, one sample at a time, median"
    return Figure(float(np.median(seconds)), "s", MEASURED, source)


def local_rows(local: Local) -> dict[str, Figure]:
    """Return the times as rows of the barrier of latency.

    Parameters
    ----------
    local : Local
        The times.

    Returns
    -------
    dict of str to Figure
        Rows.
    """
    return {
        f"board {local.board}, computing": local.computing,
        f"board {local.board}, whole": local.whole,
        "microcontroller": local.controller,
        "host": local.host,
    }
