"""The checks of a board: each passes on golden boards, and fails on a board with that fault."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.driver.board import Board
from tensorspin.driver.selftest import selftest
from tensorspin.driver.selftest.annealer import check_annealer, known_jobs
from tensorspin.driver.selftest.clock import check_clock
from tensorspin.driver.selftest.contractor import check_contractor, known_program
from tensorspin.driver.selftest.line import (
    FAST_BAUD,
    check_description,
    check_echo,
    check_throughput,
)
from tensorspin.driver.selftest.memories import check_memories
from tensorspin.driver.selftest.result import Verdict
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.golden.device import GoldenDevice

from ..support.anneals import ALONE, BOTH
from ..support.doubles import UNCHECKED_ROW, CableTransport, golden_board

ROW = find_board("icebreaker")
WINDOWED = AnnealerSize(64, 4, 10, 8, (1,) * 7, 128, 16, ring=0, window=8)
SMALL = dataclasses.replace(
    ROW,
    name="small",
    engines=Engines(
        dataclasses.replace(
            ROW.require_contractor(), lanes=12, program_words=256, slots=2, slot_entries=2
        )
    ),
)
"""Few lanes, which are no power of two, and few slots."""

BOARDS_BY_KIND = {
    "contractor": ROW,
    "contractor without checks": dataclasses.replace(UNCHECKED_ROW, name="unchecked"),
    "small contractor": SMALL,
    "annealer": ALONE,
    "both": BOTH,
    "annealer with windows": dataclasses.replace(ALONE, name="windows", engines=Engines(WINDOWED)),
}


def verdicts(results):
    return {each.name: each.verdict for each in results}


@pytest.mark.parametrize("kind", BOARDS_BY_KIND)
def test_a_whole_board_passes(kind):
    row = BOARDS_BY_KIND[kind]
    told = []
    with golden_board(row=row) as board:
        results = selftest(board, lambda *args: told.append(args))
    assert Verdict.FAIL not in verdicts(results).values(), results
    assert told == [(n, 7) for n in range(1, 8)]
    skipped = {name for name, verdict in verdicts(results).items() if verdict is Verdict.SKIP}
    contractor, annealer = row.contractor is not None, row.annealer is not None
    assert skipped == {
        *(() if contractor else ("memories", "contractor")),
        *(() if annealer else ("annealer", "clock")),
    }
    assert not any(each.hint for each in results)


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_of_the_table_has_known_answers(name):
    row = BOARDS[name]
    if (contractor := row.engines.get(EngineKind.CONTRACTOR)) is not None:
        known_program(contractor).check(contractor)
    if (annealer := row.engines.get(EngineKind.ANNEALER)) is not None:
        for job in known_jobs(annealer).values():
            job.check()
            assert np.any(job.problem.couplings)


class StuckBitDevice(GoldenDevice):
    """One bit of one memory is always 1."""

    space, address, bit = MemorySpace.PROGRAM, 1000, 4

    def _write(self, payload):
        reply = super()._write(payload)
        self.memories[self.space][self.address] |= 1 << self.bit
        return reply


class StuckAddressDevice(GoldenDevice):
    """An address line of the feature table is always 0."""

    def _read(self, payload):
        table = self.memories[MemorySpace.TABLE]
        table[1024:] = table[: len(table) - 1024]
        return super()._read(payload)


def test_a_stuck_bit_is_named():
    with golden_board(StuckBitDevice(ROW)) as board:
        result = check_memories(board)
    assert result.verdict is Verdict.FAIL and result.hint
    assert "PROGRAM: 1 of 131072 bytes came back wrong, the first at address 1000" in result.found
    assert "wrong bits 0x10" in result.found


def test_a_stuck_address_line_is_noticed():
    with golden_board(StuckAddressDevice(ROW)) as board:
        result = check_memories(board)
    assert result.verdict is Verdict.FAIL
    assert "TABLE:" in result.found and "the first at address 1024" in result.found


def wrong_contractor(place):
    """A device that flips a bit of the fourth answer, at a place of its payload."""
    device = GoldenDevice(ROW)
    engine = device.engines[EngineKind.CONTRACTOR]
    whole = engine.finish

    def wrong():
        replies = list(whole())
        if len(replies) > 3:
            payload = bytearray(replies[3].payload)
            payload[place] ^= 1
            replies[3] = replies[3]._replace(payload=bytes(payload))
        return replies

    engine.finish = wrong
    return device


@pytest.mark.parametrize(
    "place, told",
    [(0, "wrong scores of"), (6, "wrong exponents of"), (10, "took 1181 cycles for sample 3, not")],
)
def test_a_wrong_answer_of_the_contractor_is_noticed(place, told):
    with golden_board(wrong_contractor(place)) as board:
        result = check_contractor(board)
    assert result.verdict is Verdict.FAIL and told in result.found
    assert "lower clock" in result.hint


def test_an_answer_that_contradicts_itself_is_no_loss_of_the_line():
    with golden_board(wrong_contractor(8)) as board:  # the class
        results = {each.name: each for each in selftest(board)}
    assert results["contractor"].verdict is Verdict.FAIL
    assert "is the greatest of" in results["contractor"].found
    assert "bitstream" in results["contractor"].hint
    assert results["annealer"].found == "the device has none"  # it was asked


def changed_results(change):
    """A device whose annealer changes the results before they are read."""
    device = GoldenDevice(BOTH)
    engine = device.engines[EngineKind.ANNEALER]
    whole = engine._write_results
    engine._write_results = lambda job, found: whole(job, found and change(found))
    return device


@pytest.mark.parametrize(
    "change, found",
    [
        (lambda run: dataclasses.replace(run, cycles=run.cycles + 10), "annealing 1: wrong cycles"),
        (lambda run: dataclasses.replace(run, ranks=run.ranks[::-1]), "annealing 1: wrong ranks"),
    ],
)
def test_a_wrong_answer_of_the_annealer_is_noticed(change, found):
    with golden_board(changed_results(change), BOTH) as board:
        result = check_annealer(board)
    assert result.verdict is Verdict.FAIL and found in result.found and result.hint


def test_an_error_of_the_board_is_a_failure_of_the_check():
    device = changed_results(lambda run: dataclasses.replace(run, energies=run.energies + 2))
    with golden_board(device, BOTH) as board:
        results = {each.name: each for each in selftest(board)}
    for name in ("annealer", "clock"):
        assert results[name].verdict is Verdict.FAIL and results[name].hint
        assert "the final state of replica 0 has the energy" in results[name].found


def test_a_stuck_coupling_bit_is_noticed():
    class Stuck(GoldenDevice):
        def _write(self, payload):
            reply = super()._write(payload)
            self.memories[AnnealerSpace.COUPLINGS][5] |= 1
            return reply

    with golden_board(Stuck(ALONE), ALONE) as board:
        results = selftest(board)
    assert verdicts(results)["annealer"] is Verdict.FAIL


@pytest.mark.parametrize("factor, passes", [(0.5, False), (1, True), (2, False)])
def test_a_clock_of_another_frequency_is_noticed(factor, passes):
    wired = dataclasses.replace(BOTH, clock_hz=int(factor * BOTH.clock_hz))
    device = GoldenDevice(BOTH)
    device.byte_cycles *= factor
    with Board.over(GoldenTransport(wired, device)) as board:
        result = check_clock(board)
    assert (result.verdict is Verdict.PASS) == passes, result
    assert "MHz" in result.found and "not meaningful" in result.found
    assert bool(result.hint) != passes


class NoisyTransport(CableTransport):
    """Now and then a bit of a frame from the device is flipped."""

    reads = 0

    def read(self, timeout):
        data = bytearray(super().read(timeout))
        self.reads += bool(data)
        if data and self.reads % 10 == 0:
            data[len(data) // 2] ^= 4
        return bytes(data)


def test_noise_on_the_line_is_noticed():
    with Board.over(NoisyTransport(GoldenTransport(ROW))) as board:
        for result in (check_echo(board), check_throughput(board, 0.2)):
            assert result.verdict is Verdict.FAIL and "cable" in result.hint


def test_a_slow_line_is_noticed():
    slow = dataclasses.replace(ROW, baud=ROW.baud // 10)
    with Board.over(GoldenTransport(slow, GoldenDevice(ROW))) as board:
        result = check_throughput(board, 0.5)
    assert result.verdict is Verdict.FAIL and f"of {FAST_BAUD / 10e3:.0f} kB/s" in result.found


def test_a_bitstream_of_another_version_is_noticed():
    other = dataclasses.replace(ROW, clock_hz=ROW.clock_hz - 1, engines=SMALL.engines)
    with golden_board(row=other) as board:
        result = check_description(board)
    assert result.verdict is Verdict.FAIL
    assert f"clock_hz {ROW.clock_hz - 1} instead of {ROW.clock_hz}" in result.found
    assert "engines of other sizes" in result.found


@pytest.mark.parametrize("cut_after", [600, 60_000, 250_000])
def test_a_line_that_is_cut_fails_once_and_skips_the_rest(cut_after):
    with Board.over(CableTransport(GoldenTransport(ROW), cut_after)) as board:
        results = selftest(board)
    found = [each.verdict for each in results]
    first = found.index(Verdict.FAIL)
    assert "cable" in results[first].hint
    assert all(each.found == "the line is lost" for each in results[first + 1 :])
    assert found[first + 1 :] == [Verdict.SKIP] * (len(found) - first - 1)
