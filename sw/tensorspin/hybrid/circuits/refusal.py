"""Why only Born machines are circuits, with the number that decides it."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ...compiler.network_program import NetworkProgram
from ...models.base import NetworkEstimator
from .unit_network import task_of, unit_network


def post_selection_probability(model: Any, X: Any) -> np.ndarray:
    """Compute how often a quantum processor could answer with a classifier's or regressor's score.

    A network with several outputs, or with one that has a sign, is a state too; but a processor
    learns an output only in those shots in which all features' qubits are measured as 0. Vectors
    have the components of the feature map. In components that are orthonormal over the levels, as
    those of `born_circuit`, the probability is mostly lower still.

    Parameters
    ----------
    model : estimator, BoardEstimator, Pipeline, NetworkProgram, str or Path
        A fitted classifier, regressor or detector, its program or the file with it.
    X : array-like of shape (n_samples, n_features)
        Samples as the model takes them.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
        Probability that a shot counts. A label takes at least 1 / this many shots.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.hybrid import post_selection_probability
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MPSClassifier(bond_dim=4, epochs=20, random_state=0).fit(X, y)
    >>> bool(np.median(post_selection_probability(classifier, X)) < 0.5)
    True
    """
    network = unit_network(model, own_components=True)
    return network.probabilities(network.encode(X)[0]).sum(axis=1)


def refuse(model: NetworkEstimator | NetworkProgram) -> NoReturn:
    """Refuse a model that is no Born machine.

    Parameters
    ----------
    model : NetworkEstimator or NetworkProgram
        A classifier or a regressor.

    Raises
    ------
    TypeError
        Always. The message has the probability of an answer where training samples are known.
    """
    known = getattr(model, "_levels_to_round_for", None)
    chance = ""
    if known is not None and len(known):
        network = unit_network(model, own_components=True)
        share = float(np.median(network.probabilities(known[:, network.read]).sum(axis=1)))
        chance = (
            f", which for this network has a probability of {share:.2g} (median of its samples)"
        )
    raise TypeError(
        f"a circuit needs a detector, whose likelihood is a probability, not a model for "
        f"{type(task_of(model)).__name__}: a processor would give a score only if all features' "
        f"qubits are measured as 0{chance}, and without its sign; train an MPSAnomalyDetector, or "
        f"one for each class with born_circuits_per_class; post_selection_probability tells this "
        f"probability for any samples"
    )
