"""What is installed."""

from __future__ import annotations

from importlib import metadata

from tensorspin.feasibility.barriers import tooling
from tensorspin.feasibility.barriers.tooling import needed, tooling_barrier


def test_what_is_installed_is_told_with_its_version():
    rows = tooling_barrier("mine").rows
    assert rows["numpy"].value == metadata.version("numpy")
    assert "MB of files" in rows["numpy"].source
    assert rows["sampler that ran"].value == "mine"
    assert rows["bytes on the way to a board"].number > 10


def test_what_is_not_installed_is_told_too(monkeypatch):
    monkeypatch.setattr(tooling, "REMOTE", ("tensorspin-has-no-such-package",))
    found = tooling_barrier(None)
    assert found.rows["tensorspin-has-no-such-package"].value == "not installed"
    assert found.rows["packages on the way to quantum processors"].value == 0
    assert found.rows["sampler that ran"].value == "none"
    assert "not installed: tensorspin-has-no-such-package" in found.words
    assert found.passed


def test_needs_are_followed():
    assert {"scikit-learn", "numpy", "joblib"} <= needed(("scikit_learn",))
    assert needed(("tensorspin-has-no-such-package",)) == set()
