"""What the tests of the compiled training kernel share."""

from __future__ import annotations

import os

import pytest

from tensorspin.models import kernel
from tensorspin.models.kernel import switch

COMPILED = [name for name in kernel.available() if name != "numpy"]
"""Sets of instructions that this computer has; none if the kernel was not compiled."""

needs_compiled = pytest.mark.skipif(
    not COMPILED, reason="the kernel was not compiled: install Tensorspin with a C compiler"
)


def two_threads(monkeypatch):
    """Use two threads, however few samples there are and whatever limits NumPy."""
    monkeypatch.setattr(switch, "THREAD_WORK", 0)
    monkeypatch.setattr(switch, "threadpool_info", lambda: [{"num_threads": 2}])
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert switch.usable_threads(1) == 2
