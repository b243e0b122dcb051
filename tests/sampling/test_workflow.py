"""Both engines of one bitstream: features selected on the annealer, classes on the contractor."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from tensorspin import AnnealingFeatureSelector, Board, BoardSampler, MPSClassifier

from ..support.annealer_boards import URL


def test_select_and_classify_on_one_board():
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    with Board.open(URL) as board:
        pipeline = make_pipeline(
            AnnealingFeatureSelector(
                BoardSampler(board),
                n_features_to_select=6,
                sampler_parameters={"num_sweeps": 50, "states": "best"},
                random_state=0,
            ),
            MPSClassifier(4, epochs=30, random_state=0),
        ).fit(X_train, y_train)
        selector, classifier = (step for _, step in pipeline.steps)
        on_board = make_pipeline(selector, classifier.deploy(board))
        assert on_board.score(X_test, y_test) > 0.9
        assert on_board[1].n_features_in_ == 6
        # The program is still there, and so is the problem.
        selector.fit(X_train, y_train)
        assert board.status().active
