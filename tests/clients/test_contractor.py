"""The C driver runs models on a golden device, over good lines and bad ones."""

import ctypes
from dataclasses import replace

import pytest

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.wire.packets import DeviceStatus
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Client, Model, Result
from ..support.c_lines import FaultyLine, GoldenLine
from ..support.loaded_programs import chain_program, cycles_of, golden_answers, random_levels

BOARD = find_board("icebreaker_spi")


def answer_of(result, outputs):
    return list(result.scores[:outputs]), result.exponent, result.best, result.cycles


def expected_of(program, levels):
    found = golden_answers(program, levels)
    return [
        (found.scores[k].tolist(), found.exponents[k], found.classes[k], cycles_of(program))
        for k in range(len(levels))
    ]


def loaded(line, program, wired=True):
    client = Client(line, wired)
    assert client.open() == c_client.OK
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    return client


def assert_right(client, program, levels):
    for sample, expected in zip(levels, expected_of(program, levels)):
        status, result = client.run(sample)
        assert status == c_client.OK
        assert answer_of(result, program.n_outputs) == expected


@pytest.mark.parametrize("wired", [True, False])
@pytest.mark.parametrize("late", [0, 1, 2, 9])
def test_answers_are_those_of_the_golden_model(late, wired):
    program, line = chain_program(12, n_outputs=10), GoldenLine(BOARD, late)
    client = loaded(line, program, wired)
    assert_right(client, program, random_levels(20, 12))
    assert client.faults == 0


@pytest.mark.parametrize("features", [2, 243, 244, 245, 488, 489, 1000])
def test_any_number_of_features(features):
    program = chain_program(features, n_outputs=2, bond=2)
    client = loaded(GoldenLine(BOARD), program)
    assert_right(client, program, random_levels(2, features))
    assert client.faults == 0


@pytest.mark.parametrize("features", [8, 300])
def test_the_next_sample_travels_while_one_computes(features):
    program, levels = chain_program(features), random_levels(30, features)
    client = loaded(GoldenLine(BOARD), program)
    results, running, done = [Result(), Result()], 0, []
    for index, sample in enumerate(levels):
        assert client.start(sample, results[index % 2]) == c_client.OK
        running += 1
        if running < 2:
            continue
        assert client.start(sample, results[0]) == c_client.BUSY
        assert client.run(sample)[0] == c_client.BUSY
        assert client.load(ClientModel(program, BOARD)) == c_client.BUSY
        while (status := client.finish()) == c_client.PENDING:
            pass
        assert status == c_client.OK
        done.append(answer_of(results[(index - 1) % 2], program.n_outputs))
        running -= 1
    while (status := client.finish()) == c_client.PENDING:
        pass
    done.append(answer_of(results[(len(levels) - 1) % 2], program.n_outputs))
    assert done == expected_of(program, levels)
    assert client.finish() == c_client.IDLE and client.faults == 0


def test_a_model_that_the_device_holds_is_not_sent_again():
    program, line = chain_program(30), GoldenLine(BOARD)
    loaded(line, program)
    before = line.bytes
    client = loaded(line, program)
    assert line.bytes - before < 200
    assert_right(client, program, random_levels(1, 30))
    other = chain_program(30, seed=1)
    assert client.load(ClientModel(other, BOARD)) == c_client.OK
    assert_right(client, other, random_levels(1, 30))


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 5e-3])
@pytest.mark.parametrize("features", [40, 300])
def test_damage_in_both_directions_costs_time_and_nothing_else(rate, features):
    program, levels = chain_program(features, bond=8), random_levels(24, features)
    line = FaultyLine(GoldenLine(BOARD), rate, seed=features)
    client = loaded(line, program)
    assert_right(client, program, levels)
    results = [Result(), Result()]
    done = []
    for index, sample in enumerate(levels):
        assert client.start(sample, results[index % 2]) == c_client.OK
        if index == 0:
            continue
        while (status := client.finish()) == c_client.PENDING:
            pass
        assert status == c_client.OK
        done.append(answer_of(results[(index - 1) % 2], program.n_outputs))
    assert done == expected_of(program, levels)[:-1]
    if rate > 2e-4:
        assert line.damaged > 0 and client.faults > 0


def test_a_damaged_frame_costs_microseconds():
    program, levels = chain_program(64, bond=8), random_levels(1, 64)
    line = GoldenLine(BOARD)
    client = loaded(line, program)
    times = []
    for position in (None, 5, 40, 70, 76):
        inner, hits = line.transfer, []

        def transfer(data, inner=inner, position=position, hits=hits):
            if position is not None and len(data) > position and not hits:
                hits.append(1)
                data = data[:position] + bytes([data[position] ^ 0x5A]) + data[position + 1 :]
            return inner(data)

        line.transfer = transfer
        before = line.us
        assert_right(client, program, levels)
        times.append(line.us - before)
        line.transfer = inner
    assert max(times) - times[0] < 400  # microseconds


