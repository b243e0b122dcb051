"""Train an MPS classifier of tn4ml, as its example of MNIST classification does.

These are the example's: the initialisation (normal with a standard deviation of 1e-2 around the
identity, and a feature vector that begins with 1), Adam with a learning rate of 1e-3, and softmax
cross entropy. Two things are left out, both in tn4ml's favour: the example computes in float64, and
brings the network to canonical form after each step, which takes half as long again and hardly
changes the accuracy on digits.
"""

from __future__ import annotations

import os
from importlib.metadata import version

# jax reads these flags when it is imported: one thread, as the other libraries have.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np
import optax
from tn4ml.embeddings import PolynomialEmbedding
from tn4ml.initializers import randn
from tn4ml.metrics import OptaxWrapper
from tn4ml.models.mps import MPS_initialize
from tn4ml.util import TrainingType, integer_to_one_hot

from . import training

LEARNING_RATE = 1e-3
"""Learning rate of the optimiser Adam: about the change of a parameter in one update."""

DEGREE = 1
"""Degree of the polynomial feature map: (1, x), two components as in Tensorspin's networks."""


def cross_entropy(*arguments, **options):
    """Return the mean softmax cross entropy of a batch."""
    return OptaxWrapper(optax.softmax_cross_entropy)(*arguments, **options).mean()


def main() -> None:
    """Train on the task with tn4ml, and write the answer."""
    task = training.begin()
    X, y, X_test, y_test = task.arrays()
    n_features, n_classes = X.shape[1], int(y.max()) + 1
    middle = n_features // 2
    model = MPS_initialize(
        n_features,
        initializer=randn(1e-2),
        key=jax.random.key(task.seed),
        shape_method="noteven",
        bond_dim=task.bond_dim,
        phys_dim=DEGREE + 1,
        add_identity=True,
        class_dim=n_classes,
        class_index=middle,
        canonical_center=middle,
        boundary="obc",
        dtype=jnp.float32,
    )
    model.configure(
        optimizer=optax.adam,
        strategy="global",
        loss=cross_entropy,
        train_type=TrainingType.SUPERVISED,
        learning_rate=LEARNING_RATE,
        device=("cpu", 0),
    )
    embedding = PolynomialEmbedding(degree=DEGREE, n=1, include_bias=True)
    history = model.train(
        X,
        targets=np.asarray(integer_to_one_hot(y, n_classes)),
        epochs=task.epochs,
        batch_size=task.batch_size,
        embedding=embedding,
        shuffle=True,
        seed=task.seed,
        dtype=jnp.float32,
    )
    scores = model.forward(X_test, embedding, batch_size=len(X_test), dtype=jnp.float32)
    versions = {name: version(name) for name in ("tn4ml", "jax", "quimb")}
    training.finish(history["epoch_time"], np.asarray(scores), y_test, versions)


if __name__ == "__main__":
    main()
