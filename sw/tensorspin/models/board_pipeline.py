"""A pipeline whose last step predicts on a board, and whose first stays on the host."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline


class BoardPipeline(Pipeline):
    """A fitted pipeline that ends in an estimator on a board.

    `tensorspin.deploy` returns it for a pipeline that begins with `WindowFeatures`. All methods of
    the last step that scikit-learn's pipelines pass on are there: ``predict``, ``score_samples``,
    ``decision_function`` and so on. Other attributes of it, such as ``offset_`` and ``last_run_``,
    are those of ``pipeline[-1]``.

    Parameters
    ----------
    steps : list of (str, estimator)
        The fitted steps; the last one is a `BoardEstimator`.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorspin
    >>> from sklearn.pipeline import make_pipeline
    >>> stream = np.random.default_rng(0).normal(size=(2000, 2))
    >>> windows = tensorspin.WindowFeatures(window_length=20)
    >>> detector = tensorspin.MPSAnomalyDetector(epochs=5, random_state=0)
    >>> pipeline = make_pipeline(windows, detector).fit(stream)
    >>> with tensorspin.deploy(pipeline, "golden://icebreaker") as on_board:
    ...     on_board.predict(stream + 9)[:3].tolist()
    [-1, -1, -1]
    """

    def close(self) -> None:
        """Release the board; see `BoardEstimator.close`."""
        self.steps[-1][1].close()

    def __enter__(self) -> BoardPipeline:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
