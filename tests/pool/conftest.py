from __future__ import annotations

import numpy as np
import pytest

from tensorspin import MPSClassifier
from tensorspin.driver.pool import member


@pytest.fixture(scope="session")
def trained():
    """A classifier and samples, more than one piece of them."""
    X = np.random.default_rng(0).random((100, 4))
    model = MPSClassifier(bond_dim=2, epochs=2, random_state=0).fit(X, X[:, 0] > X[:, 1])
    return model.quantize(), np.random.default_rng(1).random((700, 4))


@pytest.fixture
def no_pauses(monkeypatch):
    """Boards that have failed are tried again almost at once."""
    monkeypatch.setattr(member, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(member, "LONGEST_PAUSE", 0.05)


@pytest.fixture
def long_pauses(monkeypatch):
    """Boards that have failed are left alone, however long the test takes."""
    monkeypatch.setattr(member, "FIRST_PAUSE", 1000.0)
    monkeypatch.setattr(member, "LONGEST_PAUSE", 1000.0)
