"""The numbers that describe a window of a stream: mean, slope, energy in bands of frequency, ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def _slope(windows: np.ndarray) -> np.ndarray:
    steps = np.arange(windows.shape[-1]) - (windows.shape[-1] - 1) / 2
    return windows @ steps / (steps @ steps)


def _crossings(windows: np.ndarray) -> np.ndarray:
    above = windows > windows.mean(axis=-1, keepdims=True)
    return (above[..., 1:] != above[..., :-1]).mean(axis=-1)


_SIMPLE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda windows: windows.mean(axis=-1),
    "std": lambda windows: windows.std(axis=-1),
    "min": lambda windows: windows.min(axis=-1),
    "max": lambda windows: windows.max(axis=-1),
    "last": lambda windows: windows[..., -1],
    "rms": lambda windows: np.sqrt((windows**2).mean(axis=-1)),
    "slope": _slope,
    "change": lambda windows: np.abs(np.diff(windows)).mean(axis=-1),
    "crossings": _crossings,
}
"""Functions of windows, ndarray of float64 of shape (n_windows, n_channels, window_length), that
return one number for each channel of each."""

FEATURES = (*_SIMPLE, "bands", "raw")
"""Values that the parameter `features` may have."""


def described(windows: np.ndarray, features: Sequence[str], n_bands: int) -> np.ndarray:
    """Compute the features of windows.

    Parameters
    ----------
    windows : ndarray of float64 of shape (n_windows, n_channels, window_length)
        The windows.
    features : sequence of str
        Some of `FEATURES`.
    n_bands : int
        Number of bands of "bands", at most half of the window's length.

    Returns
    -------
    ndarray of float64 of shape (n_windows, n_features)
        All features of the first channel, then those of the next. They are not finite where a
        window has values near the end of the range of float64.
    """
    parts = []
    with np.errstate(over="ignore", invalid="ignore"):
        for feature in features:
            if feature == "raw":
                parts.append(windows)
            elif feature == "bands":
                parts.append(_bands(windows, n_bands))
            else:
                parts.append(_SIMPLE[feature](windows)[..., None])
    return np.concatenate(parts, axis=2).reshape(len(windows), -1)


def _bands(windows: np.ndarray, n_bands: int) -> np.ndarray:
    """Return the root mean square in each band, (n_windows, n_channels, n_bands)."""
    spectrum = np.abs(np.fft.rfft(windows, axis=-1)[..., 1:] / windows.shape[-1]) ** 2
    # All frequencies but the last one of an even length stand for themselves and their mirror.
    doubled = 2 - (np.arange(1, spectrum.shape[-1] + 1) * 2 == windows.shape[-1])
    edges = np.linspace(0, spectrum.shape[-1], n_bands + 1).round().astype(int)[:-1]
    return np.sqrt(np.add.reduceat(spectrum * doubled, edges, axis=-1))
