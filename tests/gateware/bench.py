"""Runs cocotb test benches from pytest, on Verilator."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from cocotb_tools.runner import get_results, get_runner

from tensorspin_gateware import toolchain

BUILD = Path(__file__).parents[2] / "build" / "cocotb"
PARAMETERS = "TENSORSPIN_BENCH"
TOP = "top"


def run_bench(component, module: str, **parameters) -> None:
    """Simulate an Amaranth component under a cocotb module.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        Its ports are the toplevel's: ``dut.results__payload`` for ``results.payload``.
    module : str
        Dotted name of the module with the ``@cocotb.test()`` coroutines.
    **parameters
        Values for JSON; the module reads them with `bench_parameters`.

    Raises
    ------
    AssertionError
        If a cocotb test failed, or none ran.
    """
    verilog = toolchain.to_verilog(component, name=TOP)
    identity = hashlib.sha256((verilog + str(toolchain.versions())).encode()).hexdigest()[:16]
    build = BUILD / f"{module.rpartition('.')[2]}-{identity}"
    runner = get_runner("verilator")
    if not (build / "finished").exists():
        # A build of its own for each process: two may build the same at once.
        work = build.with_name(f"{build.name}.{os.getpid()}")
        work.mkdir(parents=True, exist_ok=True)
        source = work / f"{TOP}.v"
        source.write_text(verilog)
        runner.build(
            sources=[source],
            hdl_toplevel=TOP,
            build_dir=work,
            always=True,
            build_args=["-Wno-fatal", "-O3", "--x-assign", "fast", "-CFLAGS", "-O1"],
            timescale=("1ns", "1ps"),
            log_file=work / "build.log",
        )
        (work / "finished").touch()
        try:
            work.rename(build)
        except OSError:
            shutil.rmtree(work)
    run = build / f"run-{os.getpid()}-{hashlib.sha256(repr(parameters).encode()).hexdigest()[:8]}"
    run.mkdir(exist_ok=True)
    results = runner.test(
        hdl_toplevel=TOP,
        test_module=module,
        build_dir=build,
        test_dir=run,
        results_xml=str(run / "results.xml"),
        extra_env={PARAMETERS: json.dumps(parameters), "COCOTB_RANDOM_SEED": "1"},
        log_file=run / "run.log",
    )
    tests, failures = get_results(results)
    log = (run / "run.log").read_text()
    assert failures == 0, f"{failures} of {tests} failed:\n{log[-8000:]}"
    assert tests > 0, f"no cocotb test ran:\n{log[-8000:]}"
    shutil.rmtree(run)


def bench_parameters() -> dict:
    """The parameters of `run_bench`, in the cocotb module."""
    return json.loads(os.environ[PARAMETERS])
