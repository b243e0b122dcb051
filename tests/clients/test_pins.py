"""The C driver on the gateware's simulated pins."""

import numpy as np
import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.driver.transports import open_transport
from tensorspin.errors import TransportError
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Client, Result
from ..support.c_lines import FaultyLine, PinsLine
from ..support.loaded_programs import chain_program, cycles_of, random_levels
from .test_contractor import answer_of, assert_right, expected_of, loaded

BOARD = find_board("icebreaker_spi")


@pytest.fixture(scope="module")
def pins():
    """The pins of a simulated board at 25 MHz."""
    try:
        transport = open_transport("sim://icebreaker_spi")
    except TransportError as error:
        pytest.skip(str(error))
    yield transport._controller._pins
    transport.close()


@pytest.fixture
def line(pins):
    return PinsLine(pins)


@pytest.mark.parametrize("wired", [True, False])
def test_answers_are_those_of_the_golden_model(line, wired):
    program, levels = chain_program(64, n_outputs=10, bond=8, seed=wired), random_levels(8, 64)
    client = loaded(line, program, wired)
    assert_right(client, program, levels)
    assert client.faults == 0


def test_samples_one_behind_the_other(line):
    program, levels = chain_program(64, n_outputs=10, bond=8), random_levels(12, 64)
    client = loaded(line, program)
    results, done = [Result(), Result()], []
    began = line.pins.now()
    for index, sample in enumerate(levels):
        assert client.start(sample, results[index % 2]) == c_client.OK
        if index == 0:
            continue
        while (status := client.finish()) == c_client.PENDING:
            pass
        assert status == c_client.OK
        done.append(answer_of(results[(index - 1) % 2], program.n_outputs))
    seconds = (line.pins.now() - began) / len(done)
    while client.finish() == c_client.PENDING:
        pass
    assert done == expected_of(program, levels)[:-1] and client.faults == 0
    # The engine is never idle for long: the wires take less time than it does.
    assert seconds < 1.15 * cycles_of(program) / BOARD.clock_hz


def test_requests_of_every_length_are_answered_in_time(line):
    for features in (2, 244, 300):
        program = chain_program(features, bond=2)
        client = loaded(line, program)
        assert_right(client, program, random_levels(2, features))
        assert client.status()[0] == c_client.OK
        assert client.faults == 0


@pytest.mark.parametrize("rate", [1e-4, 1e-3])
def test_damage_costs_time_and_nothing_else(line, rate):
    program, levels = chain_program(64, n_outputs=10, bond=8, seed=2), random_levels(24, 64)
    faulty = FaultyLine(line, rate, seed=3)
    assert_right(loaded(faulty, program), program, levels)


def test_transactions_that_are_cut_off(line):
    program, levels = chain_program(64, bond=8), random_levels(10, 64)
    client = loaded(line, program)
    rng = np.random.default_rng(0)
    inner = line.transfer

    def transfer(data):
        """Some bits of a byte come in between, or a select without a clock."""
        if rng.random() < 0.2:
            line.pins.select(True)
            line.pins.transfer_bits(0x5A, int(rng.integers(0, 8)))
            line.pins.select(False)
        return inner(data)

    line.transfer = transfer
    assert_right(client, program, levels)


@pytest.mark.parametrize("stuck", [False, True])
def test_an_interrupt_that_is_stuck(line, stuck):
    program, levels = chain_program(64, bond=8), random_levels(3, 64)
    faulty = FaultyLine(line)
    client = loaded(faulty, program)
    faulty.stuck = stuck
    assert_right(client, program, levels)


def test_a_device_that_is_reset_and_a_driver_that_is(pins):
    program, levels = chain_program(64, bond=8, seed=4), random_levels(2, 64)
    client = loaded(PinsLine(pins), program)
    assert client.start(levels[0], Result()) == c_client.OK
    client = Client(PinsLine(pins))  # the microcontroller is reset while a sample computes
    assert client.open() == c_client.OK
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    assert_right(client, program, levels)
    with open_transport("sim://icebreaker_spi")._controller._pins as fresh:
        client.line.pins = fresh  # a device that was configured anew, at the same wires
        assert client.run(levels[0])[0] == c_client.NO_MODEL
        assert client.load(ClientModel(program, BOARD)) == c_client.OK
        assert_right(client, program, levels)


def test_a_digit_takes_little_more_than_the_engine(line):
    """The figures that are promised, without the time of the microcontroller's own work."""
    program, levels = chain_program(64, n_outputs=10, bond=16, seed=9), random_levels(6, 64)
    client = Client(line)
    assert client.open() == c_client.OK
    began = line.pins.now()
    assert client.load(ClientModel(program, BOARD)) == c_client.OK
    load = line.pins.now() - began
    size = len(program.image(8)) + len(program.table_bytes())
    assert load < 1.35 * size * 8 / line.pins.sck_hz
    engine = cycles_of(program) / BOARD.clock_hz
    for sample in levels:
        began = line.pins.now()
        assert client.run(sample)[0] == c_client.OK
        assert line.pins.now() - began < engine + 45e-6
