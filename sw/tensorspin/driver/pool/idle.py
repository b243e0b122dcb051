"""Boards without work, whose threads sleep until there is some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from .member import Member

_LOOK = 0.2
"""Seconds after which a board without work looks whether another one is slow."""

_LOOKS = 100
"""Boards that look in a second at most. Threads that look keep others from the crew's lock."""


class IdleBoards:
    """The boards of a crew that have no work. All methods are called with the crew's lock held.

    Parameters
    ----------
    members : sequence of Member
        All boards of the crew; the condition ``wake`` of each belongs to the crew's lock.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._look = max(_LOOK, len(members) / _LOOKS)
        self._sleeping: dict[Member, None] = {}

    def __len__(self) -> int:
        return len(self._sleeping)

    def sleep(self, member: Member, now: float, look: bool) -> None:
        """Sleep in the thread of a board until it is woken, or until it is to be tried again.

        Parameters
        ----------
        member : Member
            The board.
        now : float
            The time, by `time.monotonic`.
        look : bool
            Whether it also wakes now and then, to look whether another board is slow.
        """
        pause = self._look if look else None
        if member.retry_at > now:
            pause = member.retry_at - now
        self._sleeping[member] = None
        member.wake.wait(pause)
        self._sleeping.pop(member, None)

    def wake(self, may: Callable[[Member], bool] | None = None, count: int | None = None) -> None:
        """Wake boards, each once.

        A thousand threads that wake for one piece of work would keep each other from the lock.

        Parameters
        ----------
        may : callable, optional
            Tells whether a board is to be woken. By default all are.
        count : int, optional
            Most boards; by default all.
        """
        for member in list(islice(filter(may, self._sleeping), count)):
            del self._sleeping[member]
            member.wake.notify()
