"""The device's thread: whatever a sampler raises, the next job runs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tensorspin.server.worker import Worker


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ValueError("x"), ValueError),
        (StopIteration("x"), RuntimeError),
        (SystemExit(3), RuntimeError),
        (KeyboardInterrupt(), RuntimeError),
    ],
)
def test_what_is_raised_is_told_and_the_thread_goes_on(error, found):
    def fail():
        raise error

    async def play():
        worker = Worker()
        with pytest.raises(found):
            await worker.run(fail)
        assert not worker.busy
        return await worker.run(lambda: threading.current_thread().daemon)

    assert asyncio.run(play())


def test_functions_run_one_after_the_other_on_the_same_thread():
    running, most, threads = [], [], set()

    def work():
        running.append(1)
        most.append(len(running))
        threads.add(threading.get_ident())
        running.pop()

    async def play():
        worker = Worker()
        await asyncio.gather(*(worker.run(work) for _ in range(50)))

    asyncio.run(play())
    assert max(most) == 1 and len(threads) == 1 and threading.get_ident() not in threads


def test_who_leaves_does_not_stop_the_thread():
    async def play():
        worker, gate = Worker(), threading.Event()
        left = asyncio.create_task(worker.run(gate.wait))
        await asyncio.sleep(0)
        left.cancel()
        gate.set()
        return await worker.run(lambda: 5)

    assert asyncio.run(play()) == 5
