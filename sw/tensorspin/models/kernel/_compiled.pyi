"""Types of the compiled module; arrays are C-contiguous, of float32; integers are of intc."""

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
def log_partition(
    weights: np.ndarray,
    label: np.ndarray,
    depths: np.ndarray,
    weight_gradient: np.ndarray,
    label_gradient: np.ndarray,
    /,
) -> float: ...
def contract_tree(
    arrays: tuple[np.ndarray, ...],
    table: np.ndarray,
    features: np.ndarray,
    vectors: np.ndarray,
    norms: np.ndarray,
    scores: np.ndarray,
    threads: int,
    /,
) -> None: ...
def tree_gradients(
    arrays: tuple[np.ndarray, ...],
    table: np.ndarray,
    features: np.ndarray,
    vectors: np.ndarray,
    norms: np.ndarray,
    score_gradient: np.ndarray,
    gradients: tuple[np.ndarray, ...],
    threads: int,
    /,
) -> None: ...
def bernstein(inputs: np.ndarray, sites: np.ndarray, features: np.ndarray, /) -> None: ...
def cross_entropy(
    scores: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None,
    gradient: np.ndarray,
    temperature: float,
    smoothing: float,
    /,
) -> tuple[float, float]: ...
def update(
    parameters: np.ndarray,
    gradient: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    target: np.ndarray,
    mask: np.ndarray,
    start: int,
    fresh_first: float,
    fresh_second: float,
    first_factor: float,
    second_factor: float,
    epsilon: float,
    step: float,
    pull: float,
    /,
) -> None: ...
def instructions() -> str: ...
def use_instructions(name: str, /) -> bool: ...
def prepare_worker() -> bool: ...
def forget_worker() -> None: ...
