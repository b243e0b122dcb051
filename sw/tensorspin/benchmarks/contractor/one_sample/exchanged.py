"""Fitted models of scikit-learn in ONNX Runtime, if the extra ``onnx`` is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np


def onnx_call(estimator: Any, X: np.ndarray) -> Callable[[np.ndarray], object] | None:
    """Convert a fitted model.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier.
    X : ndarray of float64 of shape (n_samples, n_features)
        Samples of the kind that it takes.

    Returns
    -------
    callable or None
        Predicts samples of float32 on one core; None if the packages are not installed or the
        model cannot be converted.
    """
    if not all(importlib.util.find_spec(name) for name in ("onnxruntime", "skl2onnx")):
        return None
    import onnxruntime
    import skl2onnx

    try:
        options = {"zipmap": False}
        model = skl2onnx.to_onnx(estimator, X[:1].astype(np.float32), options=options)
    except Exception:  # of many kinds, for models that skl2onnx does not know
        return None
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    return lambda samples: session.run(None, {name: samples})
