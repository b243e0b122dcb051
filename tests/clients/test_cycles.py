"""The C driver knows how many cycles an answer must take, in either mode."""

import itertools
from dataclasses import replace

import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.wire.packets import DeviceStatus
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Client, Model, Result
from ..support.c_lines import GoldenLine
from ..support.loaded_programs import chain_program, golden_answers, random_levels
from ..support.wrong_answers import in_other_cycles, spoil_answers

ALWAYS = 1 << 30
PLAIN = {"pipeline": 0, "signature": 0, "table_parity": 0}


def row(**changes):
    """A board like icebreaker_spi with another contractor, by default one that checks nothing."""
    board = find_board("icebreaker_spi")
    size = replace(board.require_contractor(), **{**PLAIN, **changes})
    return replace(board, engines=board.engines.with_sizes(size))


BOARD = row()
SHARING = row(groups=3, single_drain=2)
SIGNING = row(signature=1)
PROGRAM, LEVELS = chain_program(12, n_outputs=10, bond=8), random_levels(6, 12)


def loaded(board, model_board=None, mode=None):
    client = Client(GoldenLine(board))
    assert client.open() == c_client.OK
    if mode is not None:
        client.set_mode(mode)
    assert client.load(ClientModel(PROGRAM, model_board or board)) == c_client.OK
    return client


def cycles(client):
    """Cycles of each sample, whose scores are right."""
    found, golden = [], golden_answers(PROGRAM, LEVELS)
    for sample, scores in zip(LEVELS, golden.scores):
        status, result = client.run(sample)
        assert status == c_client.OK
        assert list(result.scores[: PROGRAM.n_outputs]) == scores.tolist()
        found.append(result.cycles)
    assert len(set(found)) == 1
    return found[0]


def test_an_answer_that_took_other_cycles_is_asked_for_once_more(monkeypatch):
    client = loaded(BOARD)
    for times in (1, 2):
        spoil_answers(monkeypatch, in_other_cycles, 1)
        cycles(client)
        assert client.faults == times


def test_such_an_answer_costs_no_time_out(monkeypatch):
    program, levels = chain_program(64, n_outputs=10, bond=16), random_levels(1, 64)
    client = Client(GoldenLine(BOARD))
    assert client.open() == c_client.OK
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    times = []
    for spoilt in (0, 1):
        spoil_answers(monkeypatch, in_other_cycles, spoilt)
        began = client.line.us
        assert client.run(levels[0])[0] == c_client.OK
        times.append(client.line.us - began)
    assert client.faults == 1
    assert times[1] < 2 * times[0] + 60  # microseconds


def test_two_such_answers_are_a_fault_after_which_the_model_is_loaded_anew(monkeypatch):
    client = loaded(BOARD)
    spoil_answers(monkeypatch, in_other_cycles, 2)
    assert client.run(LEVELS[0])[0] == c_client.FAULT
    assert client.faults == 2
    monkeypatch.undo()
    assert not DeviceStatus.unpack(client.status()[1]).active
    assert client.run(LEVELS[0])[0] == c_client.NO_MODEL
    before = client.line.bytes
    assert client.load(ClientModel(PROGRAM, BOARD)) == c_client.OK
    assert client.line.bytes - before > len(ClientModel(PROGRAM, BOARD).image)
    cycles(client)


def test_each_sample_under_way_may_be_wrong_once(monkeypatch):
    client = loaded(BOARD)
    spoil_answers(monkeypatch, in_other_cycles, 2)
    results = [Result(), Result()]
    for sample, result in zip(LEVELS, results):
        assert client.start(sample, result) == c_client.OK
    golden = golden_answers(PROGRAM, LEVELS)
    for result, scores in zip(results, golden.scores):
        while (status := client.finish()) == c_client.PENDING:
            pass
        assert status == c_client.OK and list(result.scores[:10]) == scores.tolist()
    assert client.faults == 2


def test_both_of_two_samples_may_be_wrong_once_each_time(monkeypatch):
    client, count = loaded(BOARD), itertools.count()

    def two_of_four(status, said):
        return in_other_cycles(status, said) if next(count) % 4 < 2 else (status, said)

    spoil_answers(monkeypatch, two_of_four, ALWAYS)
    results = [Result(), Result()]
    for times in (1, 2, 3):
        for sample, result in zip(LEVELS, results):
            assert client.start(sample, result) == c_client.OK
        for _ in range(2):
            while (status := client.finish()) == c_client.PENDING:
                pass
            assert status == c_client.OK
        assert client.faults == 2 * times


