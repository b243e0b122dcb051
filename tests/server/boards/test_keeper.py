"""Whose turn it is: fair among owners, ended when it is too long, given on when a client leaves."""

from __future__ import annotations

import asyncio

import pytest

from tensorspin.server.boards.keeper import Keeper, Limits, Seat
from tensorspin.server.boards.metrics import BoardMetrics
from tensorspin.server.metrics import new_registry
from tensorspin.server.refusal import Refusal

LONG = 30.0


class Times(Keeper):
    """A keeper whose clock is set by the test."""

    time = 100.0

    def _now(self):
        return self.time


def keeper(queue=16, turn=60.0, idle=10.0):
    registry = new_registry()
    made = Times("board", Limits(queue, turn, idle), BoardMetrics(registry))
    made.registry = registry
    return made


def ended(made, how):
    labels = {"board": "board", "end": how}
    return made.registry.get_sample_value("tensorspin_board_turns_total", labels) or 0


async def waits(made, seat, seconds=LONG):
    """Let a seat wait in the queue."""
    task = asyncio.create_task(made.take(seat, seconds))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


def test_owners_take_turns_whatever_number_of_seats_each_has():
    async def check():
        made, order = keeper(), []
        first = Seat("first")
        assert await made.take(first, 0.0) is False
        seats = [Seat("greedy") for _ in range(4)] + [Seat("modest"), Seat("other")]

        async def use(name, seat):
            await made.take(seat, LONG)
            order.append(name)
            made.give(seat)

        tasks = [
            asyncio.create_task(use(f"{seat.owner} {place}", seat))
            for place, seat in enumerate(seats)
        ]
        await asyncio.sleep(0)
        assert len(made) == 6
        made.give(first)
        await asyncio.gather(*tasks)
        assert order == ["greedy 0", "modest 4", "other 5", "greedy 1", "greedy 2", "greedy 3"]
        assert ended(made, "given back") == 7

    asyncio.run(check())


def test_a_seat_learns_whether_somebody_else_had_the_board():
    async def check():
        made, one, two = keeper(), Seat("a"), Seat("b")
        told = []
        for seat in (one, one, two, one):
            told.append(await made.take(seat, 0.0))
            assert await made.take(seat, 0.0)  # it has it already
            made.give(seat)
        assert told == [False, True, False, False]

    asyncio.run(check())


def test_who_waits_too_long_leaves_the_queue():
    async def check():
        made, one, two = keeper(), Seat("a"), Seat("b")
        await made.take(one, 0.0)
        with pytest.raises(Refusal, match="not your turn within 0.01 s") as caught:
            await made.take(two, 0.01)
        assert (caught.value.status, caught.value.code) == (504, "not_in_time")
        assert not len(made)
        made.give(one)
        assert made.holder is None

    asyncio.run(check())


def test_who_hangs_up_while_it_waits_leaves_the_queue_or_gives_its_turn_on():
    async def check():
        made, one, two, three = keeper(), Seat("a"), Seat("b"), Seat("c")
        await made.take(one, 0.0)
        tasks = [await waits(made, two), await waits(made, three)]
        tasks[0].cancel()
        await asyncio.sleep(0)
        assert len(made) == 1
        made.give(one)  # and in the same moment the one whose turn it is now hangs up
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert made.holder is None and not len(made)
        assert await made.take(two, 0.0) is False

    asyncio.run(check())


def test_a_full_queue_refuses_and_says_when_to_come_back():
    async def check():
        made = keeper(queue=2)
        await made.take(Seat("a"), 0.0)
        tasks = [await waits(made, Seat("b")), await waits(made, Seat("c"))]
        with pytest.raises(Refusal, match="2 clients wait for board already") as caught:
            await made.take(Seat("d"), LONG)
        assert caught.value.code == "busy" and caught.value.retry_after > 0
        for task in tasks:
            task.cancel()

    asyncio.run(check())


def test_who_fills_the_queue_makes_room_for_others():
    async def check():
        made = keeper(queue=3)
        await made.take(Seat("greedy"), 0.0)
        tasks = [await waits(made, Seat("greedy")) for _ in range(3)]
        modest = await waits(made, Seat("modest"))
        with pytest.raises(Refusal, match="3 clients wait"):
            await tasks[2]
        assert not modest.done() and len(made) == 3
        for task in [*tasks, modest]:
            task.cancel()

    asyncio.run(check())


@pytest.mark.parametrize(
    ("seconds", "how"), [(11.0, "idle"), (61.0, "too long")], ids=["idle", "too long"]
)
def test_a_turn_that_is_too_long_is_ended_only_if_others_wait(seconds, how):
    async def check():
        made, one, two = keeper(), Seat("a"), Seat("b")
        await made.take(one, 0.0)
        made.time += seconds
        made.end_long_turn()
        assert made.holder is one
        task = await waits(made, two)
        made.end_long_turn()
        assert await task is False and made.holder is two
        assert ended(made, how) == 1
        with pytest.raises(Refusal, match="as others wait") as caught:
            made.check(one)
        assert caught.value.code == "turn_over"

    asyncio.run(check())


def test_a_turn_in_which_the_board_works_is_not_idle():
    async def check():
        made, one = keeper(), Seat("a")
        await made.take(one, 0.0)
        task = await waits(made, Seat("b"))
        made.work(True)
        made.time += 11.0
        made.end_long_turn()
        assert made.holder is one
        made.work(False)
        made.time += 9.0
        made.end_long_turn()
        assert made.holder is one
        task.cancel()

    asyncio.run(check())


def test_nobody_has_the_board_while_it_works_for_who_has_left():
    async def check():
        made, one, two = keeper(), Seat("a"), Seat("b")
        await made.take(one, 0.0)
        task = await waits(made, two)
        made.work(True)
        made.give(one, "left")
        await asyncio.sleep(0)
        assert made.holder is None and not task.done()
        made.work(False)
        assert await task is False and made.holder is two

    asyncio.run(check())


def test_a_board_that_is_lost_ends_the_turn_and_refuses_who_waits():
    async def check():
        made, one, two = keeper(), Seat("a"), Seat("b")
        await made.take(one, 0.0)
        task = await waits(made, two)
        made.lose(Refusal(503, "away", "unplugged"))
        with pytest.raises(Refusal, match="unplugged"):
            await task
        with pytest.raises(Refusal, match="unplugged"):
            made.check(one)
        assert await made.take(one, 0.0) is False  # it may hold something else when it is back

    asyncio.run(check())


def test_a_keeper_that_closes_lets_the_turn_end_and_nobody_else_begin():
    async def check():
        made, one, two = keeper(), Seat("a"), Seat("b")
        await made.wait_until_free()
        await made.take(one, 0.0)
        task = await waits(made, two)
        made.close()
        with pytest.raises(Refusal, match="being stopped"):
            await task
        with pytest.raises(Refusal, match="being stopped"):
            await made.take(two, 0.0)
        ending = asyncio.create_task(made.wait_until_free())
        made.check(one)
        made.work(True)
        made.give(one)
        await asyncio.sleep(0)
        assert not ending.done()
        made.work(False)
        await asyncio.wait_for(ending, 5)

    asyncio.run(check())
