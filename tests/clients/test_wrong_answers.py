"""Frames that are intact and say what no device says: no answer, and no wait without an end."""

import struct
from dataclasses import fields

import pytest

from tensorspin.contract.annealer.engine import ANNEALER
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.description import LAYOUT, NAME_BYTES, RECORD, SIZE_BYTES
from tensorspin.contract.engine import EngineKind
from tensorspin.export.model import ClientModel
from tensorspin.golden import device as golden

from ..support import c_client
from ..support.c_lines import GoldenLine
from ..support.controllers import GoldenWires
from ..support.loaded_programs import chain_program, random_levels
from ..support.wrong_answers import OUTPUTS, SPOILED, spoil_answers
from .micropython import ROW, DriverError, DriverFault, expected, exported, opened
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
    assert client.run(LEVELS[0])[0] == c_client.FAULT
    assert line.us - before < 100_000
    monkeypatch.undo()
    assert client.load(ClientModel(PROGRAM, line.board)) == c_client.OK
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
    with pytest.raises(DriverFault, match="does not run the model that was loaded"):
        controller.run(LEVELS.tolist())
    assert wires.now() - begun < 1
    monkeypatch.undo()
    controller.load()
    assert controller.run(LEVELS.tolist()) == expected(PROGRAM, LEVELS)


DESCRIPTION = find_board("ulx3s_25f_both_spi").description(bytes(8)).pack()


def with_strides(count, stride):
    """The description with so many strides of an annealer, of which each that there was is this."""
    names = [field.name for field in fields(ANNEALER.size)]
    contractor = LAYOUT.size + RECORD.size + DESCRIPTION[LAYOUT.size + 1]
    at = contractor + RECORD.size + SIZE_BYTES * names.index("strides")
    (strides,) = struct.unpack_from("<I", DESCRIPTION, at)
    packed = struct.pack(f"<{strides + 1}I", count, *[stride] * strides)
    return DESCRIPTION[:at] + packed + DESCRIPTION[at + len(packed) :]


def with_coupling_bits(bits):
    """The description with couplings of so many bits."""
    at = LAYOUT.size + RECORD.size + DESCRIPTION[LAYOUT.size + 1] + RECORD.size + SIZE_BYTES
    return DESCRIPTION[:at] + struct.pack("<I", bits) + DESCRIPTION[at + SIZE_BYTES :]


@pytest.mark.parametrize(
    "told",
    [
        *(DESCRIPTION[:length] for length in (5, 20, LAYOUT.size - 1, LAYOUT.size + 1)),
        DESCRIPTION[:-1],
        DESCRIPTION + b"\1",
        DESCRIPTION[: LAYOUT.size] + RECORD.pack(EngineKind.CONTRACTOR, 8) + bytes(8),
        with_strides(0, 1),
        with_strides(200, 1),
        with_strides(5, 0),
        with_strides(7, 1 << 20),
        with_coupling_bits(9),
    ],
)
def test_a_board_that_describes_itself_as_none_can(connect, monkeypatch, told):
    controller = connect(GoldenWires(ROW))
    with monkeypatch.context() as patch:
        patch.setattr(golden.GoldenDevice, "_hello", lambda self, payload: (0, told))
        with pytest.raises(DriverError, match="describes itself as no board can"):
            controller.open()
    assert controller.open() == ROW.name


def test_nothing_is_kept_of_such_a_description(connect, monkeypatch):
    controller = connect(GoldenWires(ROW))
    controller.open()
    with monkeypatch.context() as patch:
        told = with_strides(200, 1)
        patch.setattr(golden.GoldenDevice, "_hello", lambda self, payload: (0, told))
        with pytest.raises(DriverError, match="describes itself as no board can"):
            controller.greet()
    with pytest.raises(DriverError, match=f"{ROW.name} has no annealer in its bitstream"):
        controller.anneal([[0, 1, 1]], [0, 0], [4.0, 1.0], 3, 0)


def test_an_annealer_that_no_packet_could_start(connect, monkeypatch):
    told = with_strides(7, 60_000)
    monkeypatch.setattr(golden.GoldenDevice, "_hello", lambda self, payload: (0, told))
    controller = connect(GoldenWires(ROW))
    controller.open()
    with pytest.raises(DriverError, match="describes itself as no board can"):
        controller.anneal([[0, 1, 1]], [0, 0], [4.0, 1.0], 3, 0)


def test_a_name_of_a_board_need_not_be_text(connect, monkeypatch):
    told = DESCRIPTION[:2] + b"\xff\x80a".ljust(NAME_BYTES, b"\0") + DESCRIPTION[2 + NAME_BYTES :]
    monkeypatch.setattr(golden.GoldenDevice, "_hello", lambda self, payload: (0, told))
    assert connect(GoldenWires(ROW)).open() == "??a"
