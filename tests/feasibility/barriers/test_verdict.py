"""The verdict, turned over by deadline, link and noise."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tensorspin import MPSClassifier
from tensorspin.cli.report import jsonable
from tensorspin.contract.device import find_board
from tensorspin.feasibility.barriers import LINKS, Task, assess
from tensorspin.feasibility.barriers.figure import KINDS
from tensorspin.feasibility.barriers.local import BoardRun, local_times
from tensorspin.feasibility.barriers.verdict import verdict
from tensorspin.hybrid import SNAPSHOTS, NoiseSnapshot
from tests.support.born_machines import detector, samples

PROGRAM = detector(3).quantize()
X = np.concatenate([samples(3)[:40], np.random.default_rng(1).uniform(-4, 4, (40, 3))])
OUTLIER = np.arange(80) >= 40


def report(ran=None, **changes):
    given = {
        "deadline": 0.5,
        "board": find_board("icebreaker"),
        "noise": SNAPSHOTS["boston"],
        "shots": 1000,
        **changes,
    }
    return assess(Task(PROGRAM, X, OUTLIER, **given), ran=ran)


@pytest.mark.parametrize(
    ("changes", "answer", "barrier"),
    [
        ({}, "hybrid", None),
        ({"link": LINKS["lte"]}, "hybrid", None),
        ({"link": LINKS["lora"]}, "local", "latency"),
        ({"link": LINKS["lora"], "deadline": 5.0}, "hybrid", None),
        ({"link": LINKS["nbiot"]}, "local", "latency"),
        ({"deadline": 0.1}, "local", "latency"),
        ({"noise": NoiseSnapshot("blind", "2026-01-01", 0, 0, 0.5)}, "local", "noise"),
        ({"deadline": 1e-5}, "not feasible", "latency"),
    ],
)
def test_deadline_link_and_noise_turn_it_over(changes, answer, barrier):
    found = report(**changes).verdict
    assert found.answer == answer
    assert found.words.lower().startswith(answer)
    assert barrier is None or found.barrier == barrier


def test_a_board_that_is_too_slow_or_too_small_is_no_fallback():
    slow = report(BoardRun("sim://mine", 0.7, True, 20))
    assert slow.verdict.answer == "hybrid"
    assert "icebreaker takes 700 ms, more than the deadline of 0.5 s" in slow.verdict.words
    assert "no fallback" in slow.verdict.words
    assert "is the fallback, and as it is no slower" in report().verdict.words
    words = report(BoardRun("sim://mine", 0.45, True, 20)).verdict.words
    assert "is the fallback; a sample" in words and "no slower" not in words
    assert slow.barriers["latency"].rows["board icebreaker, whole"].kind == "simulated"
    real = report(BoardRun("/dev/mine", 1e-4, False, 20))
    assert real.barriers["latency"].rows["board icebreaker, whole"].kind == "measured"


def test_a_board_that_does_not_hold_the_program_is_no_fallback():
    known = report().barriers
    local = local_times(PROGRAM, find_board("icebreaker"), X, None)
    small = replace(local, fits=False, needs="words of program memory: 9 of 8")
    found = verdict(known, small, 0.5)
    assert found.answer == "hybrid" and "no fallback" in found.words
    assert "does not hold the program (words of program memory: 9 of 8)" in found.words
    missed = {**known, "noise": replace(known["noise"], load=2.0)}
    assert verdict(missed, small, 0.5).answer == "not feasible"
    assert verdict(missed, local, 0.5).answer == "local"


def test_nothing_that_is_modelled_is_shown_as_measured():
    barriers = report().barriers
    assert list(barriers) == ["latency", "encoding", "noise", "tooling", "energy"]
    kinds = {name: {each.kind for each in found.rows.values()} for name, found in barriers.items()}
    assert kinds["energy"] == {"modelled"}
    latency = barriers["latency"].rows
    for name in ("network, median", "device, median", "answers within the deadline"):
        assert latency[name].kind == "modelled"
    for name in ("encode, median", "decode, median", "host"):
        assert latency[name].kind == "measured"
    assert latency["board icebreaker, computing"].kind == "simulated"
    assert latency["microcontroller"].kind == "modelled"


def test_a_classifier_is_for_the_board_alone():
    y = (X[:, 0] > 0).astype(int)
    program = MPSClassifier(bond_dim=2, epochs=2, random_state=0).fit(X, y).quantize()
    task = Task(program, X, None, 0.5, find_board("icebreaker"), SNAPSHOTS["boston"])
    found = assess(task)
    assert (found.verdict.answer, found.verdict.barrier) == ("local", "encoding")
    chance = found.barriers["encoding"].rows["probability that a shot counts"].number
    assert 0 < chance < 1
    assert "a shot counts with a probability of" in found.verdict.words
    assert found.barriers["latency"].rows["board icebreaker, computing"].number > 0


def test_the_report_is_json_and_markdown():
    found = report()
    document = json.loads(json.dumps(jsonable(found.document()), allow_nan=False))
    for barrier in document["barriers"].values():
        for number in barrier["numbers"].values():
            assert set(number) == {"name", "value", "unit", "kind", "source"}
        assert all(curve["kind"] in KINDS for curve in barrier["curves"].values())
        assert (barrier["load"] is None) == (barrier["load_kind"] is None)
    assert document["verdict"]["answer"] == "hybrid"
    text = found.markdown()
    assert text.startswith("# Feasibility: hybrid\n")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    numbers = sum(len(each.rows) for each in found.barriers.values())
    assert len(rows) == numbers + len(found.barriers)
    assert all(line.count("|") == 5 for line in rows)


def test_the_same_seed_draws_the_same():
    first, second = report(), report()
    assert first.barriers["noise"].rows == second.barriers["noise"].rows
    assert first.barriers["noise"].rows != report(seed=1).barriers["noise"].rows
