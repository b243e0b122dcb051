"""The way to a bitstream, on a design that takes seconds, and what is kept of it."""

import dataclasses
import json

import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io, wiring

from tensorspin.contract.boards import find_board
from tensorspin_gateware import build, cache
from tensorspin_gateware.link.uart import UARTReceiver, UARTTransmitter
from tensorspin_gateware.report import BuildReport

BOARD = find_board("icebreaker")


class LoopTop(Elaboratable):
    """Returns every byte of the serial line."""

    def elaborate(self, platform):
        m = Module()
        pins = platform.request("uart", 0, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer("i", pins.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer("o", pins.tx)
        m.submodules.receiver = receiver = UARTReceiver(BOARD.clock_hz, BOARD.baud)
        m.submodules.transmitter = transmitter = UARTTransmitter(BOARD.clock_hz, BOARD.baud)
        wiring.connect(m, receiver.data, transmitter.data)
        m.d.comb += [receiver.line.eq(rx_pin.i), tx_pin.o.eq(transmitter.line)]
        return m


def test_small_design_becomes_a_bitstream(tmp_path):
    lines = []
    build._run_tools(BOARD, LoopTop(), tmp_path, lines.append)
    assert (tmp_path / "top.bin").stat().st_size > 100_000
    assert [line.split()[1] for line in lines if "done" in line] == [
        "yosys",
        "nextpnr-ice40",
        "icepack",
    ]
    report = BuildReport.load(tmp_path / "report.json")
    used, available = report.used["logic cells (LUTs)"]
    assert available == 5280 and 50 < used < 250
    assert report.used["DSPs"] == (0, 8)
    assert report.required_mhz == pytest.approx(12, rel=1e-3)
    assert report.meets_timing


def write_report(folder, clocks):
    path = folder / "report.json"
    utilization = {"ICESTORM_LC": {"used": 1320, "available": 5280}, "SB_GB": {"used": 1}}
    path.write_text(json.dumps({"fmax": clocks, "utilization": utilization}))
    return path


def test_report_takes_the_clock_with_the_least_margin(tmp_path):
    report = BuildReport.load(
        write_report(
            tmp_path,
            {
                "fast": {"achieved": 90.0, "constraint": 100.0},
                "slow": {"achieved": 30.0, "constraint": 12.0},
            },
        )
    )
    assert not report.meets_timing
    assert report.achieved_mhz == 90
    text = str(report)
    assert "1320" in text and "25%" in text
    assert "90.0 MHz at most, 100.0 MHz required: NOT MET" in text


def test_report_without_clock_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no clock"):
        BuildReport.load(write_report(tmp_path, {}))


@pytest.fixture
def fake_tools(tmp_path, monkeypatch):
    """Build in a scratch folder, without tools; gives the list of the builds done."""
    builds = []
    speed = {"achieved": 20.0, "constraint": 12.0}

    def run_tools(board, top, folder, progress):
        builds.append(board.name)
        folder.mkdir(exist_ok=True)
        (folder / "top.bin").write_bytes(b"bits")
        write_report(folder, {"clk": speed})

    monkeypatch.setattr(build, "_run_tools", run_tools)
    monkeypatch.setattr(build, "BoardTop", lambda *arguments: None)
    monkeypatch.setattr(cache, "directory", lambda name: tmp_path)
    return builds, speed


def test_unchanged_sources_are_not_built_again(fake_tools, capsys):
    builds, _ = fake_tools
    assert build.main(["icebreaker"]) == 0
    assert build.main(["icebreaker"]) == 0
    assert builds == ["icebreaker"]
    assert "unchanged" in capsys.readouterr().out


def test_changed_sources_are_built_again(fake_tools, monkeypatch):
    builds, _ = fake_tools
    build.build("icebreaker")
    monkeypatch.setattr(cache, "build_digest", lambda board: b"another.")
    bitstream, _ = build.build("icebreaker")
    assert len(builds) == 2
    assert bitstream.read_bytes() == b"bits"


def test_missed_timing_fails(fake_tools, capsys):
    _, speed = fake_tools
    speed["achieved"] = 11.9
    assert build.main(["icebreaker"]) != 0
    assert "too slow" in capsys.readouterr().err


def test_unknown_board_is_named(capsys):
    with pytest.raises(SystemExit):
        build.main(["toaster"])
    assert "icebreaker" in capsys.readouterr().err


def test_digest_depends_on_the_row():
    digest = cache.build_digest(BOARD)
    assert len(digest) == cache.BUILD_BYTES
    assert digest == cache.build_digest(BOARD)
    assert digest != cache.build_digest(dataclasses.replace(BOARD, baud=115_200))
