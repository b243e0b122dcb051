"""A queue in which owners take turns: a thousand jobs of one owner delay others little."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A queue with fair turns. It belongs to one event loop.

    Parameters
    ----------
    limit : int
        Most items that wait.

    Examples
    --------
    >>> turns = Turns(limit=3)
    >>> for owner, item in [("a", 1), ("a", 2), ("b", 3)]:
    ...     turns.put(owner, item)
    >>> [turns.take_now() for _ in range(3)]
    [1, 3, 2]
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()
        self._length = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._length

    def put(self, owner: str, item: Item) -> Item | None:
        """Append an item to those of its owner, in the place of another one if the queue is full.

        Then the newest item of the owner who has most makes room, if that owner has two or more
        beyond this one: nobody can fill the queue for all others.

        Parameters
        ----------
        owner : str
            Whose turn it is when the item is taken.
        item : object
            The item.

        Returns
        -------
        object or None
            The item that has made room, if any.

        Raises
        ------
        IndexError
            If the queue is full.
        """
        displaced = self._make_room(owner) if self._length >= self.limit else None
        self._waiting.setdefault(owner, deque()).append(item)
        self._length += 1
        self._filled.set()
        return displaced

    def _make_room(self, owner: str) -> Item:
        own = len(self._waiting.get(owner, ()))
        most = max(self._waiting, key=lambda name: len(self._waiting[name]))
        if len(self._waiting[most]) < own + 2:
            raise IndexError("the queue is full")
        item = self._waiting[most].pop()
        self._forget_if_empty(most)
        return item

    def remove(self, owner: str, item: Item) -> bool:
        """Take an item out of the queue, wherever it is.

        Parameters
        ----------
        owner : str
            Its owner.
        item : object
            The item.

        Returns
        -------
        bool
            Whether it was there.
        """
        try:
            self._waiting[owner].remove(item)
        except (KeyError, ValueError):
            return False
        self._forget_if_empty(owner)
        return True

    def _forget_if_empty(self, owner: str) -> None:
        self._length -= 1
        if not self._waiting[owner]:
            del self._waiting[owner]
        if not self._length:
            self._filled.clear()

    def take_now(self) -> Item:
        """Take the first item of the owner whose turn it is.

        Returns
        -------
        object
            The item.

        Raises
        ------
        IndexError
            If the queue is empty.
        """
        owner = next(iter(self._waiting), None)
        if owner is None:
            raise IndexError("the queue is empty")
        item = self._waiting[owner].popleft()
        self._waiting.move_to_end(owner)
        self._forget_if_empty(owner)
        return item

    async def take(self) -> Item:
        """Wait for an item, and take it.

        Returns
        -------
        object
            The item.
        """
        # An item may be removed between the moment that wakes this up and the one in which it runs.
        while not self._length:
            await self._filled.wait()
        return self.take_now()

    def drain(self) -> list[Item]:
        """Take all items.

        Returns
        -------
        list of object
            The items, in the order in which they would have been taken.
        """
        return [self.take_now() for _ in range(self._length)]
