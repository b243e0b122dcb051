"""How much features depend on each other, and how far a detector follows that."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models.dependence import decay_for, dependence


@pytest.mark.parametrize("shape", [(30, 20), (1000, 5), (1000, 64), (9000, 12)])
@pytest.mark.parametrize("draw", ["random", "standard_normal", "exponential"])
def test_independent_features_are_known_as_such(shape, draw):
    rng = np.random.default_rng(0)
    X = rng.exponential(size=shape) if draw == "exponential" else getattr(rng, draw)(shape)
    assert 0.5 < dependence(X) < 1.6


def test_dependent_features_are_known_as_such():
    rng = np.random.default_rng(0)
    base = rng.standard_normal((200, 1))
    assert dependence(base + rng.standard_normal((200, 10))) > 10
    angle = rng.uniform(0, 2 * np.pi, 200)
    ring = np.c_[np.cos(angle), np.sin(angle)]
    assert dependence(ring) > 10  # without any linear correlation
    assert dependence(np.c_[base, base**2]) > 10


@pytest.mark.filterwarnings("error")
def test_odd_tables_have_a_dependence():
    assert dependence(np.ones((9, 4))) == 0
    assert dependence(np.random.default_rng(0).random((9, 1))) == 0
    assert dependence(np.zeros((1, 3))) == 0
    bits = np.tile([[0.0, 1.0], [1.0, 0.0]], (50, 1))
    assert dependence(bits) == pytest.approx(100)
    gaps = bits.copy()
    gaps[::7] = np.nan
    assert np.isfinite(dependence(gaps))


def test_the_decay_falls_as_dependence_rises():
    decays = [decay_for(measured) for measured in np.linspace(0, 9, 50)]
    assert decays[0] == 30 and decays[-1] == pytest.approx(0.3)
    assert all(later <= earlier for earlier, later in zip(decays, decays[1:]))
