"""A guard on the board of the model that it guards: whether it fits, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...compiler.network_program import NetworkProgram
from ...driver.board import Board
from ...driver.pairs import pair_refusal
from ...errors import CapacityError
from ..intervals import share


def guard_on_board(
    board: Board, program: NetworkProgram, guard: NetworkProgram | None, X
) -> dict[str, Any]:
    """Run samples with a model and its guard on one board, if that holds two programs.

    Parameters
    ----------
    board : Board
        An open board. In the end it runs the model's program.
    program : NetworkProgram
        The model's program.
    guard : NetworkProgram or None
        The detector's program, with the same columns.
    X : array-like of shape (n_samples, `n_features_in_`)
        Samples.

    Returns
    -------
    dict
        ``applies``, and ``why`` it does not; else whether each sample was ``sent_once`` for both,
        the ``cycles`` of a sample in both programs, and how often the guard's score on the board is
        that of the golden model, which all other numbers of the audit come from (``agreement``).
    """
    if guard is None:
        return {"applies": False, "why": "no guard was given"}
    if not board.info.require_contractor().resident:
        return {
            "applies": False,
            "why": f"the board ({board.info.board}) holds one program at a time, so that model and "
            f"guard would be loaded in turn",
        }
    try:
        board.check(guard)
    except CapacityError as error:
        return {"applies": False, "why": f"the guard does not fit: {error}"}
    levels, watched = program.encode(X), guard.encode(X)
    sent_once = pair_refusal(program, guard) is None and np.array_equal(levels, watched)
    board.load(program)
    board.load(guard, standby=True)
    if sent_once:
        results, found = board.run_both(levels)
    else:
        results = board.run(levels)
        board.swap()
        found = board.run(watched)
        board.swap()
    right = guard.run_golden(X)
    same = (found.scores == right.scores).all(axis=1) & (found.exponents == right.exponents)
    return {
        "applies": True,
        "sent_once": sent_once,
        "cycles": int(results.cycles[0] + found.cycles[0]),
        "agreement": share(same),
    }


def guard_sentence(found: Mapping[str, Any]) -> str:
    """Say for people what `guard_on_board` has found.

    Parameters
    ----------
    found : mapping
        What it returned.

    Returns
    -------
    str
        One or two sentences.

    Examples
    --------
    >>> guard_sentence({"applies": False, "why": "the guard does not fit"})
    'Model and guard were not on the board together: the guard does not fit.'
    """
    if not found["applies"]:
        return f"Model and guard were not on the board together: {found['why']}."
    sent = "once for both" if found["sent_once"] else "for each of the two"
    share = f"{found['agreement']['value']:.1%}".replace("%", " %")
    return (
        f"Model and guard were on the board together: a sample takes {found['cycles']} cycles in "
        f"both programs, and was sent {sent}. The guard's scores were those of the golden model "
        f"for {share} of the samples."
    )
