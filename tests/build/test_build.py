"""How a bitstream is built, on a design that takes seconds, and when it is built again."""

import dataclasses
import json
import os
import sys
from types import SimpleNamespace

import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import bitstream as build
from tensorspin_gateware.build import cache, stages
from tensorspin_gateware.build.report import MARGIN, BuildReport
from tensorspin_gateware.build.top import BuildError, prepare

from ..support.loop import Loop

BOARD = find_board("icebreaker")


@pytest.mark.parametrize(
    ("board", "clock_hz", "tools", "cells"),
    [
        # With and without the PLL, and with the oscillator on another pad than the PLL's.
        ("icebreaker", 24_000_000, ["yosys", "nextpnr-ice40", "icepack"], 5280),
        ("icebreaker", 12_000_000, ["yosys", "nextpnr-ice40", "icepack"], 5280),
        ("upduino_v3", 24_000_000, ["yosys", "nextpnr-ice40", "icepack"], 5280),
        ("ulx3s_25f", 80_000_000, ["yosys", "nextpnr-ecp5", "ecppack"], 24288),
        # The platform's own build would ask for dfu-util.
        ("orangecrab_r0_2", 80_000_000, ["yosys", "nextpnr-ecp5", "ecppack"], 24288),
    ],
)
def test_small_design_becomes_a_bitstream(board, clock_hz, tools, cells, tmp_path):
    lines = []
    board = dataclasses.replace(find_board(board), clock_hz=clock_hz, baud=1_000_000)
    stages.run_plan(prepare(board, Loop()), board.name, tmp_path, lines.append)
    bitstream = tmp_path / f"top{HARDWARE[board.name].suffix}"
    assert bitstream.stat().st_size > 50_000
    assert [line.split()[1] for line in lines if "done" in line] == tools
    report = BuildReport.load(tmp_path / "report.json", clock_hz)
    used, available = next(use for title, use in report.used.items() if "LUTs" in title)
    assert available == cells and 50 < used < 300
    assert report.used["DSPs"][0] == 0
    assert report.required_mhz == pytest.approx(clock_hz / 1e6, rel=1e-3)
    assert report.meets_timing


def test_long_stage_shows_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "_ALIVE_SECONDS", 0.01)
    lines = []
    command = [sys.executable, "-c", "import time; time.sleep(0.5); print('end'); exit(3)"]
    answer = stages._run_tool(command, tmp_path, dict(os.environ), "board: tool", lines.append)
    assert answer == (3, "end\n")
    assert lines and all(line.startswith("board: tool ... ") for line in lines)


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
        ),
        12_000_000,
    )
    assert not report.meets_timing
    assert report.achieved_mhz == 90
    text = str(report)
    assert "1320" in text and "25%" in text
    assert "90.0 MHz at most, 100.0 MHz and 5% more required: NOT MET" in text
    assert "another clock: 30.0 MHz at most, 12.0 MHz required" in text


@pytest.mark.parametrize(
    ("clocks", "found"),
    [({}, "none"), ({"oscillator": {"achieved": 90.0, "constraint": 25.0}}, "25 MHz")],
)
def test_report_without_the_engines_clock_is_refused(clocks, found, tmp_path):
    with pytest.raises(ValueError, match=f"no clock to 80 MHz; clocks: {found}"):
        BuildReport.load(write_report(tmp_path, clocks), 80_000_000)


COMMANDS = [
    ["yosys", "-q", "-l", "top.rpt", "top.ys"],
    ["nextpnr-ice40", "--seed", "1", "--report", "report.json", "--log", "top.tim"]
    + ["--json", "top.json", "--pcf", "top.pcf", "--asc", "top.asc"],
    ["icepack", "top.asc", "top.bin"],
]


@dataclasses.dataclass
class FakeTools:
    """What the tools give, by attributes that a test sets, and how often they were run.

    With the seeds `fast_seed` and `failing_seed`, placement is fast enough, or fails.
    """

    speed: dict[str, float]
    builds: list[str] = dataclasses.field(default_factory=list)
    stages: list[list[str]] = dataclasses.field(default_factory=list)
    fast_seed: str = ""
    failing_seed: str = ""
    failing_tool: str = ""
    netlist: str = "netlist"


