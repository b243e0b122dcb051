"""Runs cocotb test benches from pytest, on Verilator."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import random
import re
import shutil
import tempfile
import time
from dataclasses import asdict, fields
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

from cocotb_tools import config
from cocotb_tools.runner import get_results, get_runner

from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import ENGINES, Engines
from tensorspin.contract.device.line import Line
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import cache, plain, toolchain
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.simulation.compilation import TOP
from tests.support.synthesis import cell_models, synthesise, yosys_share

BUILD = Path(__file__).parents[2] / "build" / "cocotb"
"""Folder in which compiled simulations are kept."""

PARAMETERS = "TENSORSPIN_BENCH"
"""Environment variable with the parameters of a bench, as JSON."""

BUILD_OPTIONS = ("-Wno-fatal", "-Werror-USERFATAL", "-O3", "--x-assign", "fast")
"""Verilator's options for all simulations. A model of a vendor's cell that refuses its parameters
stops the build (USERFATAL); other warnings, of which generated Verilog has many, do not."""

NETLIST_BOARDS = ("icebreaker", "ulx3s_25f_both")
"""A board of each family whose netlist is simulated at full size, too."""

NETLIST_OPTIONS = ("--output-split", "20000", "-no-public-flat-rw", "--public-depth", "1")
"""Verilator's options for netlists. Several small C++ files keep the compiler's memory small.
Benches look at ports only, so that all other signals can be optimised away, which are most of a
netlist."""

QUICK_BUILD = "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
"""Flags for the C++ compiler: little optimisation, as compiling takes longer than most benches."""


def family_of(netlist: str | None) -> Family:
    """The family whose primitives a component must have for `run_bench`."""
    return Family.BEHAVIOURAL if netlist is None else HARDWARE[netlist].family


def run_bench(
    component, module: str, vendor_cells: str = "", netlist: str | None = None, **parameters
) -> None:
    """Simulate an Amaranth component, or what synthesis makes of it, under a cocotb module.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        Its ports are the toplevel's: ``dut.results__payload`` for ``results.payload``.
    module : str
        Dotted name of the module with the ``@cocotb.test()`` coroutines.
    vendor_cells : str
        Verilog of the cells that the component instantiates; see `vendor_cell`.
    netlist : str, optional
        A board: simulate the component's netlist, synthesised as for that board and made of the
        vendor's cells, instead of the component itself.
    **parameters
        Values for JSON; the module reads them with `bench_parameters`.

    Raises
    ------
    AssertionError
        If a cocotb test failed, or one that the module defines did not run.
    """
    toolchain.activate()
    verilog, options = _verilog(component, netlist)
    verilog += vendor_cells
    identity = cache.text_digest(verilog, *options, toolchain.versions())
    build = BUILD / f"{module.rpartition('.')[2]}-{identity}"
    runner = get_runner("verilator")
    if not (build / "finished").exists():
        # Two processes may build the same simulation at once, so each builds in a folder of its own
        # and renames it; the one that is later finds the folder there, and removes its own.
        work = build.with_name(f"{build.name}.{os.getpid()}")
        BUILD.mkdir(parents=True, exist_ok=True)
        with plain.workshop(BUILD) as workshop:
            _compile(runner, verilog, options, workshop)
            shutil.move(workshop.folder, work)
        (work / "finished").touch()
        try:
            work.rename(build)
        except OSError:
            shutil.rmtree(work)
    run = build / f"run-{os.getpid()}-{hashlib.sha256(repr(parameters).encode()).hexdigest()[:8]}"
    run.mkdir(exist_ok=True)
    results = run / "results.xml"
    try:
        runner.test(
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            test_module=module,
            build_dir=build,
            test_dir=run,
            results_xml=str(results),
            extra_env={
                PARAMETERS: json.dumps(parameters),
                "COCOTB_RANDOM_SEED": "1",
                # The compiled simulation names this folder too, but only if its path is plain.
                "LD_LIBRARY_PATH": os.pathsep.join(
                    filter(None, (os.environ.get("LD_LIBRARY_PATH"), str(config.libs_dir)))
                ),
            },
            log_file=run / "run.log",
        )
    except SystemExit:
        # The runner exits if a test failed; the log, shown below, says which and why.
        pass
    log = (run / "run.log").read_text()[-8000:]
    assert results.exists(), f"the simulation broke off:\n{log}"
    tests, failures = get_results(results)
    assert failures == 0, f"{failures} of {tests} failed:\n{log}"
    defined = _defined_benches(module)
    missing = sorted(defined - _finished_benches(results))
    assert defined and not missing, (
        f"{len(defined)} benches are defined in {module}, and these did not run: "
        f"{', '.join(missing) or 'all'}; unset the variables of the shell that choose benches, "
        f"such as COCOTB_TEST_FILTER and COCOTB_TESTCASE\n{log}"
    )
    shutil.rmtree(run)


def _compile(runner, verilog: str, options: tuple[str, ...], workshop: plain.Workshop) -> None:
    """Compile a simulation in the folder of a workshop."""
    source = workshop.folder / f"{TOP}.v"
    source.write_text(verilog, encoding="utf-8")
    # Verilator's own part takes longer to compile than a small design, and is the same for all
    # designs with the same options. Make takes what is newer than the makefile, which Verilator
    # will write in a moment; so these files are from the next hour.
    identity = cache.text_digest(*BUILD_OPTIONS, *options, QUICK_BUILD, toolchain.versions())
    library = BUILD / f"verilated-{identity}"
    if library.exists():
        later = time.time() + 3600
        for compiled in library.iterdir():
            os.utime(shutil.copy(compiled, workshop.folder), (later, later))
    make_flags = os.environ.get("MAKEFLAGS", "")
    if QUICK_BUILD not in make_flags:
        make_flags = f"{make_flags} {QUICK_BUILD}".strip()
    changes = {"MAKEFLAGS": make_flags, **workshop.verilator(os.environ)}
    with (
        mock.patch.dict(os.environ, changes),
        mock.patch.object(config, "libs_dir", workshop.plain(config.libs_dir)),
        mock.patch.object(config, "share_dir", workshop.plain(config.share_dir)),
    ):
        runner.build(
            sources=[source],
            hdl_toplevel=TOP,
            build_dir=workshop.folder,
            always=True,
            build_args=[*BUILD_OPTIONS, *(_plain_option(option, workshop) for option in options)],
            timescale=("1ns", "1ps"),
            log_file=workshop.folder / "build.log",
        )
    if not library.exists():
        _keep(library, list(workshop.folder.glob("verilated*.o")))


def _keep(folder: Path, files: list[Path]) -> None:
    """Copy files into a folder that other processes see complete or not at all."""
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir()
    for file in files:
        shutil.copy(file, partial)
    try:
        partial.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(partial)


def _plain_option(option: str, workshop: plain.Workshop) -> str:
    """Give an option that names a folder of Verilog files a path that Verilator can take."""
    return f"-I{workshop.plain(Path(option[2:]))}" if option.startswith("-I/") else option


def _defined_benches(module: str) -> set[str]:
    """Names of the ``@cocotb.test()`` coroutines of a module that must run, without those that may
    be skipped (``skip=``).

    The source text is read, because the module itself can be imported only in a simulation.
    """
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None, f"there is no module {module}"
    names = set()
    for item in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        for decorator in getattr(item, "decorator_list", ()):
            call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
            optional = any(keyword.arg == "skip" for keyword in call.keywords)
            if ast.unparse(call.func) == "cocotb.test" and not optional:
                names.add(item.name)
    return names


def _finished_benches(results: Path) -> set[str]:
    """Names of the benches that ran to their end, from cocotb's file of results."""
    cases = ElementTree.parse(results).getroot().iter("testcase")
    return {str(case.get("name")) for case in cases if case.find("skipped") is None}


