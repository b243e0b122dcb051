"""Schedulers with modelled boards: what they cost, up to a thousand boards.

The scheduler is the real one, and its time is measured. The boards are modelled: each sleeps for as
long as the golden model says that a board and its line take, and gives an answer that was computed
before.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ...contract.contractor.rows import Mode
from ...driver.pool.backend import Backend
from ...driver.pool.work import MOST_SAMPLES, SampleWork
from .modelled_boards import PieceModel, modelled_crew, piece_model

if TYPE_CHECKING:
    from ...compiler.network_program import NetworkProgram

LINES = {"serial line": "icebreaker", "SPI": "icebreaker_spi"}
"""Boards whose lines are modelled."""

BOARDS = {"threads": (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000), "dask": (2, 20, 50, 200, 1000)}
"""Numbers of boards with each scheduler."""

SECONDS = 2.0
"""Seconds that a measurement takes about, if nothing but the boards were the limit."""

MOST_PIECES = {"threads": 20_000, "dask": 2000}
"""Most pieces of a measurement with each scheduler."""

LEAST_WORKERS, BOARDS_A_WORKER = 2, 100
"""Processes of Dask that hold the boards: at least so many, and one for each hundred boards. Every
board and every piece takes a thread of its worker, and more than that hinder each other."""


def rate(
    backend: Backend, program: NetworkProgram, levels: np.ndarray, pieces: int, boards: int
) -> float:
    """Measure how many pieces are done in a second.

    Parameters
    ----------
    backend : Backend
        The scheduler and its boards.
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The samples of each piece.
    pieces : int
        Number of pieces.
    boards : int
        Number of boards, all of which are opened before.

    Returns
    -------
    float
        Pieces a second.
    """
    work = SampleWork(program, levels, Mode.THROUGHPUT)
    for count in (min(2 * boards, pieces), pieces):
        begun = time.perf_counter()
        with backend.call() as call:
            for number in call.add([work] * count):
                call.result(number)
    return pieces / (time.perf_counter() - begun)


@contextmanager
def dask_cluster():
    """Start a Dask cluster on this computer.

    Yields
    ------
    callable
        Called with a `PieceModel` and a number of boards, gives its workers modelled boards, and
        returns the `tensorspin.distributed.cluster.Cluster` that gives them work.
    """
    from distributed import Client, LocalCluster

    from ...distributed.cluster import Cluster
    from .modelled_worker import ModelledBoards

    options = {"n_workers": LEAST_WORKERS, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options, host="127.0.0.1") as local, Client(local) as client:

        def held(model: PieceModel, count: int) -> Backend:
            workers = max(LEAST_WORKERS, count // BOARDS_A_WORKER)
            local.scale(workers)
            client.wait_for_workers(workers)
            client.register_plugin(ModelledBoards(model, count // workers))
            cluster = Cluster(client, patience=60.0)
            while sum(cluster.workers().values()) != count:
                time.sleep(0.1)
            return cluster

        yield held


@contextmanager
def threads():
    """Give boards threads of this process; as `dask_cluster`."""
    with ExitStack() as stack:

        def held(model: PieceModel, count: int) -> Backend:
            crew = modelled_crew(model, count)
            stack.callback(crew.close)
            return crew

        yield held


def measure_modelled(
    program: NetworkProgram, levels: np.ndarray, board: str, counts, scheduler: str
) -> list[dict]:
    """Measure a scheduler with more and more boards.

    Parameters
    ----------
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples of a piece, `MOST_SAMPLES` of them.
    board : str
        Name of the board that is modelled.
    counts : iterable of int
        Numbers of boards.
    scheduler : {"threads", "dask"}
        Which scheduler.

    Returns
    -------
    list of dict
        For each number of ``boards``: ``pieces`` a second, measured, and ``ideal``, if the boards
        were the limit.
    """
    model = piece_model(board, program, levels[:MOST_SAMPLES])
    rows = []
    with dask_cluster() if scheduler == "dask" else threads() as held:
        for count in counts:
            pieces = int(min(MOST_PIECES[scheduler], max(2, SECONDS / model.seconds) * count))
            found = rate(held(model, count), program, levels, pieces, count)
            rows.append({"boards": count, "pieces": found, "ideal": count / model.seconds})
    return rows
