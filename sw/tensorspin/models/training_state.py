"""What an estimator keeps of a training, so that a later one can go on from it.

The fitted tensors would not do: they are scaled, rounded or in another form than training found
them in, and weight decay pulls towards a network that only the first training knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .optimiser import Adam
from .parameters import flattened


@dataclass
class TrainingState:
    """State at the end of a training.

    Parameters
    ----------
    parameters : dict of str to tuple
        The parameters that fix the shapes and the meaning of the tensors, as `flattened` gives
        them.
    tensors : list of ndarray of float32
        The tensors of the network before rounding and scaling.
    rest : list of ndarray of float32
        The tensors towards which weight decay pulls.
    loss_parameters : None or ndarray of float32
        The trained parameters of the loss, if it has any.
    rng : numpy.random.Generator
        Source of the order of the samples and of the noise.
    split_seed : None or int
        Seed of the choice of validation samples, so that a later training with the same data
        validates with samples that the earlier one did not learn. None: none were chosen yet.
    optimiser : None or Adam
        The optimiser, if the training was one part of several.
    """

    parameters: dict[str, tuple[Any, ...]]
    tensors: list[np.ndarray]
    rest: list[np.ndarray]
    loss_parameters: np.ndarray | None
    rng: np.random.Generator
    split_seed: int | None
    optimiser: Adam | None

    def check_unchanged(self, estimator: Any) -> None:
        """Refuse to go on with parameters that ask for another network.

        Parameters
        ----------
        estimator : NetworkEstimator
            Its attributes are compared with `parameters`.

        Raises
        ------
        ValueError
            If a parameter has another value than in the training so far.
        """
        for name, before in self.parameters.items():
            value = getattr(estimator, name)
            if flattened(value) != before:
                old = repr(before[0]) if len(before) == 1 else "as it was"
                new = f", not become {value!r}" if len(flattened(value)) == 1 else ""
                raise ValueError(
                    f"{name} must stay {old} while a training goes on{new}: the tensors of the "
                    "last fit belong to it; fit with warm_start=False to train anew"
                )
