"""The boards of a cluster, in this process: results are those of one board."""

from __future__ import annotations

import pickle
import warnings
from types import SimpleNamespace

import dimod
import dimod.testing
import numpy as np
import pytest

import tensorspin
from tensorspin import BoardSampler, DecomposingSampler
from tensorspin.distributed import DaskBoardPool
from tensorspin.distributed.cluster import ClusterCall
from tensorspin.distributed.pieces import RESOURCE
from tensorspin.errors import BoardLostWarning, CapacityError, PoolError

from ..support.clusters import BOARDS, local_cluster
from ..support.loaded_programs import chain_program

PROBLEM = dimod.generators.ran_r(1, 12, seed=3)


@pytest.fixture
def pool(in_threads):
    return DaskBoardPool(in_threads)


def test_workers_announce_their_boards_as_resources(in_threads, pool):
    workers = in_threads.scheduler_info(n_workers=-1)["workers"].values()
    assert [worker["resources"] for worker in workers] == [{RESOURCE: 2}] * 2
    assert len(pool) == 4 and "of 4 boards" in repr(pool)


def test_predictions_are_those_of_one_board(pool, trained):
    program, X = trained
    with tensorspin.deploy(program, BOARDS[1]) as one:
        np.testing.assert_array_equal(pool.predict_proba(program, X), one.predict_proba(X))
        np.testing.assert_array_equal(pool.deploy(program).predict(X[:1]), one.predict(X[:1]))
    found = pool.statistics()
    assert len(found) == 4 and sum(each.samples for each in found) >= len(X)
    assert all(" of " in each.url for each in found)


def test_samples_are_those_of_one_board(pool):
    options = {"num_reads": 40, "num_sweeps": 20, "seed": 1}
    with BoardSampler(BOARDS[0]) as one:
        expected, found = one.sample(PROBLEM, **options), pool.sample(PROBLEM, **options)
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)
    assert found.info["device_time"] == expected.info["device_time"]
    dimod.testing.assert_sampler_api(pool)


def test_a_decomposed_model_is_solved_as_on_one_board(pool):
    bqm = dimod.generators.ran_r(1, 24, seed=2)
    options = {"seed": 5, "num_sweeps": 32, "max_passes": 1}
    with BoardSampler(BOARDS[0]) as one:
        expected = DecomposingSampler(one, 12).sample(bqm, **options)
    found = DecomposingSampler(pool, 12).sample(bqm, **options)
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)


def test_what_no_board_holds_is_refused_with_each_limit(pool):
    program = chain_program(n_features=200, bond=24)
    with pytest.raises(CapacityError, match="no board can hold the model") as refusal:
        pool.predict(program, np.zeros((2, 200)))
    for board in BOARDS:
        assert board in str(refusal.value)
    assert "needed, the device holds 16383" in str(refusal.value)


def test_an_interruption_ends_a_call(pool):
    asked = []

    def enough():
        asked.append(True)
        return len(asked) > 1

    found = pool.sample(PROBLEM, num_reads=300, num_sweeps=5, interrupt_function=enough)
    assert found.info["interrupted"] and 0 < len(found) < 300


def test_wrong_samples_are_refused_before_anything_is_sent(pool, trained):
    with pytest.raises(ValueError, match="features"):
        pool.predict(trained[0], np.zeros((3, 9)))


def test_a_cluster_without_boards_says_how_to_get_some(trained):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        with Client(cluster) as client:
            pool = DaskBoardPool(client, patience=0.2)
            with pytest.raises(PoolError, match="--preload tensorspin.distributed.worker"):
                pool.predict(*trained)
            with pytest.raises(PoolError, match="no worker holds boards"):
                pool.sample(PROBLEM)
        with pytest.raises(PoolError, match="scheduler is clos"):
            pool.predict(*trained)


def test_a_pool_can_be_pickled_where_a_client_is_in_use(in_threads, pool):
    pool = DaskBoardPool(in_threads, annealer="ulx3s_25f_both", patience=3.0)
    copy = pickle.loads(pickle.dumps(pool))
    assert copy.client is in_threads and copy._patience == 3.0
    assert copy._annealer == pool._annealer


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"client": 3}, TypeError, "must be a distributed.Client"),
        ({"patience": -1}, ValueError, "patience must be at least 0"),
        ({"annealer": "icebreaker"}, ValueError, "must name a board that has one"),
    ],
)
def test_wrong_arguments_are_refused(in_threads, options, error, message):
    with pytest.raises(error, match=message):
        DaskBoardPool(**{"client": in_threads, **options})


def test_a_board_that_cannot_be_opened_is_left_to_others(trained):
    from distributed import Client

    program, X = trained
    with local_cluster(["/dev/no-such-port", BOARDS[1]], n_workers=1) as cluster:
        with Client(cluster) as client:
            pool = DaskBoardPool(client)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", BoardLostWarning)
                assert len(pool.predict(program, X)) == len(X)
            states = {each.url.partition(" ")[0]: each.state for each in pool.statistics()}
            assert states["/dev/no-such-port"] == "failed"


def test_workers_whose_boards_are_all_gone_give_each_reason(trained):
    from distributed import Client

    with local_cluster(["/dev/no-such-port"]) as cluster, Client(cluster) as client:
        pool = DaskBoardPool(client, patience=0.5)
        with pytest.warns(BoardLostWarning):
            with pytest.raises(PoolError, match="nothing is returned") as failure:
                pool.predict(*trained)
        assert "/dev/no-such-port of" in str(failure.value)


@pytest.mark.parametrize("status", ["lost", "cancelled", "error"])
def test_a_piece_that_is_lost_is_sent_again(status):
    """Dask tells nothing more of what is lost, so to wait for it would be to wait for ever."""

    class Lost:
        def __init__(self):
            self.status = status

        def exception(self, timeout=None):
            assert status == "error" and timeout is not None
            raise TimeoutError

    call, sent = ClusterCall(SimpleNamespace(client=None)), []
    call._submit = sent.extend
    call._pieces[7] = None
    call._futures["key"] = 7, Lost()
    call._take("key", None)
    assert sent == [7] and not call._futures