def _verilog(component, netlist: str | None) -> tuple[str, tuple[str, ...]]:
    """Text with the module `TOP`, and Verilator's options for it."""
    if netlist is None:
        return with_random_memories(toolchain.to_verilog(component, name=TOP)), ()
    models, options = cell_models(family_of(netlist))
    with tempfile.TemporaryDirectory() as folder:
        text = synthesise(component, netlist, Path(folder), "write_verilog -noattr")
    return _in_wrapper(text) + models, (*NETLIST_OPTIONS, *options)


def _in_wrapper(netlist: str) -> str:
    """Put a module around a netlist that has nothing but its ports.

    A netlist's own top module also has the signals inside, which Verilator would keep public.
    """
    ports = re.findall(r"^  (input|output) (\[\d+:\d+\] )?(\S+) *;$", netlist, re.MULTILINE)
    names = ", ".join(f".{name}({name})" for _, _, name in ports)
    declared = ", ".join(f"{direction} {width}{name}" for direction, width, name in ports)
    inner = f"{TOP}_netlist"
    assert netlist.count(f"module {TOP}(") == 1 and ports
    return (
        netlist.replace(f"module {TOP}(", f"module {inner}(")
        + f"module {TOP}({declared});\n  {inner} inner({names});\nendmodule\n"
    )


