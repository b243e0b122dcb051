"""A board behind a server does what a board at this computer does, for several clients at once."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin import Board
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.steps import schedule
from tensorspin.errors import BoardBusyError, InterruptedRunError, TransportError
from tensorspin.models import MPSClassifier
from tensorspin.sampling import BoardSampler
from tensorspin.server.tokens import add_token

from ...support.doubles import assert_answers
from ...support.loaded_programs import chain_program, golden_answers, random_levels

MINE, OTHERS = chain_program(seed=0), chain_program(seed=1)
LEVELS = random_levels(40)


def job_for(board, seed=0, sweeps=50):
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.integers(-3, 4, (16, 16)), 1)
    problem = IsingProblem(board.info.annealer, couplings + couplings.T, rng.integers(-3, 4, 16))
    steps = schedule(np.geomspace(8, 1, 4), sweeps, board.info.annealer)
    return AnnealJob(problem, steps, seed)


def test_a_board_describes_itself_as_it_does_here(opened):
    board = opened()
    with Board.open("golden://icebreaker") as here:
        assert board.info == here.info
        assert board.status() == here.status()
    assert board.link_test(0.05).round_trip > 0
    with pytest.raises(TypeError, match="pass its URL"):
        pickle.dumps(board)


def test_two_clients_with_programs_of_their_own_get_their_own_answers(opened):
    one, two = opened(), opened()
    one.load(MINE)
    two.load(OTHERS)
    for _ in range(3):
        assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS))
        assert_answers(two.run(LEVELS), golden_answers(OTHERS, LEVELS))


def test_a_run_of_more_samples_than_one_message_holds(opened):
    board = opened()
    board.load(MINE)
    levels = random_levels(3000, seed=1)
    assert_answers(board.run(levels), golden_answers(MINE, levels))


def test_jobs_give_what_they_give_here(opened):
    one, two = opened("icebreaker_annealer"), opened("icebreaker_annealer")
    with Board.open("golden://icebreaker_annealer") as here:
        for board, seed in ((one, 1), (two, 2), (one, 3)):
            job = job_for(here, seed)
            found, expected = board.anneal_job(job), here.anneal_job(job)
            np.testing.assert_array_equal(found.best_states, expected.best_states)
            assert found.cycles == expected.cycles and found.seconds == expected.seconds


def test_both_engines_of_one_board_for_two_clients(opened):
    one, two = opened("ulx3s_25f_both"), opened("ulx3s_25f_both")
    one.load(MINE)
    for seed in range(2):
        job = job_for(two, seed)
        found = two.anneal_job(job)
        np.testing.assert_array_equal(job.problem.energy(found.states), found.energies)
        assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS, one.info.contractor))


def test_estimators_and_samplers_take_the_address_and_the_token_of_the_environment(
    server, monkeypatch
):
    monkeypatch.setenv("TENSORSPIN_TOKEN", server.token)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificates.trusted))
    X, y = load_iris(return_X_y=True)
    model = MPSClassifier(bond_dim=3, epochs=3, random_state=0).fit(X, y)
    deployed = model.deploy(f"{server.url}/icebreaker")
    here = model.deploy("golden://icebreaker")
    np.testing.assert_array_equal(deployed.predict(X), here.predict(X))
    deployed.close()
    sampler = BoardSampler(f"{server.url}/icebreaker_annealer")
    found = sampler.sample_ising({"a": 1.0}, {("a", "b"): -1.0}, num_reads=3, seed=0)
    assert found.first.energy == -2.0
    sampler.close()


def test_a_block_is_one_turn_and_others_wait(opened):
    one, two = opened(), opened()
    two.load(OTHERS)
    waits, done = threading.Event(), threading.Event()

    def other():
        waits.set()
        two.run(LEVELS)
        done.set()

    with one.exclusive():
        one.load(MINE)
        thread = threading.Thread(target=other)
        thread.start()
        waits.wait()
        assert not done.wait(0.2)
        assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS))
        assert not done.is_set()
    thread.join(30)
    assert done.is_set()


def test_a_client_that_does_not_get_its_turn_in_time_is_told_so(opened):
    one, two = opened(), opened(queue_timeout=0.2)
    two.load(MINE)
    with one.exclusive():
        with pytest.raises(BoardBusyError, match="not your turn within 0.2 s"):
            two.run(LEVELS)
    assert_answers(two.run(LEVELS), golden_answers(MINE, LEVELS))


def test_an_interrupted_run_frees_the_board(opened):
    one, two = opened("icebreaker_annealer"), opened("icebreaker_annealer")
    asked = []

    def interrupted():
        asked.append(1)
        return len(asked) > 1

    with pytest.raises(InterruptedRunError):
        one.anneal_job(job_for(one, sweeps=50_000), interrupt_function=interrupted)
    job = job_for(two, 5)
    assert len(two.anneal_job(job).energies) and len(one.anneal_job(job).energies)


def test_ctrl_c_leaves_a_connection_that_goes_on(opened):
    board = opened("icebreaker_annealer")

    def pressed(step, steps):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        board.anneal_job(job_for(board, sweeps=20_000), progress=pressed)
    assert len(board.anneal_job(job_for(board)).energies)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"token": "tsp_wrong"}, "the token is unknown"),
        ({"token": None}, "a token is needed"),
        ({"certificate": None}, "certificate .* is not trusted"),
    ],
)
def test_who_has_no_right_is_told_what_is_missing(opened, change, message):
    with pytest.raises(TransportError, match=message):
        opened(**change)


def test_a_board_that_is_not_there_is_told_with_those_that_are(opened):
    with pytest.raises(TransportError, match="no board 'nexys'.*icebreaker, icebreaker_annealer"):
        opened("nexys")


def test_a_token_can_be_revoked_and_is_asked_for_at_the_next_connection(server, opened):
    token, entry = add_token(server.token_file, "short", None)
    board = opened(token=token)
    lines = server.token_file.read_text().replace(entry.line + "\n", "")
    server.token_file.write_text(lines)
    assert board.status() is not None
    with pytest.raises(TransportError, match="unknown"):
        opened(token=token)


def test_another_program_at_the_port_is_no_server_of_boards(server):
    with pytest.raises(TransportError, match="404|no server of boards"):
        Board.open(f"{server.url}/x/y/icebreaker", **server.arguments())
    port = server.url.rpartition(":")[2]
    with pytest.raises(TransportError, match="cannot open http://127.0.0.1"):
        Board.open(f"http://127.0.0.1:{port}/icebreaker", queue_timeout=1)
    with pytest.raises(TransportError, match="nobody listens at https://127.0.0.1:1"):
        Board.open("https://127.0.0.1:1/icebreaker")


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("sim://icebreaker", {"token": "x"}, "token is for boards of a server"),
        ("/dev/ttyUSB1", {"queue_timeout": 1}, "queue_timeout is for boards of a server"),
        ("http://box:8443/icebreaker", {"token": "x"}, "must begin with https:// where a token"),
        ("https://box:8443", {}, "with the name of a board"),
        ("https://box:8443/", {}, "with the name of a board"),
        ("https://box:8443/a?b", {}, "host, port and path alone"),
        ("https://box:8443/a", {"queue_timeout": 0}, "queue_timeout must be more than 0"),
        ("http://127.0.0.1:1/a", {"certificate": "x"}, "https:// where there is a certificate"),
    ],
)
def test_addresses_that_cannot_be_are_refused(url, options, message):
    with pytest.raises(ValueError, match=message):
        Board.open(url, **options)


def test_no_message_shows_the_token(server, opened):
    board = opened()
    shown = [repr(board), repr(board.__dict__), str(vars(board._session.line.transport))]
    with pytest.raises(TransportError) as caught:
        opened("nexys")
    shown += [str(caught.value), server.log.read_text()]
    assert not any(server.token in text for text in shown)
