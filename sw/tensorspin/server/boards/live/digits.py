"""Handwritten digits for the live page: a network that is trained when it is first asked for."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import Any

import numpy as np

from ....driver.board import Board
from ....models.entanglement import entanglement_entropy

_EXAMPLES = 20
"""Held-out images that the page may show."""


class Digits:
    """A classifier of handwritten digits, and how it takes a drawing.

    Its training takes a second or two, and is done once, by whichever thread comes first.

    Parameters
    ----------
    bond_dim : int, default=8
        Bond dimension of the network.
    epochs : int, default=20
        Passes over the training data.
    """

    def __init__(self, bond_dim: int = 8, epochs: int = 20) -> None:
        self._bond_dim = bond_dim
        self._epochs = epochs
        self._lock = threading.Lock()

    @cached_property
    def _trained(self) -> Any:
        from ....data.datasets import load_dataset
        from ....models import MPSClassifier

        data = load_dataset("digits")
        model = MPSClassifier(
            self._bond_dim, feature_range=data.feature_range, epochs=self._epochs, random_state=0
        ).fit(data.X_train, data.y_train)
        accuracy = float(model.score(data.X_test, data.y_test))
        return model, model.quantize(), accuracy, data.X_test[:_EXAMPLES]

    def _ready(self) -> Any:
        with self._lock:
            return self._trained

    def examples(self) -> list[list[int]]:
        """Give images that the network was not trained with.

        Returns
        -------
        list of list of int
            The ink of each pixel, 0 to `INK`, row by row.
        """
        return self._ready()[3].astype(int).tolist()

    def classify(self, board: Board, pixels: np.ndarray) -> dict[str, Any]:
        """Classify a drawing on a board.

        Parameters
        ----------
        board : Board
            A board with a contractor.
        pixels : ndarray of float of shape (SIDE * SIDE,)
            Ink of each pixel, 0 to `INK`.

        Returns
        -------
        dict
            The board's scores and its class, the shares that the scores stand for, and its cycles,
            which are exact; `entanglement` of the drawing, as JSON has them.

        Raises
        ------
        CapacityError
            If the board does not hold the network.
        TensorspinError
            If the board is lost, or not free in time.
        """
        from ....models import BoardClassifier

        _, program, accuracy, _ = self._ready()
        deployed = BoardClassifier(program, board)
        image = pixels[np.newaxis]
        with board.exclusive():
            shares = deployed.predict_proba(image)[0]
            run = deployed.last_run_
        cycles = int(run.cycles[0])
        return {
            "digit": int(program.classes[run.classes[0]]),
            "scores": run.scores[0].tolist(),
            "shares": shares.round(6).tolist(),
            "cycles": cycles,
            "clock_hz": board.info.clock_hz,
            "seconds": cycles / board.info.clock_hz,
            "accuracy": accuracy,
            **self.entanglement(pixels),
        }

    def entanglement(self, pixels: np.ndarray) -> dict[str, list[float]]:
        """Compute what the pixels without ink still share with the others.

        A pixel with ink is read: its site is contracted with the features of that ink, and shares
        nothing any more. The other sites stay open, as if nobody had looked at them.

        Parameters
        ----------
        pixels : ndarray of float of shape (SIDE * SIDE,)
            Ink of each pixel.

        Returns
        -------
        dict of str to list of float
            ``entanglement`` of the drawing and ``entanglement_before`` of the network alone: bits
            at the bond of each site, in the order of the chain, computed on the host.
        """
        model, program, _, _ = self._ready()
        levels = program.encode(pixels[np.newaxis])[0]
        table = program.table.astype(float)
        cores = [
            np.einsum("lpr,p->lr", core, table[:, level])[:, np.newaxis] if ink else core
            for core, level, ink in zip(model.cores_, levels, pixels > 0)
        ]
        left = entanglement_entropy(cores, model.label_tensor_, model.label_position_)
        return {
            "entanglement": left.round(6).tolist(),
            "entanglement_before": self._before.round(6).tolist(),
        }

    @cached_property
    def _before(self) -> np.ndarray:
        return self._ready()[0].entanglement_entropy()
