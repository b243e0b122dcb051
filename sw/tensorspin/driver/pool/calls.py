"""What belongs together in the work of a crew: its pieces, and who works on them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from ...errors import CapacityError, PoolCapacityError, PoolError
from ...progress import Progress
from .backend import PendingCall
from .member import GIVEN_UP, Member
from .work import Work

_SLOW = 3.0
"""A piece that takes this many times as long as others of its call is begun by a second board."""

_LEAST_SLOW = 0.5
"""Seconds for which a piece is left to its board in any case."""

_FIRST_SLOW = 5.0
"""Seconds after which a second board begins a piece if no other of the call is done yet."""


class _Crew(Protocol):
    """What a call asks of the boards, `tensorspin.driver.pool.crew.Crew`."""

    def add(self, call: Call, works: Sequence[Work]) -> list[int]: ...

    def wait(
        self,
        call: Call,
        task: Task,
        interrupt_function: Callable[[], bool] | None,
        progress: Progress | None,
    ) -> Any: ...

    def end(self, call: Call) -> None: ...


class Task:
    """A piece of work of a call, and who works on it."""

    def __init__(self, call: Call, work: Work) -> None:
        self.call, self.work = call, work
        self.done = False
        self.result: Any = None
        self.advanced = 0
        self.claimed: Member | None = None
        self.helpers: set[Member] = set()
        self.begun = 0.0
        self.holders: set[Member] = set()
        self.failures: Counter[Member] = Counter()

    def may(self, member: Member) -> bool:
        """Tell whether a board may work on it: one that has failed at it twice may not."""
        return self.failures[member] < GIVEN_UP

    def given_to(self, member: Member) -> bool:
        """Tell whether a board was given it, and it was not given to another one since."""
        return self.claimed is member or member in self.helpers


class Call(PendingCall):
    """Work that belongs together. Its fields change only while the crew's lock is held.

    Parameters
    ----------
    crew : Crew
        The boards.
    lock : Lock
        The crew's lock.
    tell : callable, optional
        Told of boards that fail, instead of a warning.
    """

    def __init__(
        self, crew: _Crew, lock: threading.Lock, tell: Callable[[str], None] | None = None
    ) -> None:
        self._crew = crew
        self.tell = tell
        self.changed = threading.Condition(lock)
        self.closed = False
        self.tasks: list[Task] = []
        self.waiting: deque[Task] = deque()
        self.running: dict[Task, None] = {}
        self.refused: dict[Member, Exception] = {}
        self.given_up: dict[Member, str] = {}
        self.fitting: set[Member] = set()
        self._failures: dict[Task, None] = {}
        self.notices: list[str] = []
        self.error: BaseException | None = None
        self.amount = self.advanced = 0
        self._seconds, self._timed = 0.0, 0

    def add(self, works: Sequence[Work]) -> list[int]:
        """Give more work; see `PendingCall.add`."""
        return self._crew.add(self, works)

    def result(
        self,
        number: int,
        interrupt_function: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Wait for a result; see `PendingCall.result`."""
        return self._crew.wait(self, self.tasks[number], interrupt_function, progress)

    def close(self) -> None:
        """End the call; see `PendingCall.close`."""
        self._crew.end(self)

    # Called by the crew, which holds the lock

    def take(self, member: Member, now: float, count: int) -> list[Task]:
        """Give a board work: pieces that nobody has begun, or one that takes too long elsewhere.

        Parameters
        ----------
        member : Member
            The board.
        now : float
            The time, by `time.monotonic`.
        count : int
            Most pieces. All but the first stay free for others until the board begins them.

        Returns
        -------
        list of Task
            The pieces, none if there is nothing for this board.
        """
        taken: list[Task] = []
        left: list[Task] = []
        while self.waiting and len(taken) < count:
            task = self.waiting.popleft()
            if task.done:
                continue
            (taken if task.may(member) else left).append(task)
        self.waiting.extendleft(reversed(left))
        for task in taken:
            task.claimed = member
            self.running[task] = None
        return taken or [task for task, _ in zip(self._others(member, now), range(1))]

    def _others(self, member: Member, now: float) -> Iterator[Task]:
        """List pieces of other boards that this one may begin, too."""
        for task in reversed(self.running):
            if task.claimed is not member and task.may(member) and member not in task.holders:
                if not task.holders:
                    task.claimed = member
                    yield task
                elif len(task.holders) == 1 and self._slow(task, now):
                    task.helpers.add(member)
                    yield task

    def _slow(self, task: Task, now: float) -> bool:
        if not self._timed:
            return now - task.begun > _FIRST_SLOW
        usual = self._seconds / self._timed * max(task.work.amount, 1)
        return now - task.begun > max(_LEAST_SLOW, _SLOW * usual)

    def give_back(self, task: Task, member: Member) -> None:
        """Take a piece away from a board, for others."""
        task.holders.discard(member)
        task.helpers.discard(member)
        if task.claimed is member:
            task.claimed = None
        if task.done or task.holders:
            return
        task.claimed = None
        if task in self.running:
            del self.running[task]
            self.waiting.appendleft(task)

    def failed(self, task: Task, member: Member) -> None:
        """Note that a board has failed at a piece, and take it away from that board."""
        task.failures[member] += 1
        if not task.done:
            self._failures[task] = None
        self.give_back(task, member)

    def finish(self, task: Task, result: Any, seconds: float) -> None:
        """Keep a result."""
        task.done, task.result = True, result
        self.running.pop(task, None)
        self._failures.pop(task, None)
        self.advanced += task.work.amount - task.advanced
        self._seconds += seconds
        self._timed += max(task.work.amount, 1)
        self.changed.notify_all()

    def advance(self, task: Task, done: int) -> None:
        """Note how much of a piece is done."""
        if not task.done and done > task.advanced:
            self.advanced += done - task.advanced
            task.advanced = done

    def hopeless(self, members: Sequence[Member]) -> bool:
        """Tell whether a piece is left that no board can do."""
        if not (self.refused or self.given_up or self._failures):
            return False  # as a rule; this is asked once a piece, of a thousand boards
        left = [m for m in members if m not in self.refused and m not in self.given_up]
        return not left or any(
            not task.holders and not any(map(task.may, left)) for task in self._failures
        )

    def why(self, members: Sequence[Member]) -> PoolError:
        """Make the error of a call that no board can do."""
        reasons = {}
        too_small: dict[Member, CapacityError] = {}
        for number, member in enumerate(members, 1):
            key = member.url if member.url not in reasons else f"{member.url} (number {number})"
            error = self.refused.get(member)
            reasons[key] = str(error or self.given_up.get(member) or member.error)
            if isinstance(error, CapacityError):
                too_small[member] = error
        listed = "".join(f"\n  {url}: {reason}" for url, reason in reasons.items())
        if too_small and len(too_small) == len(members):
            nearest = min(too_small.values(), key=lambda each: each.needed / max(each.limit, 1))
            return PoolCapacityError(f"no board can hold the model:{listed}", reasons, nearest)
        return PoolError(f"no board is left that can do it; nothing is returned:{listed}", reasons)
