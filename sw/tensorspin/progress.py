"""Progress of what takes time, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""

LOG_INTERVAL = 10.0
"""Seconds between two lines where stderr is a file and each is kept."""


def progress_over(items: Iterable, title: str, unit: str) -> tqdm:
    """The items, with a bar that counts them.

    Parameters
    ----------
    items : iterable
    title, unit : str
    """
    return tqdm(items, desc=title, unit=unit, mininterval=_interval())


@contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Progress]:
    """A bar that is fed by the callback that it gives.

    Parameters
    ----------
    title, unit : str
        Bytes (``"B"``) get prefixes.
    """
    with tqdm(desc=title, unit=unit, unit_scale=unit == "B", mininterval=_interval()) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def _interval() -> float:
    return 0.1 if sys.stderr.isatty() else LOG_INTERVAL
