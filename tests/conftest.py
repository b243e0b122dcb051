"""Settings that all tests share."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a failure that one person sees, everybody sees.
settings.register_profile("tensorspin", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("tensorspin")

# Shells start what they run in the background with SIGINT ignored, and all processes inherit that.
# Then commands that a test ends with Ctrl-C would run for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST_FIRST = ("gateware", "formal", "build", "driver", "project", "sampling", "golden")
"""Folders whose files take longest. They are begun first: with tests on several cores, a long file
at the end would keep one core busy while the others have nothing left to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in the order in which they should begin, and give long ones all time.

    Within a folder the order stays.
    """
    root = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(root).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)
    for item in items:
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(0))
