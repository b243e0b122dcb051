"""Samples that are moved by little, so that answers become wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.trust.attacks import Attack, distances, pgd, random_search
from tensorspin.trust.judges import judge_of
from tensorspin.trust.subject import Subject

from ..support import audited


def attack_of(name):
    program, X, y = audited.ALL[name]()
    return Attack(Subject(program, X), judge_of(program, y))


def harm(attack):
    """The headline of what the attack has found."""
    return attack.judge.headline(attack.subject.run(attack.X)).value


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", audited.ALL)
def test_attacks_stay_within_their_distance_and_the_scale(name, norm):
    attack = attack_of(name)
    subject, before = attack.subject, harm(attack)
    for eps in (0.02, 0.1):
        pgd(attack, eps, norm, steps=5, restarts=2, rng=np.random.default_rng(0))
        assert distances(subject, attack.X, norm).max() <= eps + 1e-9
        lower, upper = subject.limits(subject.X)
        there = ~np.isnan(subject.X)
        assert (attack.X >= lower)[there].all() and (attack.X <= upper)[there].all()
        np.testing.assert_array_equal(np.isnan(attack.X), ~there)
        still = ~subject.movable
        np.testing.assert_array_equal(attack.X[:, still], subject.X[:, still])
    assert (harm(attack) > before) != attack.judge.decides
    # What is kept is what the board answers to.
    np.testing.assert_array_equal(attack.wrongness, attack.judge.wrongness(subject.run(attack.X)))


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_a_black_box_sees_answers_alone(name, monkeypatch):
    attack = attack_of(name)
    before = harm(attack)
    monkeypatch.setattr(Subject, "gradient", None)
    random_search(attack, 0.1, queries=40, rng=np.random.default_rng(0))
    assert distances(attack.subject, attack.X, "linf").max() <= 0.1 + 1e-9
    assert (harm(attack) > before) != attack.judge.decides


def test_more_strength_never_helps_the_attacked():
    attack = attack_of("classifier")
    found = [harm(attack)]
    for eps in (0.02, 0.05, 0.1, 0.2):
        pgd(attack, eps, "linf", steps=5, restarts=1, rng=np.random.default_rng(0))
        found.append(harm(attack))
    assert found == sorted(found, reverse=True) and found[-1] < found[0] - 0.3


def test_the_gradient_finds_more_than_chance_does():
    white, chance = attack_of("classifier"), attack_of("classifier")
    pgd(white, 0.1, "linf", steps=10, restarts=1, rng=np.random.default_rng(0))
    subject, rng = chance.subject, np.random.default_rng(0)
    for _ in range(10):
        moved = subject.X + rng.uniform(-0.1, 0.1, subject.X.shape) * subject.span
        chance.offer(np.arange(len(subject)), np.clip(moved, *subject.limits(subject.X)))
    assert harm(white) < harm(chance) - 0.05


def test_the_same_seed_gives_the_same_attack():
    one, other = attack_of("regressor"), attack_of("regressor")
    for attack in (one, other):
        pgd(attack, 0.05, "l2", steps=3, restarts=2, rng=np.random.default_rng(3))
        random_search(attack, 0.05, queries=5, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(one.X, other.X)


@pytest.mark.long
def test_the_adversarial_robustness_toolbox_finds_no_more_than_we_do():
    art = pytest.importorskip("art", reason="needs the extra audit: pip install '.[audit]'")
    assert art
    from art.attacks.evasion import ProjectedGradientDescentNumpy

    from ..support.art_classifier import ProgramClassifier

    attack = attack_of("classifier")
    subject, judge = attack.subject, attack.judge
    pgd(attack, 0.1, "linf", rng=np.random.default_rng(0))
    classifier = ProgramClassifier(subject)
    theirs = ProjectedGradientDescentNumpy(
        classifier, eps=0.1, eps_step=0.0125, max_iter=40, num_random_init=2, verbose=False
    )
    unit = (subject.X - subject.lower) / subject.span
    moved = theirs.generate(unit.astype(np.float32), np.eye(3)[judge.labels])
    X = np.clip(moved * subject.span + subject.lower, *subject.limits(subject.X))
    right = judge.right(subject.run(X)).mean()
    assert harm(attack) <= right + 0.02 and abs(harm(attack) - right) < 0.1
