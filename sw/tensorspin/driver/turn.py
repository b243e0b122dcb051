"""A board for one thread at a time, and, where boards are shared, for one program at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Turn:
    """A context in which a board belongs to one thread; blocks of one thread may be nested.

    Requests and replies of two threads must not mix on the line. A board that a server shares is
    moreover taken when the outermost block begins, and given to the next when it ends.

    Parameters
    ----------
    begin : callable
        Called when the outermost block begins. If it raises, the block is not entered.
    end : callable
        Called when the outermost block ends, however it ends.

    Examples
    --------
    >>> turn = Turn(lambda: print("begins"), lambda: print("ends"))
    >>> with turn, turn:
    ...     print("works")
    begins
    works
    ends
    """

    def __init__(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self.lock = threading.RLock()
        self._begin = begin
        self._end = end
        self._depth = 0

    def __enter__(self) -> None:
        self.lock.acquire()
        try:
            if not self._depth:
                self._begin()
        except BaseException:
            self.lock.release()
            raise
        self._depth += 1

    def __exit__(self, *exception: object) -> None:
        self._depth -= 1
        try:
            if not self._depth:
                self._end()
        finally:
            self.lock.release()
