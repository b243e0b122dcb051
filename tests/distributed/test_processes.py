"""Workers in processes of their own, some of which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import dimod
import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

import tensorspin
from tensorspin import BoardSampler, DecomposingSampler, MPSClassifier
from tensorspin.distributed import DaskBoardPool
from tensorspin.errors import BoardLostWarning, PoolError

from ..support.clusters import BOARDS, PATHS, PRELOAD, arguments

pytestmark = pytest.mark.slow


def kill_one(client, number=signal.SIGKILL):
    """Kill the process of a worker once it has work; gives the process."""
    address, process = min(client.run(os.getpid).items(), key=lambda item: item[1])

    def kill():
        while not client.processing([address])[address]:
            time.sleep(0.01)
        os.kill(process, number)

    threading.Thread(target=kill, daemon=True).start()
    return process


def test_a_worker_that_is_killed_loses_nothing(in_processes, trained):
    program, X = trained
    X = np.tile(X, (100, 1))  # seconds of work, even on a fast computer
    with tensorspin.deploy(program, BOARDS[1]) as one:
        expected = one.predict_proba(X)
    pool = DaskBoardPool(in_processes)
    pool.predict(program, X[:50])  # boards are open
    kill_one(in_processes)
    with pytest.warns(BoardLostWarning, match="is gone, and its work goes to others"):
        found = pool.predict_proba(program, X)
    np.testing.assert_array_equal(found, expected)
    in_processes.wait_for_workers(2, timeout=300)
    while len(pool) < 4:  # Dask starts it again, with its boards
        time.sleep(0.1)
    np.testing.assert_array_equal(pool.predict_proba(program, X), expected)


def test_samples_survive_a_worker(in_processes):
    bqm = dimod.generators.ran_r(1, 40, seed=3)
    options = {"num_reads": 800, "num_sweeps": 50, "seed": 1}
    with BoardSampler(BOARDS[0]) as one:
        expected = one.sample(bqm, **options)
    kill_one(in_processes)
    found = DaskBoardPool(in_processes).sample(bqm, **options)
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)


def test_a_decomposed_model_survives_a_worker(in_processes):
    bqm = dimod.generators.ran_r(1, 100, seed=2)
    options = {"seed": 5, "num_sweeps": 40, "max_passes": 2}
    with BoardSampler(BOARDS[0]) as one:
        expected = DecomposingSampler(one, 30).sample(bqm, **options)
    kill_one(in_processes)
    found = DecomposingSampler(DaskBoardPool(in_processes), 30).sample(bqm, **options)
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)


def test_a_worker_that_is_stopped_does_not_hold_up_a_call(in_processes, trained, monkeypatch):
    monkeypatch.setattr("tensorspin.distributed.cluster._HANGS", 1.0)
    program, X = trained
    X = np.tile(X, (60, 1))
    pool = DaskBoardPool(in_processes)
    expected = pool.predict(program, X)
    stopped = kill_one(in_processes, signal.SIGSTOP)
    np.testing.assert_array_equal(pool.predict(program, X), expected)
    os.kill(stopped, signal.SIGCONT)


def test_without_workers_a_call_ends_with_an_error(in_processes, trained):
    program, X = trained
    pool = DaskBoardPool(in_processes, patience=1.0)
    pool.predict(program, X)
    in_processes.cluster.scale(0)
    while in_processes.scheduler_info()["workers"]:
        time.sleep(0.1)
    with pytest.raises(PoolError, match="no worker of the cluster holds boards that work"):
        pool.predict(program, X)


def test_parameters_are_searched_on_the_cluster(in_processes):
    X = np.random.default_rng(0).random((60, 3))
    y = X[:, 0] > X[:, 1]
    model = MPSClassifier(2, epochs=2, random_state=0)
    search = GridSearchCV(model, {"bond_dim": [2, 3]}, cv=2)
    expected = search.fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config("dask", client=in_processes):
        found = search.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, expected)
    best = DaskBoardPool(in_processes).deploy(search)
    with tensorspin.deploy(search, BOARDS[1]) as one:
        np.testing.assert_array_equal(best.predict(X), one.predict(X))


def test_the_command_of_dask_takes_boards(trained, tmp_path):
    from distributed import Client, LocalCluster

    program, X = trained
    with LocalCluster(n_workers=0, dashboard_address=":0", host="127.0.0.1") as cluster:
        command = [sys.executable, "-m", "dask", "worker", cluster.scheduler_address]
        options = ["--no-dashboard", "--nthreads", "1", "--local-directory", str(tmp_path)]
        worker = subprocess.Popen(
            [*command, *options, "--preload", PRELOAD, *arguments(BOARDS)],
            env={**os.environ, "PYTHONPATH": PATHS},
            stderr=subprocess.DEVNULL,
        )
        try:
            with Client(cluster) as client:
                client.wait_for_workers(1, timeout=60)
                pool = DaskBoardPool(client)
                assert len(pool) == 2 and len(pool.predict(program, X)) == len(X)
        finally:
            worker.terminate()
            worker.wait(30)