def with_random_memories(verilog: str) -> str:
    """Give all memories of a Verilog text random contents in place of zeros.

    In hardware a memory may hold anything before it is written, as SPRAM does. Memories with
    contents of their own, which are read-only, keep them.
    """
    rng = random.Random(1)

    def fill(block: re.Match) -> str:
        cells = re.findall(r"^ *(\S+ ?\[\d+\]) = (\d+)'[hd]0+;$", block[0], re.MULTILINE)
        if len(cells) != block[0].count("=") or not cells:
            return block[0]
        lines = (
            f"    {name} = {width}'h{rng.getrandbits(int(width)):x};\n" for name, width in cells
        )
        return f"  initial begin\n{''.join(lines)}  end\n"

    return re.sub(r"^  initial begin\n.*?^  end\n", fill, verilog, flags=re.DOTALL | re.MULTILINE)


def bench_parameters() -> dict:
    """The parameters of `run_bench`, in the cocotb module."""
    return json.loads(os.environ[PARAMETERS])


def board_parameters(board: BoardSpec) -> dict:
    """The board as a parameter of `run_bench`."""
    engines = {kind: asdict(size) for kind, size in board.engines.items()}
    values = {field.name: getattr(board, field.name) for field in fields(board)}
    return {**values, "usb": None, "engines": engines}


def bench_board() -> BoardSpec:
    """The board among the parameters, as `board_parameters` gives it."""
    values = dict(bench_parameters()["board"])
    sizes = []
    for kind, numbers in values["engines"].items():
        numbers = {k: tuple(v) if isinstance(v, list) else v for k, v in numbers.items()}
        sizes.append(ENGINES[int(kind)].size(**numbers))
    return BoardSpec(
        **{**values, "engines": Engines(*sizes), "line": Line(values["line"])},
    )


def vendor_cell(family: str, name: str) -> str:
    """Verilog of a vendor's cell, from the simulation models that come with Yosys.

    Parameters
    ----------
    family : str
        Yosys's name for it, such as ``"ice40"``.
    name : str
        Of the cell.
    """
    return _module((yosys_share() / family / "cells_sim.v").read_text(), name)


def ecp5_cells(*names: str) -> str:
    """Verilog of ECP5 cells, from files beside the one that `vendor_cell` reads."""
    folder = yosys_share() / "ecp5"
    models = (folder / "common_sim.vh").read_text() + (folder / "ccu2c_sim.vh").read_text()
    return "".join(_module(models, name) for name in names)


def _module(models: str, name: str) -> str:
    module = re.search(rf"^module {name}\b.*?^endmodule$", models, re.DOTALL | re.MULTILINE)
    assert module, f"there is no model of {name}"
    return module[0] + "\n"
