"""A queue in which owners take turns."""

from __future__ import annotations

import asyncio
import random

import pytest

from tensorspin.server.turns import Turns


def test_owners_take_turns_whoever_came_first():
    turns = Turns(limit=100)
    for number in range(10):
        turns.put("greedy", ("greedy", number))
    turns.put("modest", ("modest", 0))
    assert [turns.take_now() for _ in range(3)] == [("greedy", 0), ("modest", 0), ("greedy", 1)]


def test_an_owner_who_comes_back_waits_for_the_others():
    turns = Turns(limit=100)
    for owner in ("a", "b", "c"):
        turns.put(owner, owner)
    assert turns.take_now() == "a"
    turns.put("a", "a again")
    assert turns.drain() == ["b", "c", "a again"]


def test_the_limit_counts_all_owners():
    turns = Turns(limit=2)
    turns.put("a", 1)
    turns.put("b", 2)
    with pytest.raises(IndexError):
        turns.put("c", 3)
    assert turns.remove("a", 1) and not turns.remove("a", 1) and not turns.remove("x", 1)
    turns.put("c", 3)
    assert len(turns) == 2 and turns.drain() == [2, 3] and len(turns) == 0


def test_who_fills_the_queue_makes_room_for_others():
    turns = Turns(limit=4)
    assert [turns.put("greedy", number) for number in range(4)] == [None] * 4
    with pytest.raises(IndexError):
        turns.put("greedy", 4)
    assert turns.put("modest", "first") == 3  # the newest of the greedy one's
    assert turns.put("modest", "second") == 2
    with pytest.raises(IndexError):  # both have two
        turns.put("modest", "third")
    assert turns.put("third", "only") == 1
    assert turns.drain() == [0, "first", "only", "second"]


def test_equals_do_not_push_each_other_out():
    turns = Turns(limit=2)
    turns.put("a", 1)
    turns.put("b", 2)
    for owner in ("a", "b", "c"):
        with pytest.raises(IndexError):
            turns.put(owner, 3)
    assert turns.drain() == [1, 2]


def test_nothing_is_lost_or_doubled_and_nobody_waits_longer_than_a_round():
    generator, turns = random.Random(1), Turns(limit=10_000)
    waiting = {}
    for step in range(5000):
        if generator.random() < 0.55:
            owner = generator.choice("abcd")
            turns.put(owner, (owner, step))
            waiting.setdefault(owner, []).append((owner, step))
        elif len(turns):
            item = turns.take_now()
            assert waiting[item[0]].pop(0) == item
        assert len(turns) == sum(map(len, waiting.values()))
    assert sorted(turns.drain()) == sorted(item for items in waiting.values() for item in items)


def test_take_waits_for_an_item():
    async def play():
        turns = Turns(limit=1)
        taker = asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        assert not taker.done()
        turns.put("a", 1)
        assert await taker == 1
        turns.put("a", 2)
        turns.remove("a", 2)
        taker = asyncio.create_task(turns.take())
        await asyncio.sleep(0.01)
        assert not taker.done()
        taker.cancel()

    asyncio.run(play())


def test_an_item_that_is_removed_as_soon_as_it_came_is_not_waited_for():
    async def scenario():
        turns = Turns(limit=4)
        taking = asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        turns.put("a", 1)
        assert turns.remove("a", 1)
        await asyncio.sleep(0)
        turns.put("a", 2)
        assert await taking == 2

    asyncio.run(scenario())
