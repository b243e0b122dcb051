"""A made-up third engine becomes part of a device by its rows in the tables alone."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.capabilities import device_requests, device_spaces, space_owner
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.device.engines import ENGINES, Engines
from tensorspin.contract.engine import Engine, EngineKind, Space
from tensorspin.contract.wire.packets import PacketType, Status
from tensorspin.driver import connection
from tensorspin.driver.engine import EngineDriver
from tensorspin.driver.link.measure import LinkProbe
from tensorspin.driver.link.requests import Read, Write
from tensorspin.golden import device as device_module
from tensorspin.golden.engine import GoldenEngine
from tests.support.doubles import golden_board

KIND = max(EngineKind) + 1


class ScratchSpace(enum.IntEnum):
    """Behind those of the other engines."""

    WORDS = 1 + max(number for row in ENGINES.values() for number in row.space_numbers)


@dataclass(frozen=True)
class ScratchSize:
    """A memory of words, and as many of something else as a tuple has."""

    words: int
    shape: tuple[int, ...] = (2, 3)


def scratch_spaces(size):
    return {ScratchSpace.WORDS: Space((4 * size.words - 1).bit_length(), True, True)}


class GoldenScratch(GoldenEngine):
    """A memory that answers with what it holds."""

    def __init__(self, size):
        self.memories = {ScratchSpace.WORDS: bytearray(4 * size.words)}

    def execute(self, kind, payload, cycle):
        return Status.UNKNOWN_TYPE, b""


class ScratchDriver(EngineDriver):
    """Writes zeros, and reads them."""

    def __init__(self, session, forget_models):
        self.session = session

    def link_probe(self):
        space = ScratchSpace.WORDS
        return LinkProbe(lambda: Write(space, 0, bytes(16)), lambda: Read(space, 0, 16))


ROW = Engine(
    KIND, "scratchpad", "remembers", ScratchSize, frozenset(), ScratchSpace, scratch_spaces
)
SIZE = ScratchSize(words=64)


@pytest.fixture(autouse=True)
def rows(monkeypatch):
    """A row in each table that has one for each engine."""
    monkeypatch.setitem(ENGINES, KIND, ROW)
    monkeypatch.setitem(device_module.GOLDEN_ENGINES, KIND, GoldenScratch)
    monkeypatch.setitem(connection.DRIVERS, KIND, ScratchDriver)


@pytest.fixture(params=["icebreaker", "ulx3s_25f_both", None])
def spec(request):
    """Boards with the third engine beside one or two others, or alone."""
    board = find_board(request.param or "icebreaker")
    engines = board.engines.with_sizes(SIZE) if request.param else Engines(SIZE)
    return replace(board, engines=engines)


def test_description(spec):
    description = spec.description(bytes(8))
    assert DeviceDescription.unpack(description.pack()) == description
    assert description.engines[KIND] == SIZE
    assert spec.engines.require(ScratchSize).words == 64


def test_missing_engine_is_named():
    with pytest.raises(ValueError, match="'icebreaker' has no scratchpad, which remembers"):
        board = find_board("icebreaker")
        board.engines.require(ScratchSize, board.owner)


def test_requests_and_spaces(spec):
    assert space_owner(ScratchSpace.WORDS) == KIND
    assert space_owner(MemorySpace.TABLE) == EngineKind.CONTRACTOR
    assert device_spaces(spec.engines)[ScratchSpace.WORDS].bits == 8
    assert (PacketType.RUN in device_requests(spec.engines)) == (spec.contractor is not None)


def test_golden_device_and_board(spec):
    with golden_board(row=spec) as board:
        assert board.info.engines == spec.engines
        session = board._session
        list(session.exchange([Write(ScratchSpace.WORDS, 5, b"hello")]))
        ((_, reply),) = session.exchange([Read(ScratchSpace.WORDS, 4, 7)])
        assert reply == b"\0hello\0"
        assert not board.status().annealing
        assert board.link_test(0.1).to_device > 0
