"""Gradient descent on the tensors of a network, whatever the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from .half_chains import Contraction
from .training import REFERENCE_STEPS, Adam, Network, Schedule, _learning_rate


def descend(
    network: Network,
    rest: Network,
    trainable: Network,
    inputs: np.ndarray,
    objective: Callable[[np.ndarray, np.ndarray], tuple[float, Sequence[np.ndarray]]],
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Callable[[Iterable], Iterable] = iter,
) -> list[float]:
    """Minimise a loss in place, with Adam and decoupled weight decay.

    Parameters
    ----------
    network : Network
        Of float32; its arrays are replaced.
    rest : Network
        Where weight decay pulls.
    trainable : Network
        1 for entries that may change, 0 for the padding.
    inputs : float32 array (n_samples, n_sites)
        The scaled feature that each site reads, in [0, 1].
    objective : callable
        Of the inputs of a batch and the indices of its samples. Returns the mean loss of the
        network and its gradients, shaped as ``network.arrays()``; those of the padding are ignored.
    schedule : Schedule
    rng : numpy.random.Generator
    progress : callable
        Wraps the iterable of epochs.

    Returns
    -------
    list of float
        Mean loss of each epoch, taken during training, with noise.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    """
    n_samples = len(inputs)
    parameters, target, mask = (
        np.concatenate([array.ravel() for array in part.arrays()]).astype(np.float32)
        for part in (network, rest, trainable)
    )
    shapes = [array.shape for array in network.arrays()]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    # Views: the network follows the parameters.
    network.replace_arrays(
        [part.reshape(shape) for part, shape in zip(np.split(parameters, ends[:-1]), shapes)]
    )
    shares = mask.copy()
    shares[: ends[-2]] *= min(1.0, REFERENCE_STEPS / network.n_steps)
    # Python's numbers: NumPy scalars of 64 bits would widen the float32 arrays.
    decay, input_noise = float(schedule.weight_decay), float(schedule.input_noise)
    optimiser = Adam(parameters)

    n_updates = schedule.epochs * -(-n_samples // schedule.batch_size)
    update = 0
    loss_curve = []
    for epoch in progress(range(schedule.epochs)):
        order = rng.permutation(n_samples)
        total = 0.0
        for start in range(0, n_samples, schedule.batch_size):
            chosen = order[start : start + schedule.batch_size]
            batch = inputs[chosen]
            if input_noise:
                noise = rng.standard_normal(batch.shape, dtype=np.float32)
                batch = np.clip(batch + input_noise * noise, 0, 1)
            loss, gradients = objective(batch, chosen)
            total += loss * len(chosen)
            gradient = mask * np.concatenate([part.ravel() for part in gradients])
            update += 1
            rate = _learning_rate(schedule.learning_rate, update / n_updates)
            step = optimiser.direction(gradient) + decay * (parameters - target)
            parameters -= rate * shares * step
        if not math.isfinite(total):
            raise FloatingPointError(
                f"training diverged: the loss of epoch {epoch + 1} is {total / n_samples}; lower "
                f"the learning rate, now {schedule.learning_rate:g}"
            )
        loss_curve.append(total / n_samples)
    return loss_curve


def log_norms(contraction: Contraction) -> np.ndarray:
    """Natural logarithm of what `contract` divided out of each sample's scores.

    The network's own scores are ``scores * exp(log_norms)``. Gradients hold the norms constant,
    which is exact for a loss of the network's own scores too: multiplied back in, they cancel.

    Returns
    -------
    array (batch,)
    """
    return sum(np.log(norm).sum(axis=(0, 1)) for norm in contraction.norms.values())
