"""Virtual boards of this computer: how much more two compute than one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ...driver.pool.backend import PooledBoards
from ...errors import TransportError
from ...pool import BoardPool

if TYPE_CHECKING:
    from ...compiler.network_program import NetworkProgram

COUNTS = (1, 2, 4)
"""Numbers of virtual boards."""

SAMPLES = {"golden://icebreaker": 2048, "sim://icebreaker": 128}
"""Samples for each board, so that a measurement takes some seconds."""


@contextmanager
def processes(url: str, count: int):
    """Start a Dask cluster on this computer with a process for each board.

    Parameters
    ----------
    url : str
        URL of the boards.
    count : int
        Number of boards.

    Yields
    ------
    DaskBoardPool
        The boards.
    """
    from distributed import Client, LocalCluster

    from ...distributed import DaskBoardPool

    options = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": ":0"}
    preload = {"preload": ["tensorspin.distributed.worker"], "preload_argv": ["--board", url]}
    with LocalCluster(**options, **preload, host="127.0.0.1") as cluster, Client(cluster) as client:
        yield DaskBoardPool(client)


def samples_a_second(
    pool: PooledBoards, program: NetworkProgram, levels: np.ndarray, repeats: int = 2
) -> float:
    """Measure how many samples a pool computes in a second; the best of some runs.

    Parameters
    ----------
    pool : PooledBoards
        The boards.
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The samples.
    repeats : int, default=2
        Number of runs; one before them opens the boards and loads the program.

    Returns
    -------
    float
        Samples a second.
    """
    pool.run_program(program, levels[: len(levels) // 4])
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        pool.run_program(program, levels)
        best = min(best, time.perf_counter() - begun)
    return len(levels) / best


def measure_virtual(
    program: NetworkProgram, levels: np.ndarray, counts, *, dask: bool, quick: bool
) -> list[dict]:
    """Measure virtual boards of both kinds, in threads and in processes.

    Parameters
    ----------
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples; of each kind of board only as many as `SAMPLES` says.
    counts : iterable of int
        Numbers of boards.
    dask : bool
        Whether there is Dask, for processes.
    quick : bool
        Whether an eighth of the samples will do.

    Returns
    -------
    list of dict
        For each ``url`` and number of ``boards``: samples a second in ``threads`` and, with Dask,
        in ``processes``. Simulated boards are left out where there is no simulator.
    """
    rows = []
    for url, samples in SAMPLES.items():
        chosen = levels[: samples // 8 if quick else samples]
        for count in counts:
            try:
                with BoardPool([url] * count) as pool:
                    list(pool._backend.descriptions())
                    row = {"url": url, "boards": count}
                    row["threads"] = samples_a_second(pool, program, chosen)
            except TransportError:
                break
            if dask:
                with processes(url, count) as pool:
                    row["processes"] = samples_a_second(pool, program, chosen)
            rows.append(row)
    return rows
