"""What the command ``tensorspin train`` reports of an estimator and its programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .quality import class_lines, number_lines, outlier_lines
from .report import Line

if TYPE_CHECKING:
    from ..data.datasets import Dataset


def parameter_lines(estimator: Any) -> list[Line | tuple[str, str]]:
    """Report the values of the parameters that may have been chosen; show those that were.

    Parameters
    ----------
    estimator : NetworkEstimator or EnsembleClassifier
        The fitted estimator. Of an ensemble its networks are reported.

    Returns
    -------
    list of Line or tuple
        The lines.
    """
    if hasattr(estimator, "members_"):
        return _networks(estimator)
    values, given = estimator.settled_parameters(), estimator.get_params()
    chosen = {name for name in values if given[name] == "auto"}
    if "feature_map" in chosen and given["local_dim"] is None:
        chosen.add("local_dim")
    shown = ", ".join(f"{name} {_shown(values[name])}" for name in values if name in chosen)
    shown = shown or "nothing"
    return [Line("chosen", values, shown, "parameters")]


def _networks(ensemble: Any) -> list[Line | tuple[str, str]]:
    """Report the networks of an ensemble, how good each was, and why others were left out."""
    qualities = ensemble.qualities_
    shown = [
        f"{name} ({qualities[name].accuracy:.2%})" if name in qualities else name
        for name in ensemble.member_names_
    ]
    return [
        Line("networks", ensemble.member_names_, ", ".join(shown)),
        *(
            Line(f"left out: {name}", reason, key=f"left_out_{name}")
            for name, reason in ensemble.left_out_.items()
        ),
    ]


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def memory_lines(program: Any, board: str | None) -> list[Line]:
    """Report how much of a board's program memory a program takes.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    board : str or None
        Name of the board for which it was made, if it was made for one.

    Returns
    -------
    list of Line
        One, or none without a board.
    """
    if board is None:
        return []
    from ..compiler.capacity import program_words
    from ..contract.device.boards import find_board

    size = find_board(board).require_contractor()
    used = program_words(program.nodes, size.lanes)
    return [
        Line(
            f"program memory of {board}",
            {"board": board, "words": used, "of": size.model_words},
            f"{used} of {size.model_words} words ({used / size.model_words:.0%})",
            "program_memory",
        )
    ]


def quality_lines(
    estimator: Any, programs: Mapping[str, Any], data: Dataset, task: str
) -> list[Line]:
    """Report how good a network is on the held-out samples, before and after quantisation.

    Parameters
    ----------
    estimator : NetworkEstimator or EnsembleClassifier
        The fitted estimator.
    programs : mapping of str to NetworkProgram
        Its programs by what they are called in the report.
    data : Dataset
        The samples.
    task : str
        What the estimator learns: "classes", "numbers" or "outliers".

    Returns
    -------
    list of Line
        The lines of the estimator, and then those of each program.
    """
    X, y = data.X_test, data.y_test
    if task == "outliers":
        found = outlier_lines(estimator.score_samples(X), estimator.offset_, y, "float")
        for name, program in programs.items():
            results = program.run_golden(X)
            likelihoods = program.task.log_likelihood(
                results.scores, results.exponents, program.log2_scale
            )
            found += outlier_lines(likelihoods, program.task.offset, y, name)
        return found
    lines = class_lines if task == "classes" else number_lines
    found = lines(estimator.predict(X), y, "float")
    for name, program in programs.items():
        found += lines(program.predict(X), y, name)
    return found
