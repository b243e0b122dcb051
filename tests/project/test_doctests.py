"""Examples in docstrings give what they say."""

import doctest
import importlib
import pkgutil
import warnings

import pytest

import tensorspin

SCRIPTS = ".peers."
"""Benchmarks' scripts for other libraries, which need not be installed."""

with warnings.catch_warnings():
    MODULES = [
        module.name
        for module in pkgutil.walk_packages(tensorspin.__path__, "tensorspin.")
        if SCRIPTS not in module.name and not module.name.endswith("__main__")
    ]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert not failed
