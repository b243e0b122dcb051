"""How a user ends a run that goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import InterruptedRunError

ASK_SECONDS = 0.1
"""Seconds of the computer's clock between two questions whether a run should end. A shorter run is
never cut off, as its results come as soon."""


class Interruption:
    """Asks the user's function, while a run goes on, whether it should end.

    Parameters
    ----------
    function : callable or None
        The function, which returns True if so; None never ends a run.
    """

    def __init__(self, function: Callable[[], bool] | None) -> None:
        self._function = function
        self._asked = time.perf_counter()

    @property
    def check(self) -> Callable[[], None] | None:
        """What to call now and then; None if there is nobody to be asked."""
        return None if self._function is None else self._check

    def _check(self) -> None:
        now = time.perf_counter()
        if self._function is None or now - self._asked < ASK_SECONDS:
            return
        self._asked = now
        if self._function():
            raise InterruptedRunError("the run was interrupted before its end")
