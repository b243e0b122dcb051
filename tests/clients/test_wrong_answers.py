"""Frames that are intact and say what no device says: no answer, and no wait without an end."""

import pytest

from tensorspin.contract.device.boards import find_board

from ..support import c_client
from ..support.c_client import GoldenLine
from ..support.controllers import GoldenWires
from ..support.loaded_programs import chain_program, random_levels
from ..support.wrong_answers import OUTPUTS, SPOILED, spoil_answers
from .micropython import ROW, DriverError, expected, exported, opened
from .test_contractor import assert_right, loaded

PROGRAM, LEVELS = chain_program(12, n_outputs=OUTPUTS), random_levels(2, 12)
ALWAYS = 1 << 30


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_the_c_driver_asks_again(monkeypatch, spoil):
    line = GoldenLine(find_board(ROW.name))
    client = loaded(line, PROGRAM)
    spoil_answers(monkeypatch, spoil, 1)
    assert_right(client, PROGRAM, LEVELS)
    spoil_answers(monkeypatch, spoil, ALWAYS)
    before = line.us
    assert client.run(LEVELS[0])[0] == c_client.TIMEOUT
    assert line.us - before < 100_000
    monkeypatch.undo()
    assert_right(client, PROGRAM, LEVELS)


@pytest.mark.parametrize("status", [128, 200, 254, 255])
def test_a_status_that_there_is_not_is_no_error_of_the_c_driver(monkeypatch, status):
    """As numbers of 8 bits with a sign these would be: -1 says that no answer has come yet."""
    client = loaded(GoldenLine(find_board(ROW.name)), PROGRAM)
    spoil_answers(monkeypatch, lambda *said: (status, b""), ALWAYS)
    assert client.run(LEVELS[0])[0] == c_client.TIMEOUT


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_the_micropython_driver_asks_again(connect, monkeypatch, tmp_path, spoil):
    wires = GoldenWires(ROW)
    controller = opened(connect(wires), exported(tmp_path, PROGRAM))
    spoil_answers(monkeypatch, spoil, 1)
    assert controller.run(LEVELS.tolist()) == expected(PROGRAM, LEVELS)
    spoil_answers(monkeypatch, spoil, ALWAYS)
    begun = wires.now()
    with pytest.raises(DriverError, match="does not answer"):
        controller.run(LEVELS.tolist())
    assert wires.now() - begun < 4
    monkeypatch.undo()
    assert controller.run(LEVELS.tolist()) == expected(PROGRAM, LEVELS)
