"""Accuracy under attack, white box and black box, confirmed by the board."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.stats import binom

from ...driver.board import Board
from ...progress import progress_bar
from ..attacks import Attack, pgd, random_search
from ..judges import Judge
from ..subject import Subject
from .settings import Settings

_logger = logging.getLogger(__name__)

MASKED = (
    "the black-box attack beats the white-box attack at L-infinity {eps:g} ({black} against "
    "{white}): gradients may be hidden, or the white box has too few steps; take robust accuracy "
    "for no more than the lower of the two, and try more --attack-steps"
)
"""The warning that is given then."""

_CHANCE = 0.05
"""Probability below which it counts as no chance that the black box is ahead (a sign test)."""


def robustness(
    subject: Subject, judge: Judge, settings: Settings, board: Board
) -> tuple[dict[str, Any], np.ndarray | None]:
    """Attack samples with rising strength.

    Parameters
    ----------
    subject : Subject
        The program and the samples to attack.
    judge : Judge
        What is right for them.
    settings : Settings
        How strong attacks are, and how long they try.
    board : Board
        The board, which holds the program and answers what the attacks have found.

    Returns
    -------
    document : dict
        Attacks with their settings and the headline at each strength.
    moved : ndarray of float64 of shape (n_eps_linf, n_samples, `n_features_in_`) or None
        Where the white box within L-infinity has moved the samples, for each strength.
    """
    if not len(subject):
        return {"applies": False, "why": "no samples were to be attacked"}, None
    if not subject.movable.any():
        why = "no column is a number that can be moved: all are words, constant, or not read"
        return {"applies": False, "why": why}, None
    clean = board.run(subject.program.encode(subject.X))
    document: dict[str, Any] = {
        "applies": True,
        "metric": judge.metric,
        "samples": len(subject),
        "columns_moved": int(subject.movable.sum()),
        "columns": len(subject.movable),
        "unit": "share of each column's scale; words, missing values and values beyond it stay",
        "clean": judge.headline(clean, settings.seed),
        "attacks": [],
    }
    moved: list[np.ndarray] = []
    harms: list[list[np.ndarray]] = []
    total = 2 * len(settings.eps_linf) + len(settings.eps_l2)
    with progress_bar("attacking", "attack", delay=1.0) as progress:
        done = 0
        for entry, run, strengths in _attacks(settings):
            attack, rng = Attack(subject, judge), np.random.default_rng(settings.seed)
            rows, harm = [], []
            for eps in strengths:
                run(attack, eps, rng)
                results = board.run(subject.program.encode(attack.X))
                rows.append({"eps": eps, "device": judge.headline(results, settings.seed)})
                harm.append(judge.wrongness(results))
                if entry["name"] == "pgd" and entry["norm"] == "linf":
                    moved.append(attack.X.copy())
                done += 1
                progress(done, total)
            document["attacks"].append({**entry, "strengths": rows})
            harms.append(harm)
    document["warnings"] = _masked(document["attacks"], judge, harms)
    return document, np.array(moved)


def _attacks(
    settings: Settings,
) -> Iterator[tuple[dict[str, Any], Callable[..., None], tuple[float, ...]]]:
    """Give each attack: what is written of it, what runs it, and its strengths."""
    white: dict[str, Any] = {"name": "pgd", "kind": "white box", "steps": settings.steps}
    white |= {"restarts": settings.restarts, "seed": settings.seed}

    def descend(norm: Any) -> Callable[..., None]:
        def run(attack: Attack, eps: float, rng: np.random.Generator) -> None:
            pgd(attack, eps, norm, steps=settings.steps, restarts=settings.restarts, rng=rng)

        return run

    def search(attack: Attack, eps: float, rng: np.random.Generator) -> None:
        random_search(attack, eps, queries=settings.queries, rng=rng)

    yield {**white, "norm": "linf"}, descend("linf"), settings.eps_linf
    yield {**white, "norm": "l2"}, descend("l2"), settings.eps_l2
    black: dict[str, Any] = {"name": "random_search", "kind": "black box", "norm": "linf"}
    black |= {"queries": settings.queries, "seed": settings.seed}
    yield black, search, settings.eps_linf


def _masked(
    attacks: list[dict[str, Any]], judge: Judge, harms: list[list[np.ndarray]]
) -> list[str]:
    """Warn where the attack that sees less has found more, and not by chance."""
    found = []
    rows = zip(attacks[0]["strengths"], attacks[2]["strengths"], harms[0], harms[2])
    for one, other, white, black in rows:
        if judge.decides:
            # Samples that only one of them deceives would be either's with the same probability.
            ahead, behind = (
                np.sum((a > 0) & (b <= 0)) for a, b in ((black, white), (white, black))
            )
            beaten = binom.sf(ahead - 1, ahead + behind, 0.5) < _CHANCE
        else:
            beaten = other["device"].value > one["device"].high
        if beaten:
            values = one["device"].value, other["device"].value
            shown = [f"{value:.1%}" if judge.decides else f"{value:.4g}" for value in values]
            found.append(MASKED.format(eps=one["eps"], white=shown[0], black=shown[1]))
            _logger.warning("%s", found[-1])
    return found
