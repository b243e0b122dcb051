"""When answers are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.trust.judges import judge_of
from tensorspin.trust.subject import Subject

from ..support import audited


@pytest.mark.parametrize("name", audited.ALL)
def test_slopes_are_the_derivative_of_wrongness_up_to_a_factor(name):
    program, X, y = audited.ALL[name]()
    subject, judge = Subject(program, X), judge_of(program, y)
    _, scores = subject.program.input_gradient(subject.X, return_scores=True)
    slopes = judge.slopes(scores)

    def wrongness(scores):
        """As the judge has it, of scores that are no integers."""
        if name == "regressor":
            return np.abs(program.task.offset + program.task.factor * scores[:, 0] - y)
        if name == "detector":
            return np.where(y, 1, -1) * np.log(np.abs(scores[:, 0]))
        unit = scores / np.linalg.norm(scores, axis=1, keepdims=True)
        rows = np.arange(len(unit))
        own = unit[rows, judge.labels]
        unit[rows, judge.labels] = -np.inf
        return unit.max(axis=1) - own

    step = 1e-6 * np.abs(scores).max(axis=1, keepdims=True)
    found = np.empty_like(scores)
    for output in range(scores.shape[1]):
        moved = step * np.eye(scores.shape[1])[output]
        found[:, output] = wrongness(scores + moved) - wrongness(scores - moved)
    alike = np.sum(found * slopes, axis=1)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(slopes, axis=1)
    assert np.median(alike / lengths) > 0.999


def test_an_answer_is_wrong_where_the_decision_is():
    program, X, y = audited.classifier()
    results, judge = program.run_golden(X), judge_of(program, y)
    np.testing.assert_array_equal(judge.right(results), program.predict(X) == y)
    assert judge.headline(results).value == np.mean(program.predict(X) == y) > 0.9
    other = judge_of(program, (y + 1) % 3)
    np.testing.assert_array_equal(other.right(results), program.predict(X) == (y + 1) % 3)

    program, X, outlier = audited.detector()
    results = program.run_golden(X)
    right = judge_of(program, outlier).right(results)
    np.testing.assert_array_equal(right, (program.predict(X) == -1) == outlier)
    assert right.mean() > 0.7


def test_equal_scores_are_decided_as_on_a_board():
    program, X, y = audited.classifier()
    results = program.run_golden(X[:2])
    tied = results.scores.copy()
    tied[:] = 100
    results = type(results)(tied, results.exponents, np.array([0, 0]), results.cycles)
    assert judge_of(program, np.array([0, 1])).right(results).tolist() == [True, False]


def test_the_error_of_numbers_is_in_their_unit():
    program, X, y = audited.regressor()
    judge = judge_of(program, y)
    found = judge.headline(program.run_golden(X))
    assert found.value == pytest.approx(np.sqrt(np.mean((program.predict(X) - y) ** 2)))
    assert found.low < found.value < found.high


def test_a_part_of_the_samples_has_the_same_judge():
    for make in audited.ALL.values():
        program, X, y = make()
        judge = judge_of(program, y)
        whole = judge.wrongness(program.run_golden(X))
        rows = np.array([5, 0, 9])
        part = judge.of(rows).wrongness(program.run_golden(X[rows]))
        np.testing.assert_array_equal(part, whole[rows])


def test_labels_that_do_not_suit_are_refused():
    program, X, y = audited.classifier()
    with pytest.raises(ValueError, match="label 7, which is none of the program's classes"):
        judge_of(program, y + 7)
    program, X, y = audited.regressor()
    with pytest.raises(ValueError, match="y must be finite"):
        judge_of(program, y * np.nan)
    program, X, y = audited.detector()
    with pytest.raises(ValueError, match="y must be bool"):
        judge_of(program, y.astype(int))