@pytest.mark.parametrize("model_board", [SIGNING, BOARD])
@pytest.mark.parametrize("board", [SIGNING, BOARD])
def test_a_board_that_signs_what_it_reads_finds_a_flipped_weight(board, model_board):
    client = loaded(board, model_board)
    cycles(client)
    (contractor,) = client.line.device.engines.values()
    contractor.memories[MemorySpace.PROGRAM][40] ^= 1
    contractor._program = None
    signs = board is model_board is SIGNING
    assert client.run(LEVELS[0])[0] == (c_client.CORRUPT if signs else c_client.OK)
    if signs:
        assert client.load(ClientModel(PROGRAM, model_board)) == c_client.OK
        cycles(client)


def test_a_flipped_bit_of_a_header_in_the_device_is_a_fault():
    client = loaded(BOARD)
    (contractor,) = client.line.device.engines.values()
    contractor.memories[MemorySpace.PROGRAM][4] ^= 1 << 3  # the size of an operand
    contractor._program = None
    assert client.run(LEVELS[0])[0] == c_client.FAULT
    assert client.load(ClientModel(PROGRAM, BOARD)) == c_client.OK
    cycles(client)


@pytest.mark.parametrize("pipeline", [0, 1])
def test_the_cycles_are_those_of_the_boards_pipeline(pipeline):
    board = row(pipeline=pipeline)
    wanted = PROGRAM.cycles(8, board.require_contractor().latencies)
    assert cycles(loaded(board, BOARD)) == wanted


def test_a_pipeline_that_the_driver_does_not_know_is_refused(monkeypatch):
    line = GoldenLine(row(pipeline=1))
    told = bytearray(line.board.description(bytes(8)).pack())
    told[46 + 4 * 7] = 2
    monkeypatch.setattr(line.device, "_hello", lambda payload: (0, bytes(told)))
    client = Client(line)
    assert client.open() == c_client.OK
    assert client.load(ClientModel(PROGRAM, BOARD)) == c_client.DOES_NOT_FIT
    assert client.load(ClientModel(PROGRAM, SHARING)) == c_client.DOES_NOT_FIT


@pytest.mark.parametrize("device", [True, False])
def test_a_header_of_an_earlier_export_has_no_cycles_and_is_refused(device):
    client = Client(GoldenLine(BOARD) if device else None)
    assert not device or client.open() == c_client.OK
    model = Model.of(ClientModel(PROGRAM, BOARD))
    model.throughput_cycles[0] = model.throughput_cycles[1] = 0
    assert client.load(model) == c_client.DOES_NOT_FIT


def test_groups_share_a_sample_unless_throughput_is_wanted():
    single = PROGRAM.single_cycles(SHARING.require_contractor())
    assert single != PROGRAM.cycles(8)
    assert cycles(loaded(SHARING)) == cycles(loaded(SHARING, mode=c_client.SINGLE)) == single
    assert cycles(loaded(SHARING, mode=c_client.THROUGHPUT)) == PROGRAM.cycles(8)
    client = loaded(SHARING, mode=c_client.THROUGHPUT)
    client.set_mode(c_client.SINGLE)
    assert cycles(client) == PROGRAM.cycles(8)
    assert client.load(ClientModel(PROGRAM, SHARING)) == c_client.OK
    assert cycles(client) == single


@pytest.mark.parametrize(
    "model_board", [BOARD, row(groups=4, single_drain=2), row(groups=3, single_drain=4)]
)
def test_a_model_for_other_groups_runs_for_throughput(model_board):
    client = loaded(SHARING, model_board)
    assert cycles(client) == PROGRAM.cycles(8) and client.faults == 0


@pytest.mark.parametrize("board", [BOARD, row(groups=3)])
def test_a_device_whose_groups_cannot_share_is_not_asked_to(board):
    client = loaded(board, SHARING)
    assert cycles(client) == PROGRAM.cycles(8) and client.faults == 0


def test_samples_of_several_packets_share_groups():
    program, levels = chain_program(300, bond=8), random_levels(2, 300)
    client = Client(GoldenLine(SHARING))
    assert client.open() == c_client.OK
    assert client.load(ClientModel(program, SHARING)) == c_client.OK
    for sample in levels:
        status, result = client.run(sample)
        assert status == c_client.OK
        assert result.cycles == program.single_cycles(SHARING.require_contractor())
    assert client.faults == 0
