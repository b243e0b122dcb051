"""Estimators on a board check the names of columns as the host's do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from tensorspin import (
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    NetworkProgram,
    TTNClassifier,
)

pandas = pytest.importorskip("pandas")

GOLDEN = "golden://icebreaker"
X, y = load_iris(return_X_y=True)
FRAME = pandas.DataFrame(X, columns=["sepal length", "sepal width", "petal length", "petal width"])
REVERSED = FRAME[FRAME.columns[::-1]]

METHODS = {
    MPSClassifier: ("predict", "predict_proba", "decision_function"),
    TTNClassifier: ("predict", "predict_proba", "decision_function"),
    MPSRegressor: ("predict",),
    MPSAnomalyDetector: ("predict", "score_samples", "decision_function"),
}


@pytest.fixture(scope="module", params=METHODS, ids=lambda model: model.__name__)
def model(request):
    return request.param(2, epochs=1, random_state=0).fit(FRAME, y)


def message(call, X) -> str:
    """Return what a call refuses X with, or warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises((ValueError, UserWarning)) as caught:
            call(X)
    return str(caught.value)


def test_the_board_says_what_the_host_says(model):
    others = [REVERSED, FRAME.iloc[:, :3], FRAME.assign(colour=0.0), FRAME.add_suffix("!"), X]
    with model.deploy(GOLDEN) as on_board:
        assert on_board.feature_names_in_.tolist() == [*FRAME.columns]
        for name in ("run", *METHODS[type(model)]):
            for other in others:
                host = getattr(model, name if name != "run" else "predict")
                board = getattr(on_board, name)
                expected = message(host, other)
                assert "feature names" in expected
                assert message(board, other) == expected.replace(
                    type(model).__name__, type(on_board).__name__
                )


@pytest.mark.filterwarnings("error")
def test_right_columns_are_scored_without_a_word(model, tmp_path):
    program = model.quantize()
    program.save(tmp_path / "model.npz")
    expected = program.predict(FRAME)
    assert np.array_equal(NetworkProgram.load(tmp_path / "model.npz").predict(FRAME), expected)
    with model.deploy(GOLDEN) as on_board:
        assert np.array_equal(on_board.predict(FRAME), expected)
        if hasattr(on_board, "score"):
            on_board.score(FRAME, y)
        with clone(on_board) as another:
            assert np.array_equal(another.predict(FRAME), expected)


def test_names_where_the_model_has_none(model):
    unnamed = clone(model).fit(X, y)
    assert unnamed.quantize().feature_names is None
    with unnamed.deploy(GOLDEN) as on_board:
        assert not hasattr(on_board, "feature_names_in_")
        told = f"X has feature names, but {type(on_board).__name__} was fitted without"
        with pytest.warns(UserWarning, match=told):
            on_board.predict(REVERSED)