@pytest.mark.parametrize("level", [False, True])
def test_an_interrupt_that_is_stuck_costs_time_and_nothing_else(level):
    program = chain_program(10)
    line = FaultyLine(GoldenLine(BOARD))
    client = loaded(line, program)
    line.stuck = level
    assert_right(client, program, random_levels(5, 10))
    line.stuck = None
    assert_right(client, program, random_levels(5, 10))


@pytest.mark.parametrize("idle", [0x00, 0xFF, 0x55])
@pytest.mark.parametrize("stuck", [None, False, True])
def test_a_line_that_is_cut_is_given_up_soon_and_may_come_back(idle, stuck):
    program, levels = chain_program(10), random_levels(3, 10)
    inner = GoldenLine(BOARD)
    line = FaultyLine(inner)
    line.cut, line.idle_byte, line.stuck = True, idle, stuck
    client = Client(line)
    assert client.open() == c_client.TIMEOUT
    assert inner.us < 150e3
    line.cut, line.stuck = False, None
    assert client.open() == c_client.OK
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    assert_right(client, program, levels)
    line.cut, line.stuck = True, stuck
    model = ClientModel(program, BOARD)
    for ask in (client.status, lambda: client.run(levels[0]), lambda: [client.load(model)]):
        for _ in range(2):
            before = inner.us
            assert ask()[0] == c_client.TIMEOUT
            assert inner.us - before < 150e3
    assert client.run(levels[0])[0] == c_client.NO_MODEL
    line.cut, line.stuck = False, None
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    assert_right(client, program, levels)


def test_a_short_cut_is_mended():
    program, levels = chain_program(10), random_levels(3, 10)
    line = FaultyLine(GoldenLine(BOARD))
    client = loaded(line, program)
    result = Result()
    assert client.start(levels[0], result) == c_client.OK
    line.cut = True
    for _ in range(40):
        assert client.finish() == c_client.PENDING
    line.cut = False
    while (status := client.finish()) == c_client.PENDING:
        pass
    assert status == c_client.OK
    assert answer_of(result, 3) == expected_of(program, levels)[0]


def test_a_device_that_is_reset_is_noticed_and_loaded_again():
    program, levels = chain_program(10), random_levels(2, 10)
    line = GoldenLine(BOARD)
    client = loaded(line, program)
    line.reset()
    assert client.run(levels[0])[0] == c_client.NO_MODEL
    assert client.run(levels[0])[0] == c_client.NO_MODEL
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    assert_right(client, program, levels)
    results = [Result(), Result()]
    for sample, result in zip(levels, results):
        assert client.start(sample, result) == c_client.OK
    line.reset()
    while (status := client.finish()) == c_client.PENDING:
        pass
    assert status == c_client.NO_MODEL
    assert client.finish() == c_client.IDLE
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    assert_right(client, program, levels)


@pytest.mark.parametrize("after", [300, 1500, 4000])
def test_a_reset_while_a_model_is_loaded_loses_nothing(after):
    program, levels = chain_program(60, bond=8), random_levels(2, 60)
    line = GoldenLine(BOARD)
    client = Client(line)
    assert client.open() == c_client.OK
    inner, begin, done = line.transfer, line.bytes, []

    def transfer(data):
        if not done and line.bytes - begin > after:
            done.append(line.reset())
        return inner(data)

    line.transfer = transfer
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    assert done
    assert_right(client, program, levels)


def test_a_driver_that_begins_anew_in_the_middle_is_not_confused():
    program, levels = chain_program(10), random_levels(2, 10)
    line = GoldenLine(BOARD)
    client = loaded(line, program)
    for sent in (1, 7, 20):
        for sample in levels:
            assert client.start(sample, Result()) == c_client.OK
        line.transfer(b"\x05" * sent)  # a part of a frame, before the microcontroller was reset
        client = loaded(line, program)
        assert_right(client, program, levels)


def test_another_hosts_model_is_noticed():
    program, other = chain_program(10), chain_program(10, seed=5)
    line = FaultyLine(GoldenLine(BOARD))
    client = loaded(line, program)
    line.cut = True
    assert client.run(random_levels(1, 10)[0])[0] == c_client.TIMEOUT
    line.cut = False
    loaded(line, other)
    assert client.run(random_levels(1, 10)[0])[0] == c_client.NO_MODEL


