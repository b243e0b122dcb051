"""Loading bitstreams, with small programs in place of the vendors' tools."""

import pytest

from tensorspin.contract.device.boards import BOARDS
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import bitstream as build
from tensorspin_gateware.build import programmer, toolchain
from tensorspin_gateware.build.programmer import ProgramError, program
from tensorspin_gateware.build.report import BuildReport

TOOLS = sorted({hardware.programmer[0] for hardware in HARDWARE.values()})


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder, the only one on the PATH, of programs that fail and write down their arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).write_text(f'#!/bin/sh\necho "{tool}" "$@" > {tmp_path}/called\nexit 3\n')
        (folder / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    toolchain._find.cache_clear()
    yield folder
    toolchain._find.cache_clear()


@pytest.mark.parametrize("name", BOARDS)
def test_failure_tells_the_command(name, tools, tmp_path):
    bitstream = tmp_path / f"{name}.bit"
    lines = []
    with pytest.raises(ProgramError) as raised:
        program(name, bitstream, lines.append)
    called = (tmp_path / "called").read_text().strip()
    assert called.startswith(HARDWARE[name].programmer[0])
    assert str(bitstream) in called or str(tmp_path / "work" / "top.svf") in called
    message = str(raised.value)
    assert "status 3" in message and "tensorspin udev`" in message
    # As typed into a shell, where arguments with spaces are quoted.
    assert called in message.replace("'", "")
    assert not HARDWARE[name].notes or HARDWARE[name].notes in lines[0]


def test_success_tells_where_the_uart_is(tools, tmp_path):
    (tools / "dfu-util").write_text("#!/bin/sh\n")
    lines = []
    program("orangecrab_r0_2", tmp_path / "x.bit", lines.append)
    assert any("pins 0 (RX) and 1 (TX)" in line for line in lines)
    assert "tensorspin ports" in lines[-1]


def test_success_tells_where_spi_is(tools, tmp_path):
    (tools / "iceprog").write_text("#!/bin/sh\n")
    lines = []
    program("icebreaker_spi", tmp_path / "x.bin", lines.append)
    assert "PMOD 1A: 1 CS#, 2 COPI, 3 CIPO, 4 SCK, 7 IRQ" in lines[-1]  # and no serial port


def test_the_drivers_command_is_named_as_it_can_be_typed(tmp_path, monkeypatch):
    command = tmp_path / "bin" / "tensorspin"
    command.parent.mkdir()
    command.touch(0o755)
    monkeypatch.setattr("sys.executable", str(command.with_name("python")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    assert programmer._command() == "bin/tensorspin"
    monkeypatch.setenv("PATH", str(command.parent))
    assert programmer._command() == "tensorspin"


@pytest.mark.parametrize("tool", TOOLS)
def test_missing_tool_is_named(tool, tools, tmp_path):
    (tools / tool).unlink()
    name = next(name for name in BOARDS if HARDWARE[name].programmer[0] == tool)
    with pytest.raises(
        toolchain.ToolMissing, match=f"{tool} was not found; install it (with|from)"
    ):
        program(name, tmp_path / "x.bit")


def test_command_line(tools, tmp_path, monkeypatch, capsys):
    report = BuildReport({}, achieved_mhz=33.0, required_mhz=30.0)
    monkeypatch.setattr(build, "build", lambda name: (tmp_path / "x.bin", report))
    assert build.main(["icebreaker", "--program"]) == 1
    assert f"iceprog {tmp_path}/x.bin" in capsys.readouterr().err


def test_missing_tool_is_reported_before_the_build(tools, monkeypatch, capsys):
    (tools / "iceprog").unlink()
    monkeypatch.delattr(build, "build")
    assert build.main(["icebreaker", "--program"]) == 1
    assert "iceprog was not found; install it with" in capsys.readouterr().err


def test_tool_that_can_not_be_run(tools, tmp_path):
    (tools / "iceprog").write_text("#!/no/such/interpreter\n")
    with pytest.raises(ProgramError, match="iceprog can't be run"):
        program("icebreaker", tmp_path / "x.bin")