@pytest.fixture
def fake_tools(tmp_path, monkeypatch):
    """Build in a scratch folder, without tools."""
    clock_mhz = BOARD.clock_hz / 1e6
    fake = FakeTools({"achieved": clock_mhz * (1 + 2 * MARGIN), "constraint": clock_mhz})

    def run_plan(plan, name, folder, progress):
        fake.builds.append(name)
        folder.mkdir(exist_ok=True)
        (folder / "top.bin").write_bytes(b"bits")
        (folder / "build_top.json").write_text(json.dumps({"commands": COMMANDS}))
        write_report(folder, {"clk": fake.speed})

    def prepare(board, core):
        return SimpleNamespace(files={"top.il": f"{fake.netlist} {core.build.hex()}", "x": b""})

    def run_stage(command, name, folder, progress):
        fake.stages.append(command)
        seed = command[command.index("--seed") + 1] if "--seed" in command else None
        if seed == fake.failing_seed:
            raise stages.PlacementError("no legal placement")
        if command[0] == fake.failing_tool:
            raise BuildError(f"{command[0]} failed")
        if seed == fake.fast_seed:
            achieved = clock_mhz * (1 + 2 * MARGIN)
            write_report(folder, {"clk": {"achieved": achieved, "constraint": clock_mhz}})

    monkeypatch.setattr(build, "run_plan", run_plan)
    monkeypatch.setattr(build, "run_stage", run_stage)
    monkeypatch.setattr(build, "prepare", prepare)
    monkeypatch.setattr(cache, "directory", lambda name: tmp_path)
    monkeypatch.setattr(cache, "path", lambda name: tmp_path)
    return fake


def test_unchanged_sources_are_not_built_again(fake_tools, monkeypatch, capsys):
    assert build.main(["icebreaker"]) == 0
    # Nor is anything elaborated.
    monkeypatch.delattr(build, "prepare")
    assert build.main(["icebreaker"]) == 0
    assert fake_tools.builds == ["icebreaker"]
    assert "unchanged" in capsys.readouterr().out


def test_unchanged_netlist_is_not_built_again(fake_tools, monkeypatch, capsys):
    first, _ = build.build("icebreaker")
    first_record = build.build_record(first)
    monkeypatch.setattr(cache, "build_digest", lambda board: b"another.")
    again, _ = build.build("icebreaker")
    record = build.build_record(again)
    assert len(fake_tools.builds) == 1
    assert "other sources, the same netlist" in capsys.readouterr().out
    assert record.build == first_record.build
    assert record.sources != first_record.sources


def test_changed_netlist_is_built_again(fake_tools, monkeypatch):
    first, _ = build.build("icebreaker")
    first_record = build.build_record(first)
    monkeypatch.setattr(cache, "build_digest", lambda board: b"another.")
    fake_tools.netlist = "another"
    again, _ = build.build("icebreaker")
    record = build.build_record(again)
    assert len(fake_tools.builds) == 2
    assert again.read_bytes() == b"bits"
    assert record.build != first_record.build


def test_other_tools_build_again(fake_tools, monkeypatch):
    first, _ = build.build("icebreaker")
    first_record = build.build_record(first)
    monkeypatch.setattr(build.toolchain, "versions", lambda tools: {"yosys": "another"})
    again, _ = build.build("icebreaker")
    record = build.build_record(again)
    assert len(fake_tools.builds) == 2
    assert record.tools == {"yosys": "another"}
    # The design is the same, whoever places it.
    assert record.build == first_record.build


@pytest.mark.parametrize("there", [False, True])
def test_the_bitstream_is_copied_where_it_is_asked_for(fake_tools, tmp_path, capsys, there):
    folder = tmp_path / "there"
    folder.mkdir()
    if there:
        (folder / "icebreaker.bin").write_bytes(b"old")
    bitstream, report = build.build("icebreaker")
    assert build.deliver("icebreaker", bitstream, report, output=folder) == folder / bitstream.name
    assert [path.name for path in folder.iterdir()] == ["icebreaker.bin"]
    assert (folder / "icebreaker.bin").read_bytes() == b"bits"
    # The whole path is shown, as it is not below the current folder.
    assert f"bitstream: {folder}/icebreaker.bin" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["none", "file"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, output):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"a folder that can be written to, not {tmp_path / output}"):
        build.check_request("icebreaker", output=tmp_path / output)


