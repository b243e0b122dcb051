"""A bad line: every answer is right, or there is a clear error, in bounded time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.driver.board import Board
from tensorspin.errors import LinkError

from ..support.doubles import ROW, assert_answers, golden_transport
from ..support.faults import FaultRates, FaultyTransport
from ..support.loaded_programs import chain_program, golden_answers, random_levels

FULL = FaultRates(byte=0.01, frame=0.02, stall=0.005)
"""One byte in a hundred, in each direction, and whole frames as well."""


def load_and_run(transport, program, levels):
    """Right answers, or a LinkError; then the board must be usable on a good line."""
    expected = golden_answers(program, levels)
    try:
        with Board.over(transport) as board:
            board.load(program)
            assert_answers(board.run(levels), expected)
            assert_answers(board.run(levels), expected)
        return True
    except LinkError:
        return False
    finally:
        transport.heal()
        board = Board.over(transport)
        board.load(program)
        assert_answers(board.run(levels), expected)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(
    "rates",
    [
        FaultRates(byte=0.001, frame=0.002, stall=0.001),
        FaultRates(byte=0.01),
        FULL,
    ],
    ids=["0.1 %", "1 %", "1 % and frames"],
)
def test_up_to_one_byte_in_a_hundred_gets_through(rates, seed):
    program = chain_program(n_features=20, n_outputs=10, seed=seed)
    transport = FaultyTransport(golden_transport(), rates, seed)
    assert load_and_run(transport, program, random_levels(12, 20, seed))
    assert transport.now() < 60


@pytest.mark.parametrize("seed", range(6))
def test_large_samples_on_a_bad_line(seed):
    program = chain_program(n_features=500, n_outputs=10, bond=2, seed=seed)
    transport = FaultyTransport(golden_transport(), FaultRates(0.005, 0.01, 0.001), seed)
    assert load_and_run(transport, program, random_levels(3, 500, seed))
    assert transport.now() < 120


@pytest.mark.parametrize("kind", ["byte", "frame", "stall"])
@pytest.mark.parametrize("seed", range(4))
def test_each_kind_alone(kind, seed):
    rate = {"byte": 0.01, "frame": 0.2, "stall": 0.3}[kind]
    transport = FaultyTransport(golden_transport(), FaultRates(**{kind: rate}), seed)
    program = chain_program(seed=seed)
    assert load_and_run(transport, program, random_levels(30, 8, seed))
    assert transport.counts.total() > 0


@pytest.mark.parametrize("byte", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_hopeless_lines_are_given_up(byte, seed):
    transport = FaultyTransport(golden_transport(), FaultRates(), seed)
    program = chain_program(seed=seed)
    levels = random_levels(50, 8)
    board = Board.over(transport)
    board.load(program)
    start = transport.now()
    transport.set_rates(FaultRates(byte=byte))
    try:
        assert_answers(board.run(levels), golden_answers(program, levels))
    except LinkError as error:
        assert "damaged" in str(error)
    else:
        assert byte < 0.3
    assert transport.now() - start < 120
    transport.heal()
    assert_answers(board.run(levels), golden_answers(program, levels))


@given(
    byte=st.floats(0, 0.03),
    frame=st.floats(0, 0.1),
    stall=st.floats(0, 0.05),
    seed=st.integers(0, 2**32 - 1),
    features=st.integers(2, 30),
    samples=st.integers(1, 8),
)
@settings(max_examples=40, deadline=None)
def test_never_a_wrong_answer(byte, frame, stall, seed, features, samples):
    transport = FaultyTransport(golden_transport(), FaultRates(byte, frame, stall), seed)
    program = chain_program(n_features=features, seed=seed)
    load_and_run(transport, program, random_levels(samples, features, seed))
    assert transport.now() < 600


@given(st.binary(max_size=2000), st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_any_bytes_before_opening(garbage, seed):
    """Whatever the device was sent before, it is greeted, and its memories are as they were."""
    transport = golden_transport()
    transport.write(garbage)
    with Board.over(transport) as board:
        assert not board.status().active
    assert not any(map(any, transport.device.memories.values()))


def test_runs_repeat_exactly():
    def once():
        transport = FaultyTransport(golden_transport(), FULL, seed=5)
        board = Board.over(transport)
        board.load(chain_program())
        board.run(random_levels(20))
        return transport.now(), transport.counts, board._session.line.statistics

    assert once() == once()


def test_verify_on_a_bad_line():
    program = chain_program(n_features=64, bond=8)
    transport = FaultyTransport(golden_transport(), FULL, seed=1)
    board = Board.over(transport)
    board.load(program, verify=True)
    memory = transport.inner.device.memories[MemorySpace.PROGRAM]
    image = program.image(8)
    np.testing.assert_array_equal(memory[: len(image)], bytearray(image))


def test_link_test_on_a_bad_line():
    transport = FaultyTransport(golden_transport(), FaultRates(byte=0.002), seed=1)
    board = Board.over(transport)
    report = board.link_test(2.0)
    assert report.statistics.damaged > 0
    assert report.statistics.rejected > 0
    assert 0.05 < report.to_device * ROW.byte_seconds < 1
    assert 0.05 < report.from_device * ROW.byte_seconds < 1
