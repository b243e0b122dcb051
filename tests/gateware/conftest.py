"""Settings of the gateware's tests."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def forget_refused_components():
    """What a constructor refuses is never elaborated; Amaranth should not complain at exit."""
    yield
    gc.collect()
