"""Samples as numbers that can be moved."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from tensorspin.models import MPSClassifier, quantize
from tensorspin.trust.judges import judge_of
from tensorspin.trust.subject import Subject

from ..support import audited


@pytest.mark.parametrize("name", audited.ALL)
def test_numbers_are_answered_as_the_samples_are(name):
    program, X, _ = audited.ALL[name]()
    subject = Subject(program, X)
    found, right = subject.run(subject.X), program.run_golden(X)
    np.testing.assert_array_equal(found.scores, right.scores)
    np.testing.assert_array_equal(found.exponents, right.exponents)
    assert len(subject) == len(X)


def test_words_and_gaps_stay_where_they_are():
    program, X, _ = audited.words()
    subject = Subject(program, X)
    assert subject.movable.tolist() == [True, False]
    assert np.isnan(subject.X[:, 0]).any()
    lower, upper = subject.limits(subject.X)
    np.testing.assert_array_equal(lower[:, 1], subject.X[:, 1])
    np.testing.assert_array_equal(upper[:, 1], subject.X[:, 1])
    gaps = np.isnan(subject.X[:, 0])
    assert np.isnan(lower[gaps, 0]).all() and not np.isnan(lower[~gaps, 0]).any()


def test_a_linear_scale_is_measured_by_its_range_and_a_constant_column_is_still():
    X = np.array([[0.0, 5, 1], [16.0, 5, 3], [4.0, 5, 2], [8.0, 5, 2]])
    options = {"scaling": "range", "feature_map": "linear", "epochs": 1, "random_state": 0}
    program = MPSClassifier(2, **options).fit(X, [0, 1, 0, 1]).quantize()
    subject = Subject(program, X)
    assert subject.span[[0, 2]] == pytest.approx([16, 2])
    assert subject.movable.tolist() == [True, False, True]
    far = Subject(program, X + [100, 0, 0])
    assert far.limits(far.X)[1][0, 0] == 100  # values beyond the scale stay there, or come back
    assert far.limits(far.X)[0][0, 0] == 0


def test_columns_behind_a_scaler_are_moved_in_their_own_unit_and_never_refused():
    X = np.random.default_rng(0).random((60, 2)) * [1, 1000]
    pipeline = make_pipeline(MinMaxScaler(), MPSClassifier(2, feature_range=(0, 1), epochs=2))
    program = quantize(pipeline.fit(X, X[:, 0] > 0.5))
    subject = Subject(program, X)
    assert subject.span == pytest.approx([1, 1000], rel=0.1)
    for end in subject.limits(subject.X):
        program.encode(end)


def test_the_gradient_is_that_of_what_makes_answers_wrong():
    program, X, y = audited.classifier()
    subject, judge = Subject(program, X), judge_of(program, y)
    gradient, scores = program.input_gradient(X, return_scores=True)
    expected = np.einsum("so,sof->sf", judge.slopes(scores), gradient)
    np.testing.assert_allclose(subject.gradient(X, judge), expected, rtol=1e-9, atol=1e-12)
