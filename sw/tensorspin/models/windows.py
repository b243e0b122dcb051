"""From a stream of sensor values to samples: windows, and what each of them is like.

An estimator takes samples of a fixed number of features, and a sensor gives a stream.
`WindowFeatures` cuts the stream into windows that overlap, and describes each channel of a window
by a few numbers. It is a transformer of scikit-learn that returns one row a window, so it stands
first in a pipeline, before a detector. A board knows nothing of it: it stays on the host, which
sends the board one byte for each feature of a window.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ..compiler.values import column_numbers, holds_objects, table_columns
from .parameters import is_number
from .window_statistics import FEATURES, described

BATCH_VALUES = 1 << 20
"""Values of windows that are looked at at once. It bounds the memory that a transform takes."""


class Spans(NamedTuple):
    """Where windows lie: arrays of int of shape (n_windows,)."""

    recording: np.ndarray
    """Number of the recording, from 0."""

    start: np.ndarray
    """First row of the window."""

    stop: np.ndarray
    """Row after its last."""


class WindowFeatures(  # type: ignore[call-arg]  # scikit-learn has no types
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Describe the windows of a stream, or of several recordings, by a few numbers a channel.

    Where `X` is a stream, the rows of what `transform` returns are its windows in their order; they
    are fewer than the rows of `X`. `window_spans` tells where each lies.

    Parameters
    ----------
    window_length : int, default=64
        Number of rows of a window, at least 2.
    step_length : None or int, default=None
        Number of rows from the start of a window to that of the next, at least 1. None: half of
        `window_length`, so that each row is in two windows.
    features : str or sequence of str, default=("mean", "std", "min", "max", "slope", "change")
        What each channel of a window is described by:

        - ``"mean"``, ``"std"``, ``"min"``, ``"max"``: mean, standard deviation, least and greatest;
        - ``"last"``: the last value;
        - ``"rms"``: root mean square;
        - ``"slope"``: slope of the line of least squares, in the channel's unit per row;
        - ``"change"``: mean of the absolute difference of neighbouring rows: 0 if a sensor is
          stuck;
        - ``"crossings"``: share of the neighbouring rows between which the mean is crossed, which
          rises with the frequency;
        - ``"bands"``: how much the channel vibrates in each of `n_bands` bands of frequency, which
          divide the range from 0 to half a cycle per row evenly: a root mean square in the
          channel's unit. The squares of all bands add up to that of ``"std"``;
        - ``"raw"``: all values of the window.
    n_bands : int, default=4
        Number of bands of ``"bands"``, 1 to half of `window_length`.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of object of shape (n_channels,)
        Names of the channels. Present only if X was a data frame with names that are strings.

    Examples
    --------
    A vibration that becomes faster in the end:

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from tensorspin import MPSAnomalyDetector, WindowFeatures
    >>> time = np.arange(6000)
    >>> wave = np.sin(time / np.where(time < 5500, 4, 3))
    >>> stream = (wave + 0.1 * np.random.default_rng(0).normal(size=6000))[:, None]
    >>> windows = WindowFeatures(window_length=50, features=("std", "crossings", "bands"))
    >>> detector = MPSAnomalyDetector(contamination=0.01, random_state=0)
    >>> pipeline = make_pipeline(windows, detector).fit(stream[:4000])
    >>> unusual = pipeline.predict(stream) == -1
    >>> start = windows.window_spans(stream).start[unusual]
    >>> bool(np.mean(start > 5400) > 0.8)
    True
    """

    def __init__(
        self,
        window_length=64,
        *,
        step_length=None,
        features=("mean", "std", "min", "max", "slope", "change"),
        n_bands=4,
    ):
        self.window_length = window_length
        self.step_length = step_length
        self.features = features
        self.n_bands = n_bands

    def fit(self, X, y: object = None) -> Self:
        """Learn the number and the names of the channels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels), or sequence of these
            A stream, or several recordings with the same channels; each has at least
            `window_length` rows of finite numbers.
        y : object, optional
            Ignored.

        Returns
        -------
        self
            The transformer.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, or X is invalid.
        """
        self._check_parameters()
        self._recordings(X, reset=True)
        return self

    def transform(self, X) -> Any:
        """Describe the windows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels), or sequence of these
            A stream, or several recordings; no window reaches over the end of one.

        Returns
        -------
        ndarray of float64 of shape (n_windows, n_features_out)
            The features of each window, channel by channel; `get_feature_names_out` names them. A
            data frame if `set_output` asks for it.

        Raises
        ------
        ValueError
            If X is invalid, or its values are too large for the features.
        """
        check_is_fitted(self, "n_features_in_")
        self._check_parameters()
        parts = []
        for recording in self._recordings(X):
            windows = sliding_window_view(recording, self.window_length, axis=0)[:: self._step]
            height = max(1, BATCH_VALUES // windows[0].size)
            for first in range(0, len(windows), height):
                parts.append(described(windows[first : first + height], self._chosen, self.n_bands))
        found = np.concatenate(parts)
        wrong = np.argwhere(~np.isfinite(found))
        if len(wrong):
            window, feature = wrong[0]
            raise ValueError(
                f"{self.get_feature_names_out()[feature]} of window {window} is "
                f"{found[window, feature]}: the values of X are too large; scale them before"
            )
        if getattr(self, "_sklearn_output_config", {}).get("transform") == "pandas":
            from pandas import DataFrame  # type: ignore[import-untyped]  # it ships no types

            return DataFrame(found, columns=self.get_feature_names_out())
        return found

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns, as all transformers of scikit-learn let.

        Parameters
        ----------
        transform : {"default", "pandas"} or None, default=None
            "default": an array; "pandas": a data frame with the features' names, which a detector
            behind it then knows; None: as before.

        Returns
        -------
        self
            The transformer.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        if transform not in (None, "default", "pandas"):
            raise ValueError(f'transform must be "default", "pandas" or None, not {transform!r}')
        if transform is not None:
            # scikit-learn's own wrapper would give a window the index of a row; its `clone` copies
            # the attribute of this name.
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Return the names of the features of a window.

        Parameters
        ----------
        input_features : None or array-like of str of shape (n_channels,), default=None
            Names of the channels. None: those that `fit` has seen, or x0, x1, ...

        Returns
        -------
        ndarray of object of shape (n_features_out,)
            Such as ``"x0_mean"``, ``"x0_band0"``, or ``"x0_row0"`` of raw values.

        Raises
        ------
        ValueError
            If there are more or fewer names than channels.
        """
        check_is_fitted(self, "n_features_in_")
        self._check_parameters()
        names = input_features
        if names is None:
            unnamed = [f"x{channel}" for channel in range(self.n_features_in_)]
            names = getattr(self, "feature_names_in_", unnamed)
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"input_features must have {self.n_features_in_} names, one a channel, not "
                f"{len(names)}"
            )
        suffixes = [suffix for feature in self._chosen for suffix in self._suffixes(feature)]
        return np.array([f"{name}_{suffix}" for name in names for suffix in suffixes], dtype=object)

    def window_spans(self, X) -> Spans:
        """Tell where the windows lie that `transform` makes of the same X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels), or sequence of these
            A stream, or several recordings.

        Returns
        -------
        Spans
            The named tuple ``(recording, start, stop)`` of arrays of int of shape (n_windows,):
            window i has the rows ``start[i]`` to ``stop[i] - 1`` of the recording with that number.
        """
        check_is_fitted(self, "n_features_in_")
        self._check_parameters()
        starts = [
            np.arange(0, len(recording) - self.window_length + 1, self._step)
            for recording in self._recordings(X)
        ]
        start = np.concatenate(starts)
        number = np.repeat(np.arange(len(starts)), [len(each) for each in starts])
        return Spans(number, start, start + self.window_length)

    def to_samples(self, values, X) -> np.ndarray | list[np.ndarray]:
        """Give each row of a stream the mean of a value of the windows that it is in.

        It is for plots: of ``score_samples`` of a detector beside the stream, say.

        Parameters
        ----------
        values : array-like of float of shape (n_windows,)
            A number for each window of `X`.
        X : array-like of shape (n_samples, n_channels), or sequence of these
            The stream, or several recordings.

        Returns
        -------
        ndarray of float64 of shape (n_samples,), or list of these
            The means; NaN for a row that is in no window. A list if X has several recordings.

        Raises
        ------
        ValueError
            If there are more or fewer values than windows.
        """
        spans, recordings = self.window_spans(X), self._recordings(X)
        values = check_array(values, ensure_2d=False, dtype=np.float64, input_name="values")
        if values.shape != spans.start.shape:
            raise ValueError(
                f"values must have shape {spans.start.shape}, one a window, not {values.shape}"
            )
        found = []
        for number, recording in enumerate(recordings):
            own = spans.recording == number
            sums, counts = np.zeros(len(recording)), np.zeros(len(recording))
            for start, stop, value in zip(spans.start[own], spans.stop[own], values[own]):
                sums[start:stop] += value
                counts[start:stop] += 1
            means = np.full(len(recording), np.nan)
            found.append(np.divide(sums, counts, out=means, where=counts > 0))
        return found if _are_several(X) else found[0]

    @property
    def _step(self) -> int:
        return self.window_length // 2 if self.step_length is None else self.step_length

    @property
    def _chosen(self) -> Sequence[str]:
        return (self.features,) if isinstance(self.features, str) else tuple(self.features)

    def _suffixes(self, feature: str) -> list[str]:
        if feature == "bands":
            return [f"band{band}" for band in range(self.n_bands)]
        if feature == "raw":
            return [f"row{row}" for row in range(self.window_length)]
        return [feature]

    def _check_parameters(self) -> None:
        for name, least in (("window_length", 2), ("n_bands", 1), ("step_length", 1)):
            value = getattr(self, name)
            if value is None and name == "step_length":
                continue
            if not is_number(value, Integral) or value < least:
                raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")
        known = ", ".join(f'"{feature}"' for feature in FEATURES)
        chosen = self._chosen if isinstance(self.features, (str, Sequence)) else ()
        if not chosen or len(set(chosen)) < len(chosen):
            raise ValueError(
                f"features must be one or more of {known}, each once, not {self.features!r}"
            )
        for feature in chosen:
            if feature not in FEATURES:
                raise ValueError(f"features must be of {known}, not {feature!r}")
        if "bands" in chosen and self.n_bands > self.window_length // 2:
            raise ValueError(
                f"n_bands must be at most half of window_length={self.window_length}, not "
                f"{self.n_bands}: a window has no more frequencies"
            )

    def _recordings(self, X, reset: bool = False) -> list[np.ndarray]:
        """Validate a stream or several recordings; return a list of float64 arrays."""
        several = _are_several(X)
        found = []
        for number, recording in enumerate(X if several else [X]):
            where = f"recording {number}" if several else "X"
            if np.ndim(recording) == 1:
                raise ValueError(
                    f"{where} must have shape (n_samples, n_channels), not {np.shape(recording)}; "
                    "give a single channel as X.reshape(-1, 1)"
                )
            _check_numbers(recording, where)
            recording = validate_data(
                self,
                recording,
                dtype=np.float64,
                reset=reset and not number,
                ensure_min_samples=0,
                ensure_all_finite=False,
            )
            if len(recording) < self.window_length:
                raise ValueError(
                    f"{where} has {len(recording)} sample(s); a window needs window_length="
                    f"{self.window_length}"
                )
            wrong = np.argwhere(~np.isfinite(recording))
            if len(wrong):
                row, channel = wrong[0]
                names = getattr(self, "feature_names_in_", None)
                shown = channel if names is None else repr(names[channel])
                raise ValueError(
                    f"channel {shown} of {where} is {recording[row, channel]} in row {row}; values "
                    "must be finite: interpolate NaN, or cut the recording there"
                )
            found.append(recording)
        if not found:
            raise ValueError("X has no recording; at least one is needed")
        return found


def _check_numbers(recording, where: str) -> None:
    """Refuse channels of times or words by their names."""
    names = [str(name) for name in getattr(recording, "columns", [])]
    for place, column in enumerate(table_columns(recording) if holds_objects(recording) else []):
        try:
            column_numbers(column.values, "a value")
        except (TypeError, ValueError) as error:
            shown = repr(names[place]) if names else place
            raise ValueError(
                f"channel {shown} of {where} must hold numbers, not values such as "
                f"{reprlib.repr(column.values[0])}; leave it out"
            ) from error


def _are_several(X) -> bool:
    """Tell whether X is several recordings: a list or tuple of tables, or an array of 3 axes."""
    if isinstance(X, (list, tuple)):
        return not len(X) or np.ndim(X[0]) >= 2
    return np.ndim(X) == 3
