"""Boards with a thread each, which take work from a common queue.

A board whose work takes much longer than that of others does not hold up a call: another board
begins the same piece, and the first result counts, as both are the same. A board that fails gives
its piece back.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...contract.device.description import DeviceDescription
from ...errors import BoardLostWarning, InterruptedRunError, TensorspinError
from ...progress import Progress
from .backend import Backend
from .calls import Call, Task
from .idle import IdleBoards
from .member import BOARD_FAILS, GIVEN_UP, BoardStatistics, Member
from .work import Work

_logger = logging.getLogger(__name__)

_ASK_SECONDS = 0.1
"""Seconds between two questions to the caller's functions."""

_INTERRUPTIBLE = 1.0
"""Seconds that a caller without functions waits at a stretch: not all systems interrupt a wait."""

_PATIENCE = 10.0
"""Seconds that closing waits for a board that is in the middle of something."""


class Crew(Backend):
    """Boards that share work. Threads are started when there is work, and end in `close`.

    Parameters
    ----------
    members : sequence of Member
        The boards.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._asked: dict[Member, None] = {}
        self._started = False
        self._quiet = threading.Condition(self._lock)
        for member in self.members:
            member.wake = threading.Condition(self._lock)
        self._idle = IdleBoards(self.members)

    # For callers

    def call(self, tell: Callable[[str], None] | None = None) -> Call:
        """Begin a call; see `Backend.call`.

        Parameters
        ----------
        tell : callable, optional
            Told of boards that fail, instead of a warning.

        Returns
        -------
        Call
            The call.
        """
        call = Call(self, self._lock, tell)
        with self._lock:
            self._calls.append(call)
        return call

    def add(self, call: Call, works: Sequence[Work]) -> list[int]:
        """Give a call more work; see `PendingCall.add`."""
        with self._lock:
            first = len(call.tasks)
            tasks = [Task(call, work) for work in works]
            call.tasks += tasks
            call.waiting += tasks
            call.amount += sum(work.amount for work in works)
            self._hurry(call)
            self._start()
            # One board more than there are pieces looks whether another is slow.
            self._idle.wake(lambda m: not m.streak and m not in call.refused, len(tasks) + 1)
            # Boards that have failed sleep while nothing is asked, however long ago that was.
            now = time.monotonic()
            self._idle.wake(lambda m: bool(m.streak) and m.retry_at <= now)
        return list(range(first, len(call.tasks)))

    def wait(
        self,
        call: Call,
        task: Task,
        interrupt_function: Callable[[], bool] | None,
        progress: Progress | None,
    ) -> Any:
        """Wait for a result; see `PendingCall.result`."""
        told = -1
        asked = time.monotonic()
        pause = _ASK_SECONDS if interrupt_function or progress else _INTERRUPTIBLE
        while True:
            with self._lock:
                if not (task.done or call.error or call.notices):
                    if call.hopeless(self.members):
                        call.error = call.why(self.members)
                    else:
                        call.changed.wait(pause)
                notices, call.notices = call.notices, []
                error, done, advanced = call.error, task.done, call.advanced
            for notice in notices:
                if call.tell is None:
                    warnings.warn(notice, BoardLostWarning, stacklevel=4)
                else:
                    call.tell(notice)
            if progress is not None and advanced != told:
                told = advanced
                progress(advanced, call.amount)
            if done:
                return task.result
            if error is not None:
                raise error
            if interrupt_function is not None and time.monotonic() - asked >= _ASK_SECONDS:
                asked = time.monotonic()
                if interrupt_function():
                    raise InterruptedRunError("the run was interrupted before its end")

    def end(self, call: Call) -> None:
        """End a call; see `PendingCall.close`."""
        with self._lock:
            call.closed = True
            call.waiting.clear()
            call.running.clear()
            if call in self._calls:
                self._calls.remove(call)
            self._quiet.notify_all()

    def descriptions(self) -> Iterator[tuple[str, DeviceDescription]]:
        """Tell of each board what it is; see `Backend.descriptions`."""
        known = any(member.info for member in self.members)
        for member in self.members:
            with self._lock:
                left_alone = known and member.streak and time.monotonic() < member.retry_at
                if member.info is None and not left_alone:
                    self._ask(member)
                info = member.info
            if info is not None:
                yield member.url, info

    def try_again(self) -> None:
        """Open boards that have failed, as far as they are back, and wait until that is tried."""
        for member in self.members:
            with self._lock:
                if member.streak and member.board is None:
                    self._ask(member)
                    if member.board is not None:
                        member.streak = 0

    def reasons(self) -> dict[str, str]:
        """Tell of each board that has failed last why; see `Backend.reasons`."""
        with self._lock:
            return {each.url: str(each.error) for each in self.members if each.streak}

    def working(self) -> int:
        """Count the boards that have not failed last."""
        with self._lock:
            return sum(not member.streak for member in self.members)

    def statistics(self) -> list[BoardStatistics]:
        """Tell of each board what it has done; see `Backend.statistics`."""
        with self._lock:
            return [member.statistics() for member in self.members]

    def close(self) -> None:
        """Wait for calls, and release the boards, which open again with the next call."""
        with self._lock:
            while self._calls:
                self._quiet.wait(_ASK_SECONDS)
            self._started = False
            threads = [m.thread for m in self.members if m.thread is not None]
            for member in self.members:
                member.closing = True
                member.wake.notify()
        until = time.monotonic() + _PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    # With the lock held

    def _start(self) -> None:
        """Start the threads that are not running."""
        if self._started:
            return
        for member in self.members:
            member.closing = False
            if member.thread is None:
                name = f"board {member.url}"
                member.thread = threading.Thread(
                    target=self._serve, args=[member], name=name, daemon=True
                )
                member.thread.start()
        self._started = True

    def _ask(self, member: Member) -> None:
        """Let a board be opened, and wait until it is, or cannot be."""
        self._asked[member] = None
        member.retry_at = 0.0
        self._start()
        member.wake.notify()
        while member in self._asked:
            self._quiet.wait(_ASK_SECONDS)

    def _hurry(self, call: Call) -> None:
        """Try boards that wait to be tried again at once if no other is left."""

        def able() -> Iterator[Member]:
            return (m for m in self.members if m not in call.refused and m not in call.given_up)

        if all(member.streak for member in able()):
            for member in able():
                member.retry_at = 0.0
                member.wake.notify()

    def _takes(self, member: Member, now: float) -> list[Task]:
        """Find work for a board, in the call that has the fewest boards."""
        for call in sorted(self._calls, key=lambda each: len(each.running)):
            if member not in call.refused and call.error is None:
                count = 1
                if member.together:
                    able = [m for m in self.members if m not in call.refused and not m.streak]
                    count = max(1, -(-len(call.waiting) // max(1, len(able))))
                taken = call.take(member, now, count)
                if taken:
                    return taken
        return []

    # In the threads of the boards

    def _serve(self, member: Member) -> None:
        while True:
            with self._lock:
                tasks: list[Task] = []
                while not member.closing:
                    now = time.monotonic()
                    if now >= member.retry_at:
                        wanted = member in self._asked or self._wanted(member)
                        if member.board is None and wanted:
                            break
                        if member.board is not None:
                            self._asked.pop(member, None)
                            tasks = self._takes(member, now)
                            if tasks:
                                break
                    self._idle.sleep(member, now, bool(self._calls))
                member.busy = not member.closing
                if member.closing:
                    member.thread = None
                    board, member.board = member.board, None
                    break
            if member.board is None:
                self._open(member)
            for place, task in enumerate(tasks):
                if not self._work(member, task, tasks[place:]):
                    break
            with self._lock:
                member.busy = False
                for task in tasks:
                    if task.given_to(member) and member not in task.holders:
                        task.call.give_back(task, member)
                if any(task.call.waiting for task in tasks):
                    self._idle.wake()
        if board is not None:
            board.close()

    def _wanted(self, member: Member) -> bool:
        """Whether there is work for which it is worth opening a board."""
        calls = (each for each in self._calls if member not in each.refused and not each.error)
        return any(call.waiting or call.running for call in calls)

    def _open(self, member: Member) -> None:
        try:
            board = member.open_board()
            member.board = board
            with self._lock:
                member.info, member.name = board.info, board.info.board
                for call in self._calls:
                    call.given_up.pop(member, None)
        except Exception as error:
            self._failed(member, error, opening=True)
        with self._lock:
            self._asked.pop(member, None)
            self._quiet.notify_all()

    def _work(self, member: Member, task: Task, tasks: Sequence[Task]) -> bool:
        """Do a piece of work, unless it is done; tell whether the board can go on."""
        call, board = task.call, member.board
        assert board is not None  # the board was opened by this thread
        with self._lock:
            if task.done or call.closed or call.error or not task.given_to(member):
                return True
            begun = time.monotonic()
            if not task.holders:
                task.begun = begun
            task.holders.add(member)
            expected = [each.work for each in tasks if each.call is call and not each.done]

        def stopped() -> bool:
            return task.done or call.closed or call.error is not None

        def advance(done: int) -> None:
            with self._lock:
                call.advance(task, done)

        try:
            if member not in call.fitting:
                self._check(member, task)
                if member in call.refused:
                    return False
            result = task.work.do(board, stopped, advance, expected)
        except InterruptedRunError:
            with self._lock:
                call.give_back(task, member)
                member.worked(0, time.monotonic() - begun, in_vain=True)
            return True
        except BOARD_FAILS as error:
            self._failed(member, error, task=task)
            return False
        except BaseException as error:  # a fault of the work itself, for whoever has asked for it
            with self._lock:
                call.give_back(task, member)
                call.error = error
                call.changed.notify_all()
            return True
        seconds = time.monotonic() - begun
        with self._lock:
            samples = len(getattr(task.work, "levels", ()))
            member.worked(samples, seconds, in_vain=task.done)
            task.holders.discard(member)
            if not task.done:
                call.finish(task, result, seconds)
        return True

    def _check(self, member: Member, task: Task) -> None:
        """Find out whether a board can do the work of a call."""
        assert member.board is not None
        refusal: Exception | None = None
        try:
            task.work.check(member.board)
        except BOARD_FAILS:
            raise
        except TensorspinError as error:
            refusal = error
        with self._lock:
            if refusal is None:
                task.call.fitting.add(member)
                return
            task.call.refused[member] = refusal
            task.call.give_back(task, member)
            task.call.changed.notify_all()
            self._hurry(task.call)
            self._idle.wake()

    def _failed(
        self,
        member: Member,
        error: BaseException,
        *,
        task: Task | None = None,
        opening: bool = False,
    ) -> None:
        """Note that a board has failed, and give its work to the others."""
        member.drop()
        with self._lock:
            first = not member.streak
            member.failed(error, time.monotonic(), opening)
            _logger.debug("%s fails: %s", member.title, member.error)
            if task is not None:
                task.call.failed(task, member)
            for call in self._calls:
                if member in call.refused:
                    continue
                if first:
                    call.notices.append(
                        f"{member.title} has failed, its work goes to the other boards, and it is "
                        f"tried again later: {member.error}"
                    )
                if member.streak >= GIVEN_UP:
                    call.given_up[member] = str(member.error)
                call.changed.notify_all()
                self._hurry(call)
            self._idle.wake()
