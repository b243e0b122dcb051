"""Which part of a design takes how many logic cells."""

import json

import pytest

from tensorspin_gateware.build.parts import PartBudget, count_cells
from tensorspin_gateware.build.report import BuildReport


def cell(kind, **connections):
    return {"type": kind, "connections": {port: [net] for port, net in connections.items()}}


def netlist(cells, scopes=("core", "core.link", "core.router"), **modules):
    marks = {scope: cell("$scopeinfo") for scope in scopes}
    return {"top": {"cells": {**marks, **cells}, "attributes": {"top": "1"}}, **modules}


def test_register_shares_the_cell_of_a_table_that_nothing_else_reads():
    table = {"core.link.a": cell("SB_LUT4", O=2, I0=3)}
    register = {"core.link.b": cell("SB_DFFE", D=2, Q=4)}
    assert count_cells(netlist({**table, **register}), shared=True) == {"link": 1}
    reader = {"core.router.c": cell("SB_LUT4", O=5, I0=2)}
    found = count_cells(netlist({**table, **register, **reader}), shared=True)
    assert found == {"link": 2, "router": 1}


def test_register_behind_a_register_takes_a_cell_on_ice40_alone():
    cells = {"core.link.a": cell("SB_DFF", D=3, Q=2), "core.link.b": cell("SB_DFF", D=2, Q=4)}
    assert count_cells(netlist(cells), shared=True) == {"link": 2}
    assert count_cells(netlist(cells), shared=False) == {}


def test_parts_are_named_after_the_innermost_mark():
    cells = {
        "core.link.receiver.word_SB_LUT4_O": cell("SB_LUT4", O=2),
        "core.state": cell("SB_LUT4", O=3),
        "receiver.bit": cell("SB_LUT4", O=4),
        "clock.count": cell("SB_LUT4", O=5),
        "nothing": cell("SB_LUT4", O=6),
        # A signal may have a dot in its name, and be no component.
        "core.data.0": cell("SB_LUT4", O=7),
    }
    scopes = ("core", "core.link", "core.link.receiver", "receiver", "clock")
    assert count_cells(netlist(cells, scopes), shared=True) == {
        "accelerator": 2,
        "link": 1,
        "line": 1,
        "clock": 1,
        "top level": 1,
    }


def test_modules_of_the_design_are_counted_once_an_instance():
    group = {
        "cells": {"x": cell("LUT4", Z=2), "y": cell("CCU2C", S0=3), "z": cell("TRELLIS_FF", DI=2)},
        "attributes": {"keep_hierarchy": "1"},
    }
    vendor = {"cells": {}, "attributes": {"blackbox": "1"}}
    cells = {f"core.engine.group_{index}": cell("group") for index in range(3)}
    modules = netlist(cells, ("core", "core.engine"), group=group, LUT4=vendor)
    assert count_cells(modules, shared=False) == {"engine": 9}


@pytest.mark.parametrize(("title", "free"), [("logic cells (LUTs)", 6), ("LUTs", 6)])
def test_budget_adds_up(title, free, tmp_path):
    cells = {
        "core.link.a": cell("SB_LUT4", O=2),
        "core.link.b": cell("SB_LUT4", O=3),
        "core.router.c": cell("SB_LUT4", O=4),
    }
    (tmp_path / "top.json").write_text(json.dumps({"modules": netlist(cells)}))
    budget = PartBudget.load(tmp_path, BuildReport({title: (4, 10)}, 30.0, 30.0))
    assert budget.cells == {"link": 2, "router": 1}
    assert budget.rest == 1 and budget.free == free
    assert str(budget).splitlines() == [
        "logic cells by part            cells       ",
        "link                               2  20.0%",
        "router                             1  10.0%",
        "carry chains, constants            1  10.0%",
        "free                               6  60.0%",
    ]
