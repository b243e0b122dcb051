"""Measure what the host itself takes, beside the time on a device and on the line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Watch:
    """A watch that stands still while something else than the host computes.

    Examples
    --------
    >>> watch = Watch()
    >>> watch.elsewhere(lambda: "answer")()
    'answer'
    >>> watch.seconds < 1
    True
    """

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._spent = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the start, without the time spent elsewhere."""
        return time.perf_counter() - self._begun - self._spent

    def elsewhere(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Make a function count as time spent elsewhere.

        Parameters
        ----------
        function : callable
            The function.

        Returns
        -------
        callable
            The same function, during whose calls the watch stands still.
        """

        def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._spent += time.perf_counter() - begun

        return timed