def test_what_does_not_fit_is_refused_before_it_is_sent():
    line = GoldenLine(BOARD)
    client = Client(line)
    assert client.open() == c_client.OK
    model = ClientModel(chain_program(10), BOARD)
    assert client.run(random_levels(1, 10)[0])[0] == c_client.NO_MODEL
    for place, more in enumerate((1, 1 << 14, 1 << 10, 4, 8, 32)):
        packed = Model.of(model)
        packed.needs[place] += more
        before = line.bytes
        assert client.load(packed) == c_client.DOES_NOT_FIT
        assert line.bytes - before < 100
        assert client.run(random_levels(1, 10)[0])[0] == c_client.NO_MODEL
    packed = Model.of(model)
    packed.outputs = 65
    assert client.load(packed) == c_client.DOES_NOT_FIT
    assert client.load(model) == c_client.OK
    annealer = Client(GoldenLine(find_board("icebreaker_annealer")))
    assert annealer.open() == c_client.OK
    assert annealer.load(model) == c_client.DOES_NOT_FIT


def test_a_larger_device_with_the_same_lanes_takes_the_model():
    size = BOARD.require_contractor()
    larger = replace(size, program_words=1 << 15, slots=16, groups=3)
    assert isinstance(larger, ContractorSize)
    row = replace(BOARD, engines=BOARD.engines.with_sizes(larger))
    program = chain_program(10)
    assert_right(loaded(GoldenLine(row), program), program, random_levels(3, 10))


def test_counters_are_those_of_the_device():
    program, line = chain_program(10), GoldenLine(BOARD)
    client = loaded(line, program)
    assert_right(client, program, random_levels(3, 10))
    error, packed = client.status()
    assert error == c_client.OK
    status = DeviceStatus.unpack(packed)
    assert status.active and status.samples == 3
    assert status.digest == program.digest(8, signed=True)


def test_memory_of_the_driver():
    assert ctypes.sizeof(Result) == 136
    # Pointers have 8 bytes here and 4 on the microcontroller.
    assert c_client.library().client_device_bytes() <= 640
    assert c_client.library().client_workspace_bytes() <= 3584


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, 2, c_client.OTHER_PROTOCOL),
        (0, 4, c_client.OTHER_PROTOCOL),
        (26, 10_000, c_client.BAD_DEVICE),  # a clock of 10 kHz
        (26, 999_999, c_client.BAD_DEVICE),
        (45, 4, c_client.BAD_DEVICE),  # a record that is shorter than it says
        (45, 255, c_client.BAD_DEVICE),
    ],
)
def test_devices_that_describe_what_cannot_be_are_refused(monkeypatch, place, value, error):
    packed = bytearray(BOARD.description(bytes(8)).pack())
    count = {0: 2, 26: 4}.get(place, 1)
    packed[place : place + count] = value.to_bytes(count, "little")
    line = GoldenLine(BOARD)
    monkeypatch.setattr(line.device, "_hello", lambda payload: (0, bytes(packed)), raising=True)
    client = Client(line)
    for _ in range(2):
        before = line.us
        assert client.open() == error
        assert line.us - before < 2000
    monkeypatch.undo()
    assert client.load(ClientModel(chain_program(4), BOARD)) == c_client.OK


@pytest.mark.parametrize("wired", [True, False])
@pytest.mark.parametrize(("byte_us", "call_us"), [(8.0, 1.0), (80.0, 0.25), (0.16, 40.0)])
def test_slow_wires_and_slow_microcontrollers(wired, byte_us, call_us):
    program, line = chain_program(12, n_outputs=10), GoldenLine(BOARD, byte_us=byte_us)
    line.call_us = call_us
    client = loaded(line, program, wired)
    levels = random_levels(5, 12)
    assert_right(client, program, levels)
    results = [Result(), Result()]
    for index, sample in enumerate(levels):
        assert client.start(sample, results[index % 2]) == c_client.OK
        if index:
            while (status := client.finish()) == c_client.PENDING:
                pass
            assert status == c_client.OK
    assert client.faults == 0


def test_an_answer_may_wait_for_as_long_as_it_likes():
    program, line = chain_program(12), GoldenLine(BOARD)
    client = loaded(line, program)
    levels, result = random_levels(1, 12), Result()
    line.us = 2.0**32 - 50  # the clock begins anew meanwhile
    assert client.start(levels[0], result) == c_client.OK
    line.us += 5e6  # the program does other things
    while (status := client.finish()) == c_client.PENDING:
        pass
    assert status == c_client.OK
    assert answer_of(result, 3) == expected_of(program, levels)[0]
    assert client.faults == 0


def test_questions_may_come_in_between():
    program, line = chain_program(12), GoldenLine(BOARD)
    client = loaded(line, program)
    levels, results = random_levels(2, 12), [Result(), Result()]
    for sample, result in zip(levels, results):
        assert client.start(sample, result) == c_client.OK
        assert client.status()[0] == c_client.OK
    for result, expected in zip(results, expected_of(program, levels)):
        while (status := client.finish()) == c_client.PENDING:
            pass
        assert status == c_client.OK and answer_of(result, 3) == expected
    assert client.faults == 0
