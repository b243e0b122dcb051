"""Progress bars on stderr, for work that takes longer than a moment.

They count as messages of level INFO: a bar is hidden if the level of the logger ``tensorspin`` is
set above that, as the option ``--quiet`` of all commands does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

Progress = Callable[[int, int], None]
"""A callback that reports progress: called with the amount done so far and the total amount."""

_LOGGER = logging.getLogger("tensorspin")

_WITHOUT: ContextVar[bool] = ContextVar("without_bars", default=False)

LOG_INTERVAL = 10.0
"""Seconds between two updates of a bar if stderr is not a terminal.

A log file keeps every update as a line of its own, so there are few of them.
"""

_TERMINAL_INTERVAL = 0.1
"""Seconds between two updates of a bar on a terminal, where each overwrites the one before."""


def progress_over(items: Iterable, title: str, unit: str) -> tqdm:
    """Iterate over items while a bar counts them.

    Parameters
    ----------
    items : iterable
        What to iterate over. If it has a length, the bar shows the share done and the time left.
    title : str
        Text before the bar.
    unit : str
        What one item is, in the singular.

    Returns
    -------
    tqdm
        Iterable that gives the items.
    """
    return tqdm(items, desc=title, unit=unit, mininterval=_interval(), disable=_hidden())


@contextmanager
def progress_bar(title: str, unit: str, delay: float = 0.0) -> Iterator[Progress]:
    """Show a bar for as long as the context lasts, and give the callback that moves it.

    Parameters
    ----------
    title : str
        Text before the bar.
    unit : str
        What is counted, in the singular. Bytes (``"B"``) are shown with prefixes: kB, MB.
    delay : float
        Seconds before the bar appears; it is not shown for work that is done by then.

    Yields
    ------
    Progress
        To be called with the amount done so far and the total amount.
    """
    with tqdm(
        desc=title,
        unit=unit,
        unit_scale=unit == "B",
        mininterval=_interval(),
        delay=delay,
        disable=_hidden(),
    ) as bar:

        def advance(done: int, total: int) -> None:
            # tqdm counts increments, whereas the callback tells how much is done in all.
            bar.total = total
            bar.update(done - bar.n)

        yield advance


@contextmanager
def without_bars() -> Iterator[None]:
    """Show no bars from this thread while the context lasts: a server's log has no place for them.

    Examples
    --------
    >>> with without_bars():
    ...     list(progress_over([1, 2], "counting", "number"))
    [1, 2]
    """
    before = _WITHOUT.set(True)
    try:
        yield
    finally:
        _WITHOUT.reset(before)


def _hidden() -> bool:
    if _WITHOUT.get():
        return True
    # The logger's own level counts. Where nobody has set it, it inherits WARNING from Python, which
    # must not hide the bars that an estimator's verbose=True asks for.
    return _LOGGER.level > logging.INFO


def _interval() -> float:
    return _TERMINAL_INTERVAL if sys.stderr.isatty() else LOG_INTERVAL
