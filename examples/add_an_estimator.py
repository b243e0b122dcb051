"""Write a new estimator: a regressor that predicts a bound instead of the mean.

    python examples/add_an_estimator.py [URL of a board]

`MPSRegressor` predicts what a target is on average. Often a bound is more useful: the value below
which nine of ten targets stay. Only the loss differs, so the new estimator inherits everything else
from `MPSRegressor`: the network, its first guess, the training, quantisation and the board.
"""

import sys
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from tensorspin import MPSRegressor
from tensorspin.models.contraction import log_norms

URL = "golden://icebreaker"


@dataclass
class PinballLoss:
    """Mean loss whose minimum is a quantile of the targets.

    A target above the prediction costs `quantile` times the distance, a target below it
    ``1 - quantile`` times. Both balance when a share `quantile` of the targets lies below.

    Parameters
    ----------
    targets : ndarray of float64 of shape (n_samples,)
        The standardised target of each training sample.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each training sample, of mean 1; None: all are 1.
    quantile : float
        Between 0 and 1.
    """

    targets: np.ndarray
    weights: np.ndarray | None
    quantile: float
    parameters: None = None
    """A loss may have parameters that are trained with the network; this one has none."""

    def __call__(self, network, contraction, chosen):
        """Return the loss of a batch and the gradients of the network's tensors.

        The network keeps its scores in a range that float32 can hold and returns the logarithm of
        what it has divided out. A regressor needs the true scale, so it is multiplied in again.
        """
        scale = np.exp(log_norms(contraction))
        above = self.targets[chosen] - contraction.scores[0] * scale
        slope = np.where(above > 0, -self.quantile, 1 - self.quantile)
        if self.weights is not None:
            slope = slope * self.weights[chosen]
        score_gradient = slope * scale / len(chosen)
        gradients = network.gradients(contraction, score_gradient[None].astype(np.float32))
        return float(np.mean(-slope * above)), gradients


class MPSQuantileRegressor(MPSRegressor):
    """Matrix product state that predicts a quantile of the target.

    scikit-learn reads the parameters from this signature, so all that a user may set are listed.
    """

    def __init__(self, quantile=0.9, *, bond_dim=8, epochs=100, random_state=None):
        super().__init__(bond_dim, epochs=epochs, random_state=random_state)
        self.quantile = quantile

    def _loss(self, samples):
        """Choose the loss; `MPSRegressor` standardises the targets."""
        squared_error = super()._loss(samples)
        return PinballLoss(squared_error.targets, squared_error.weights, self.quantile)


def main(url: str) -> None:
    """Train both regressors, and count on a board how many targets lie below their predictions."""
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
    for estimator in (
        MPSRegressor(random_state=0),
        MPSQuantileRegressor(0.5, random_state=0),
        MPSQuantileRegressor(0.9, random_state=0),
    ):
        with estimator.fit(X_train, y_train).deploy(url) as on_board:
            below = np.mean(y_test <= on_board.predict(X_test))
        print(f"{estimator}: {below:.0%} of the targets lie below the prediction")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else URL)
