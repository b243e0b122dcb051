"""Types of the compiled module; arrays are C-contiguous, of float32 but for `depths`, of intc."""

import numpy as np

ALIGNMENT: int

def contract(
    weights: np.ndarray,
    label: np.ndarray,
    depths: np.ndarray,
    features: np.ndarray,
    vectors: np.ndarray,
    norms: np.ndarray,
    scores: np.ndarray,
    interval: int,
    threads: int,
    /,
) -> None: ...
def gradients(
    weights: np.ndarray,
    label: np.ndarray,
    depths: np.ndarray,
    features: np.ndarray,
    vectors: np.ndarray,
    norms: np.ndarray,
    score_gradient: np.ndarray,
    weight_gradient: np.ndarray,
    label_gradient: np.ndarray,
    interval: int,
    threads: int,
    /,
) -> None: ...
def instructions() -> str: ...
def use_instructions(name: str, /) -> bool: ...
def prepare_worker() -> bool: ...
def forget_worker() -> None: ...