def test_an_unknown_board_is_refused(capsys):
    assert build.main(["nonesuch"]) == 1
    assert "nonesuch" in capsys.readouterr().err


def test_last_build(fake_tools):
    assert build.last_build("icebreaker") is None
    bitstream, _ = build.build("icebreaker")
    assert build.last_build("icebreaker") == build.build_record(bitstream).build
    bitstream.write_bytes(b"damaged")
    assert build.last_build("icebreaker") is None
    assert build.last_build("a board of others") is None


def test_last_build_that_is_not_usable(fake_tools, monkeypatch):
    build.build("icebreaker")
    faster = dataclasses.replace(BOARD, clock_hz=2 * BOARD.clock_hz)
    with monkeypatch.context() as changed:
        changed.setattr(build, "find_board", lambda name: faster)
        assert build.last_build("icebreaker") is None
    fake_tools.speed["achieved"] = fake_tools.speed["constraint"]
    fake_tools.netlist = "another"
    monkeypatch.setattr(cache, "build_digest", lambda board: b"another.")
    build.build("icebreaker")
    assert build.last_build("icebreaker") is None


@pytest.mark.parametrize("damage", [b"other bits", None])
@pytest.mark.parametrize("name", ["icebreaker.bin", "report.json"])
def test_damaged_files_are_built_again(fake_tools, name, damage, capsys):
    bitstream, report = build.build("icebreaker")
    path = bitstream.parent / name
    path.unlink() if damage is None else path.write_bytes(damage)
    again, report_again = build.build("icebreaker")
    assert (again.read_bytes(), report_again) == (b"bits", report)
    assert len(fake_tools.builds) == 2
    assert f"{name} is not what was built" in capsys.readouterr().out


def test_what_the_programmer_takes_is_kept_too(fake_tools, monkeypatch):
    hardware = dataclasses.replace(
        HARDWARE["icebreaker"], programmer=("x", "-c load {work}/top.bin; exit")
    )
    monkeypatch.setitem(HARDWARE, "icebreaker", hardware)
    bitstream, _ = build.build("icebreaker")
    (bitstream.parent / "work" / "top.bin").unlink()
    build.build("icebreaker")
    assert len(fake_tools.builds) == 2


def test_damaged_record_is_no_obstacle(fake_tools):
    folder = build.build("icebreaker")[0].parent
    (folder / "build.json").write_text("{")
    build.build("icebreaker")
    assert len(fake_tools.builds) == 2


def test_other_seeds_leave_the_bitstream_alone(fake_tools, monkeypatch):
    placed = []

    def run_stage(command, name, folder, progress):
        placed.append(command)
        clock = {"clk": {"achieved": 77.0, "constraint": fake_tools.speed["constraint"]}}
        write_report(folder, clock).rename(folder / "seed-report.json")

    monkeypatch.setattr(build, "run_stage", run_stage)
    first, _ = build.build("icebreaker")
    first_record = build.build_record(first)
    assert build.place("icebreaker", 7).achieved_mhz == 77
    assert build.place("icebreaker", 7).achieved_mhz == 77
    (command,) = placed
    assert command == [
        *("nextpnr-ice40", "--seed", "7", "--report", "seed-report.json", "--log", "seed-top.tim"),
        *("--json", "top.json", "--pcf", "top.pcf", "--asc", "seed-top.asc"),
    ]
    assert build.build("icebreaker")[1].achieved_mhz == fake_tools.speed["achieved"]
    assert build.build_record(first) == first_record


def test_seeds_want_the_folder_of_the_build(fake_tools):
    bitstream, _ = build.build("icebreaker")
    (bitstream.parent / "work" / "build_top.json").unlink()
    with pytest.raises(BuildError, match="build_top.json is missing: remove"):
        build.place("icebreaker", 7)


