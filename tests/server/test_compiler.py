"""Programs are compiled in a process of their own, which a bad program ends, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from string import ascii_uppercase

import pytest

from tensorspin.hybrid.appliance.protocol import digest
from tensorspin.server.appliance.compiler import Compiler
from tensorspin.server.appliance.compiling import task
from tensorspin.server.appliance.device import Choice, load_device
from tensorspin.server.refusal import Refusal

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; bit[2] c; qubit[2] q; '
GOOD = HEAD + "input float[64] a; rx(a) q[0]; c = measure q;"
DOUBLING = " ".join(
    f"gate {letter}0 a {{ x a; x a; }} "
    + " ".join(
        f"gate {letter}{n} a {{ {letter}{n - 1} a; {letter}{n - 1} a; }}" for n in range(1, 14)
    )
    for letter in ascii_uppercase
)
BOMB = HEAD + DOUBLING + "".join(f"{letter}13 q[0];" for letter in ascii_uppercase)
"""The parser copies what a gate is made of, seconds for each of 26 gates that are not too long."""


TASK = task(load_device(Choice("statevector")))


def playing(play, **said):
    """Run a coroutine with a compiler, and end that."""

    async def run():
        compiler = Compiler(TASK, **{"kept": 8, **said})
        try:
            return await play(compiler)
        finally:
            await compiler.stop()

    return asyncio.run(run())


@pytest.mark.slow
def test_a_bomb_costs_its_own_time_and_the_next_program_is_compiled():
    async def play(compiler):
        await compiler.compile(digest(GOOD), GOOD)
        with pytest.raises(Refusal, match="more than 1 s to compile") as raised:
            await compiler.compile(digest(BOMB), BOMB)
        assert raised.value.status == 422
        other = GOOD + " // another"
        program = await compiler.compile(digest(other), other)
        assert program.told["parameters"] == ["a"] and program.told["registers"] == [["c", 2]]
        assert len(compiler) == 2

    playing(play, seconds=1.0)


def test_a_process_that_ends_is_replaced_and_programs_are_forgotten_in_order():
    async def play(compiler):
        texts = [GOOD + f" // {number}" for number in range(3)]
        for text in texts[:2]:
            await compiler.compile(digest(text), text)
        compiler.get(digest(texts[0]))  # so that the other one was used longer ago
        os.kill(compiler._process.pid, signal.SIGKILL)
        with pytest.raises(Refusal, match="ended the process that compiles it"):
            await compiler.compile(digest(BOMB), BOMB)
        await compiler.compile(digest(texts[2]), texts[2])
        assert [compiler.knows(digest(text)) for text in texts] == [True, False, True]
        with pytest.raises(Refusal, match="upload it") as raised:
            compiler.get(digest(texts[1]))
        assert (raised.value.status, raised.value.code) == (404, "unknown_program")

    playing(play, kept=2)


def test_programs_are_forgotten_when_they_are_too_large_together(monkeypatch):
    async def play(compiler):
        texts = [GOOD + f" // {number}" for number in range(3)]
        sizes = [(await compiler.compile(digest(text), text)).size for text in texts[:2]]
        monkeypatch.setattr("tensorspin.server.appliance.compiler.MOST_BYTES", sum(sizes))
        await compiler.compile(digest(texts[2]), texts[2])
        assert [compiler.knows(digest(text)) for text in texts] == [False, True, True]

    playing(play)


@pytest.mark.slow
def test_the_first_program_of_a_process_has_no_more_time_than_others():
    async def play(compiler):
        await compiler.start()
        for _ in range(2):
            with pytest.raises(Refusal, match="more than 0.5 s to compile"):
                await compiler.compile(digest(BOMB), BOMB)

    begins = time.monotonic()
    playing(play, seconds=0.5)
    assert time.monotonic() - begins < 60


def test_who_leaves_does_not_stop_what_others_wait_for():
    async def play(compiler):
        first = asyncio.create_task(compiler.compile(digest(GOOD), GOOD))
        second = asyncio.create_task(compiler.compile(digest(GOOD), GOOD))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).circuit.num_qubits == 2
        assert await compiler.compile(digest(GOOD), GOOD) is await second

    playing(play)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", [HEAD + "rx(" + "(" * 2000 + "1" + ")" * 2000 + ") q[0];", "(" * 100_000]
)
def test_deep_programs_are_refused(text):
    async def play(compiler):
        with pytest.raises(Refusal, match="too deeply|no OpenQASM|ended the process|to compile"):
            await compiler.compile(digest(text), text)
        await compiler.compile(digest(GOOD), GOOD)

    playing(play, seconds=5.0)
