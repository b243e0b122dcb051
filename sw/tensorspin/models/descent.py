"""Gradient descent on the tensors of a network, in pure NumPy, whatever the network and the loss.

All tensors are trained at once, by backpropagation through the whole network. The sweeping
algorithm of Stoudenmire and Schwab, arXiv:1605.05775, trains one pair of sites after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from ..compiler.quantise import weight_steps
from .kernel.switch import usable_threads
from .optimiser import Adam, Pace, Schedule, half_cosine

REFERENCE_STEPS = 32
"""Number of tensors in a row up to which each may take full steps.

The changes of all tensors between a feature and the scores add up in the scores, so that in deeper
networks each tensor takes steps smaller by the factor REFERENCE_STEPS / depth."""


class Contraction(Protocol):
    """What a network's forward pass returns, as far as a loss needs it."""

    scores: np.ndarray
    """Scores of a batch, ndarray of float32 of shape (n_outputs, batch)."""


class Network(Protocol):
    """What `descend` needs of a network: `HalfChains` and `TreeNetwork` have it.

    The last two axes of each array are a node's outputs and the products that they sum up; the axes
    before them count nodes.
    """

    arrays: list[np.ndarray]
    """The trained arrays; the last is the tensor with the outputs."""

    n_steps: int
    """Number of tensors on one side of the last one, whose changes add up."""

    n_exact: int
    """Number of arrays, the first ones, that are no weights of a program and are never rounded."""

    threads: int
    """Number of threads that may contract the network; `descend` sets it."""

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Map scaled inputs of shape (batch, n_sites) to feature vectors."""

    def contract(self, features: np.ndarray) -> Contraction:
        """Compute the scores of a batch, each sample's up to one positive factor."""

    def gradients(self, contraction: Any, score_gradient: np.ndarray) -> Sequence[np.ndarray]:
        """Compute the gradients of `arrays` from that of the scores.

        `contraction` is the very object that `contract` returned. Entries of the gradients that
        belong to padding are ignored.
        """

    def unpack(self, arrays: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """Return the tensors of the network, or of other such arrays, without their padding."""


N = TypeVar("N", bound=Network, contravariant=True)
M = TypeVar("M", bound=Network)


class Loss(Protocol[N]):
    """A loss function: how far a network is from what it should compute. `descend` minimises it."""

    @property
    def parameters(self) -> np.ndarray | None:
        """Parameters of the loss that are trained with the network, in place; or None.

        An ndarray of float32 of one axis. Weight decay does not act on it.
        """

    def __call__(
        self, network: N, contraction: Any, chosen: np.ndarray
    ) -> tuple[float, Sequence[np.ndarray]]:
        """Compute the mean loss of a contracted batch, and its gradients.

        Parameters
        ----------
        network : Network
            The network that is trained.
        contraction : Contraction
            What ``network.contract`` returned for the batch.
        chosen : ndarray of int of shape (batch,)
            Indices of the batch's samples in the training data.

        Returns
        -------
        loss : float
            Mean over the batch.
        gradients : sequence of ndarray
            Gradients of ``network.arrays``, and then that of `parameters` if there are any.
        """


class Watch(Protocol):
    """Judges a network after each epoch: `tensorspin.models.early_stopping.EarlyStopping`."""

    patience: int
    """Number of epochs without an improvement after which the training comes to its end; it ends
    with as many epochs in which the learning rate falls to zero."""

    @property
    def finished(self) -> bool:
        """Whether that many epochs have passed."""

    def begin(self, network: Any) -> None:
        """Judge the network that the training starts from."""

    def improves(self, network: Any) -> bool:
        """Tell whether the network of an epoch is better than all before it."""


@dataclass(frozen=True)
class Descent:
    """What `descend` returns.

    Parameters
    ----------
    loss_curve : list of float
        Mean loss of each epoch. It is taken during training, on augmented samples.
    arrays : list of ndarray of float32
        The trained arrays of the network before they were rounded: from them a training goes on.
    """

    loss_curve: list[float]
    arrays: list[np.ndarray]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a divergence is reported below
def descend(
    network: M,
    rest: Network,
    trainable: Network,
    inputs: np.ndarray,
    feature_map: Callable[[np.ndarray], np.ndarray],
    loss: Loss[M],
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
    watch: Watch | None = None,
    optimiser: Adam | None = None,
) -> Descent:
    """Minimise a loss in place, with Adam and decoupled weight decay.

    The learning rate rises over the first updates and falls along a half cosine to zero. Weight
    decay (Loshchilov and Hutter, arXiv:1711.05101) pulls towards ``rest`` rather than towards zero:
    a core of near-identity matrices at rest passes a vector on, a core of zeros would destroy it.

    With ``schedule.weight_bits`` the training is aware of the quantisation: the network is always
    contracted with rounded tensors, and their gradients change the tensors before the rounding (the
    straight-through estimator of Bengio et al., arXiv:1308.3432).

    Parameters
    ----------
    network : Network
        The network to train, of float32. Its arrays are replaced, by rounded ones if the schedule
        asks for that.
    rest : Network
        The network towards which weight decay pulls.
    trainable : Network
        1 for entries that may change, 0 for fixed ones and for padding.
    inputs : ndarray of float32 of shape (n_samples, n_sites)
        The scaled feature that each site reads, in [0, 1].
    feature_map : callable
        Maps an array of scaled features to an array with one further axis, the components.
    loss : Loss
        What to minimise. Its parameters are trained too.
    schedule : Schedule
        Number of epochs, size of the steps and so on.
    rng : numpy.random.Generator
        Source of the order of the samples and of the augmentation.
    progress : callable
        Wraps the iterable of epochs, for a progress bar.
    watch : Watch, optional
        Judges the network before the first epoch and after each. As soon as the watch says so, the
        learning rate falls to zero, and the training ends. The network ends as the best one.
    optimiser : Adam, optional
        The optimiser of the part of the training before this one; by default a new one.

    Returns
    -------
    Descent
        The losses, and the arrays as they were before the rounding.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    """
    n_samples = len(inputs)
    shapes = [array.shape for array in network.arrays]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    beside = np.zeros(0, dtype=np.float32) if loss.parameters is None else loss.parameters
    parameters, target, mask = (
        np.concatenate([*(array.ravel() for array in part.arrays), last]).astype(np.float32)
        for part, last in (
            (network, beside),
            (rest, np.zeros_like(beside)),
            (trainable, np.ones_like(beside)),
        )
    )
    # Views of one vector: an update of the parameters is an update of the tensors.
    *tensors, trained_beside = np.split(parameters, ends)
    tensors = [part.reshape(shape) for part, shape in zip(tensors, shapes)]
    rounded = tensors
    if schedule.weight_bits is not None:
        exact, weights = tensors[: network.n_exact], tensors[network.n_exact :]
        rounded = exact + [round_nodes(tensor, schedule.weight_bits) for tensor in weights]
    network.arrays = rounded
    network.threads = usable_threads(min(schedule.batch_size, n_samples) * int(ends[-1]))
    # The last tensor's change reaches the scores alone, so it always takes full steps, and so do
    # the parameters of the loss, on which weight decay does not act.
    inner = len(shapes) - 1
    share = min(1.0, REFERENCE_STEPS / network.n_steps)
    # float() makes a number of Python: NumPy scalars of 64 bits would widen the float32 arrays.
    decay = float(schedule.weight_decay)
    pace = Pace(
        sizes=[*map(math.prod, shapes), beside.size],
        shares=[share] * inner + [1.0, 1.0],
        decays=[decay] * len(shapes) + [0.0],
        mask=mask,
        target=target,
    )
    optimiser = Adam() if optimiser is None else optimiser
    updates_before = optimiser.updates

    def follow() -> None:
        # The loss and the rounded tensors have arrays of their own.
        beside[...] = trained_beside
        if schedule.weight_bits is not None:
            for values, tensor in zip(rounded[network.n_exact :], weights):
                round_nodes(tensor, schedule.weight_bits, out=values)

    best = None
    if watch is not None:
        watch.begin(network)
        best = parameters.copy()
    n_updates = schedule.epochs * -(-n_samples // schedule.batch_size)
    update = 0
    last_epoch = schedule.epochs - 1
    cooling: range | None = None  # the updates in which the rate falls because of the watch
    loss_curve = []
    for epoch in progress(range(schedule.epochs)):
        order = rng.permutation(n_samples)
        total = 0.0
        for start in range(0, n_samples, schedule.batch_size):
            chosen = order[start : start + schedule.batch_size]
            batch = schedule.augmentation(inputs[chosen], rng)
            contraction = network.contract(network.encode(batch, feature_map))
            batch_loss, gradients = loss(network, contraction, chosen)
            total += batch_loss * len(chosen)
            update += 1
            rate = schedule.rate(update, n_updates, updates_before)
            if cooling is not None:
                rate *= half_cosine((update - cooling.start) / len(cooling))
            optimiser.step(parameters, gradients, rate, pace)
            follow()
        if not math.isfinite(total):
            raise FloatingPointError(
                f"training diverged: the loss of epoch {epoch + 1} is {total / n_samples}; lower "
                f"the learning rate, now {schedule.learning_rate:g}, or a great weight decay, now "
                f"{schedule.weight_decay:g}"
            )
        loss_curve.append(total / n_samples)
        if watch is not None:
            if watch.improves(network):
                best = parameters.copy()
            if watch.finished and cooling is None:
                # At a high rate a network is never quite settled: a falling rate gains accuracy in
                # a few epochs.
                last_epoch = min(epoch + watch.patience, last_epoch)
                per_epoch = n_updates // schedule.epochs
                cooling = range(update, update + (last_epoch - epoch) * per_epoch)
            if epoch == last_epoch:
                break
    if best is not None:
        parameters[...] = best
        follow()
    return Descent(loss_curve, tensors)


def round_nodes(tensors: np.ndarray, bits: int, out: np.ndarray | None = None) -> np.ndarray:
    """Round the tensors of nodes as the compiler will, but keep their scale.

    Parameters
    ----------
    tensors : ndarray of float of shape (..., outputs, products)
        The tensors of one or many nodes. Each node has its own step size; zeros that pad a node to
        the shape of others have no influence on it.
    bits : int
        Number of bits of a weight, 4 or 8.
    out : ndarray of float, optional
        Where to put the result; of the shape of `tensors`.

    Returns
    -------
    ndarray of float
        The rounded tensors, in the shape of `tensors`: multiples of each node's step size.
    """
    steps = weight_steps(tensors.reshape(-1, *tensors.shape[-2:]), bits)
    steps = steps.reshape(*tensors.shape[:-2], 1, 1)
    out = np.divide(tensors, steps, out=out)
    np.rint(out, out=out)
    return np.multiply(out, steps, out=out)