def test_other_seeds_are_tried_if_it_is_too_slow(fake_tools, capsys):
    own = HARDWARE["icebreaker"].seed
    slow_mhz = fake_tools.speed["achieved"] = fake_tools.speed["constraint"]
    fake_tools.failing_seed, fake_tools.fast_seed = str(own + 2), str(own + 3)
    assert build.main(["icebreaker"]) == 0
    shown = capsys.readouterr().out
    assert f"too slow with seed {own}, {slow_mhz:.1f} MHz; trying seed {own + 1}" in shown
    # One that has no placement is passed over.
    assert "no legal placement" in shown
    assert f"too slow with seed {own + 1}, {slow_mhz:.1f} MHz; trying seed {own + 3}" in shown
    record = build.build_record(build.build("icebreaker")[0])
    assert record.seed == own + 3
    # Nothing is synthesised again, and the last placement is packed.
    tools = [command[0] for command in fake_tools.stages]
    assert tools == ["nextpnr-ice40", "icepack", "nextpnr-ice40", "nextpnr-ice40", "icepack"]
    assert len(fake_tools.builds) == 1


def test_other_seed_that_cannot_be_packed_is_no_bitstream(fake_tools, capsys):
    """The slow bitstream of the first seed is still there, beside the fast one's report."""
    fake_tools.speed["achieved"] = fake_tools.speed["constraint"]
    fake_tools.fast_seed = str(HARDWARE["icebreaker"].seed + 1)
    fake_tools.failing_tool = "icepack"
    assert build.main(["icebreaker"]) == 1
    assert "icepack failed" in capsys.readouterr().err
    assert build.last_build("icebreaker") is None


@pytest.mark.parametrize("factor", [0.99, 1 + MARGIN / 2])
def test_missed_timing_fails(fake_tools, factor, capsys):
    mhz = fake_tools.speed["constraint"]
    fake_tools.speed["achieved"] = factor * mhz
    assert build.main(["icebreaker"]) != 0
    shown = f"too slow, {factor * mhz:.1f} MHz for a clock of {mhz:.1f} MHz and 5% more"
    error = capsys.readouterr().err
    assert shown in error and "Lower clock_hz in its row of" in error
    seeds = [command[command.index("--seed") + 1] for command in fake_tools.stages[::2]]
    tried = {HARDWARE["icebreaker"].seed, *map(int, seeds)}
    assert len(seeds) == build.MOST_SEEDS - 1 and len(tried) == build.MOST_SEEDS


def test_other_packer_builds_again(fake_tools, monkeypatch):
    build.build("icebreaker")
    monkeypatch.setattr(build.toolchain, "identities", lambda tools: {tool: "" for tool in tools})
    build.build("icebreaker")
    assert len(fake_tools.builds) == 2


def test_file_that_another_programmer_takes_is_kept_from_then_on(fake_tools, monkeypatch):
    bitstream, _ = build.build("icebreaker")
    hardware = dataclasses.replace(HARDWARE["icebreaker"], programmer=("x", "{work}/top.bin"))
    monkeypatch.setitem(HARDWARE, "icebreaker", hardware)
    build.build("icebreaker")
    assert len(fake_tools.builds) == 1
    (bitstream.parent / "work" / "top.bin").unlink()
    build.build("icebreaker")
    assert len(fake_tools.builds) == 2


def test_options_of_the_environment_are_refused(monkeypatch):
    monkeypatch.setenv("AMARANTH_nextpnr_opts", "--seed 3")
    with pytest.raises(BuildError, match="AMARANTH_nextpnr_opts would change the build"):
        prepare(BOARD, Loop())


def test_interrupt(monkeypatch, capsys):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "build", interrupt)
    assert build.main(["icebreaker"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("name", ["toaster", "icestick"])
def test_unknown_board_is_named(name, capsys):
    assert build.main([name]) == 1
    error = capsys.readouterr().err
    assert "icebreaker" in error if name == "toaster" else "1280 logic cells" in error


def test_digest_depends_on_the_netlist():
    plan = prepare(BOARD, Loop())
    digest = cache.design_digest(plan)
    assert len(digest) == cache.BUILD_BYTES
    assert digest == cache.design_digest(prepare(BOARD, Loop()))
    faster = dataclasses.replace(BOARD, baud=500_000)
    assert digest != cache.design_digest(prepare(faster, Loop()))
