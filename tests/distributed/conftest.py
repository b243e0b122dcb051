"""These tests need the extra ``distributed``, which `make test-cluster` installs."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from tensorspin import MPSClassifier

from ..support.clusters import PATHS, local_cluster

# `make test-cluster` always has the packages, and fails if it collects nothing; everything else
# runs without them.
collect_ignore_glob = [] if find_spec("distributed") else ["test_*.py"]


@pytest.fixture(scope="session")
def trained():
    """A classifier and samples, more than one piece of them."""
    X = np.random.default_rng(0).random((100, 4))
    model = MPSClassifier(bond_dim=2, epochs=2, random_state=0).fit(X, X[:, 0] > X[:, 1])
    return model.quantize(), np.random.default_rng(1).random((700, 4))


@pytest.fixture(scope="module")
def in_threads():
    """A client of a cluster in this process, which begins at once."""
    from distributed import Client

    with local_cluster() as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def in_processes(monkeypatch):
    """A client of a cluster of processes, which can be killed."""
    from distributed import Client

    monkeypatch.setenv("PYTHONPATH", PATHS)
    with local_cluster(processes=True) as cluster, Client(cluster) as client:
        yield client
