"""Train an `MPSLayer` of TensorKrowch, as its first tutorial does.

These are the tutorial's: the initialisation (``randn_eye`` with a standard deviation of 1e-9, and a
feature vector that begins with 1), Adam, cross entropy, the memory modes for training, and tracing.
The tutorial's learning rate is meant for many more steps. Of 3e-4, 1e-3 and 3e-3, the rate used
here, 1e-3, reached the highest accuracy on digits.
"""

from __future__ import annotations

import sys
import time

import tensorkrowch
import torch

from . import training

LEARNING_RATE = 1e-3
"""Learning rate of the optimiser Adam: about the change of a parameter in one update."""

DEGREE = 1
"""Degree of the polynomial feature map: (1, x), two components as in Tensorspin's networks."""


def main() -> None:
    """Train on the task with TensorKrowch, and write the answer."""
    task = training.begin()
    torch.set_num_threads(1)
    torch.manual_seed(task.seed)
    X, y, X_test, y_test = task.arrays()
    X, X_test, labels = torch.tensor(X), torch.tensor(X_test), torch.tensor(y).long()

    def embed(x):
        return tensorkrowch.embeddings.poly(x, degree=DEGREE)

    n_features = X.shape[1]
    model = tensorkrowch.models.MPSLayer(
        n_features=n_features + 1,
        in_dim=DEGREE + 1,
        out_dim=int(y.max()) + 1,
        bond_dim=task.bond_dim,
        init_method="randn_eye",
        std=1e-9,
    )
    # The tutorial's memory modes: faster while training, slower while predicting.
    model.auto_stack, model.auto_unbind = True, False
    model.trace(torch.zeros(1, n_features, DEGREE + 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    loss_function = torch.nn.CrossEntropyLoss()
    seconds = []
    for epoch in range(task.epochs):
        started = time.perf_counter()
        for chosen in torch.randperm(len(X)).split(task.batch_size):
            loss = loss_function(model(embed(X[chosen])), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        seconds.append(time.perf_counter() - started)
        print(f"tensorkrowch: epoch {epoch + 1} of {task.epochs}", end="\r", file=sys.stderr)
    print(file=sys.stderr)
    with torch.no_grad():
        scores = model(embed(X_test)).numpy()
    versions = {"tensorkrowch": tensorkrowch.__version__, "torch": torch.__version__}
    training.finish(seconds, scores, y_test, versions)


if __name__ == "__main__":
    main()
