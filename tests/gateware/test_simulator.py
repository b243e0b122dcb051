"""Simulators are compiled, kept and run; shown on a design that is known cycle by cycle."""

import sys
import types

import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from tensorspin.contract.device.boards import find_board
from tensorspin_gateware.simulation import compilation, simulator

CLOCK_HZ = 12_000_000


class Echo(wiring.Component):
    """Sends back what it receives, each byte plus one, through a queue.

    The queue takes a byte only every `PERIOD` cycles.
    """

    DEPTH = 16
    PERIOD = 4

    rx: In(stream.Signature(8))
    tx: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = SyncFIFOBuffered(width=8, depth=self.DEPTH)
        phase = Signal(range(self.PERIOD))
        turn = phase == 0
        m.d.sync += phase.eq(phase + 1)
        m.d.comb += [
            queue.w_stream.payload.eq(self.rx.payload),
            queue.w_stream.valid.eq(self.rx.valid & turn),
            self.rx.ready.eq(queue.w_stream.ready & turn),
            self.tx.payload.eq(queue.r_stream.payload + 1),
            self.tx.valid.eq(queue.r_stream.valid),
            queue.r_stream.ready.eq(self.tx.ready),
        ]
        return m


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("simulator")


@pytest.fixture(scope="module")
def library(folder):
    return compilation.compile_simulator(Echo(), folder, progress=lambda line: None)


@pytest.fixture
def board(library):
    with simulator.VirtualBoard(library, CLOCK_HZ) as board:
        yield board


def test_bytes_keep_their_order(board):
    data = bytes(range(200)) * 3
    accepted, received = board.run(Echo.PERIOD * len(data) + 10, data)
    assert accepted == len(data)
    assert received == bytes((byte + 1) % 256 for byte in data)


def test_cycles_are_counted(board):
    board.run(17)
    board.run(100_000)
    assert board.cycles == 100_017
    assert board.clock_hz == CLOCK_HZ


def test_device_makes_the_line_wait(board):
    accepted, received = board.run(5 * Echo.PERIOD, bytes(10))
    assert accepted == 5
    accepted, rest = board.run(50, bytes(10)[accepted:])
    assert accepted == 5
    assert received + rest == bytes([1] * 10)


def test_output_longer_than_the_buffer(board, monkeypatch):
    monkeypatch.setattr(simulator, "_OUTPUT_BYTES", 7)
    data = bytes(range(100))
    accepted, received = board.run(500, data)
    assert accepted == 100
    assert received == bytes(byte + 1 for byte in data)


def test_stops_after_a_delimiter(board):
    accepted, received = board.run(1000, b"\x05\xff\x06\x07", stop_on_delimiter=True)
    assert received == b"\x06\x00"
    assert board.cycles < 20
    _, rest = board.run(50, b"\x05\xff\x06\x07"[accepted:])
    assert rest == b"\x07\x08"


def test_instances_are_independent(library):
    with (
        simulator.VirtualBoard(library, CLOCK_HZ) as first,
        simulator.VirtualBoard(library, CLOCK_HZ) as second,
    ):
        assert first.run(1, b"\x01") == (1, b"")
        assert second.run(20) == (0, b"")
        assert second.run(20, b"\x10") == (1, b"\x11")
        assert first.run(20) == (0, b"\x02")
        assert (first.cycles, second.cycles) == (21, 40)


def test_closed_board_says_so(library):
    board = simulator.VirtualBoard(library, CLOCK_HZ)
    board.close()
    board.close()
    with pytest.raises(ValueError, match="closed"):
        board.run(1)


def test_compiled_once(library, folder, monkeypatch):
    def fail(*arguments):
        raise AssertionError("compiled again")

    monkeypatch.setattr(compilation, "_verilate", fail)
    again = compilation.compile_simulator(Echo(), folder, progress=lambda line: None)
    assert again == library


def test_board_is_elaborated_once(library, folder, monkeypatch):
    """A second start only computes the digest of the sources."""
    elaborated = []

    def accelerator(board, build):
        elaborated.append(board.name)
        return Echo()

    gateware = types.ModuleType("tensorspin_gateware.accelerator")
    gateware.Accelerator = accelerator
    monkeypatch.setitem(sys.modules, gateware.__name__, gateware)
    monkeypatch.setattr(simulator.cache, "directory", lambda name: folder)
    for _ in range(2):
        with simulator.load("icebreaker", progress=lambda line: None) as board:
            assert board.run(20, b"\x01") == (1, b"\x02")
            assert board.clock_hz == find_board("icebreaker").clock_hz
    assert elaborated == ["icebreaker"]
    monkeypatch.setattr(simulator.cache, "build_digest", lambda board: b"changed.")
    simulator.load("icebreaker", progress=lambda line: None).close()
    assert elaborated == ["icebreaker"] * 2


def test_compiler_errors_are_shown(folder, monkeypatch):
    monkeypatch.setattr(compilation.toolchain, "to_verilog", lambda *arguments: "module oops")
    with pytest.raises(compilation.SimulatorError, match="syntax error"):
        compilation.compile_simulator(Echo(), folder, progress=lambda line: None)
    assert not [path for path in folder.iterdir() if path.is_dir()], "scratch folder left behind"
