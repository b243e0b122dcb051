"""Runs the tools of a build one by one, and shows that they live."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from amaranth.build.run import BuildPlan

from . import toolchain

NAME = "top"
"""Name of the design, in all files of a build."""

_ALIVE_SECONDS = 5
"""Time between two signs of life of a tool, at least."""

_ALIVE_PART = 0.1
"""The same, as a part of the time that it has run."""

Progress = Callable[[str], None]
"""Takes one line of text."""


class BuildError(RuntimeError):
    """A tool failed; the message ends with what it said."""


class PlacementError(BuildError):
    """Place and route failed, which with another seed it may not."""


def run_plan(plan: BuildPlan, name: str, folder: Path, progress: Progress) -> None:
    """Synthesise, place and route, pack.

    Parameters
    ----------
    plan : BuildPlan
    name : str
        Of the board, for messages.
    folder : Path
        For all files.
    progress : callable

    Raises
    ------
    BuildError
        If a tool fails.
    toolchain.ToolMissing
        If one is missing.
    """
    plan.extract(str(folder))
    # Stage by stage instead of by the plan's script, to tell how far it is.
    commands = _commands(folder)
    for tool, *_ in commands:
        toolchain.require(tool)
    for command in commands:
        run_stage(command, name, folder, progress)


def from_placing(folder: Path, seed: int) -> list[list[str]]:
    """The commands of a build's folder from place and route on, with another seed.

    Raises
    ------
    BuildError
        If the folder is not one that `run_plan` has filled.
    """
    commands = _commands(folder)
    first = next(index for index, command in enumerate(commands) if _places(command))
    placer, *rest = commands[first:]
    value = placer.index("--seed") + 1
    return [[*placer[:value], str(seed), *placer[value + 1 :]], *rest]


def _commands(folder: Path) -> list[list[str]]:
    """Those of a plan that make a bitstream; each begins with its tool's native name."""
    script = folder / f"build_{NAME}.json"
    if not script.exists():
        raise BuildError(f"{script} is missing: remove {folder.parent} to build anew")
    commands = json.loads(script.read_text())["commands"]
    # Some platforms go on to prepare for their programmer.
    return [command for command in commands if command[0] in toolchain.BUILDS]


def _places(command: list[str]) -> bool:
    return command[0].startswith("nextpnr")


def run_stage(command: list[str], name: str, folder: Path, progress: Progress) -> None:
    """Run one of a plan's commands, which begin with the tool's native name."""
    env = toolchain.environment()
    tool, *arguments = command
    stage = f"{name}: {tool}"
    progress(f"{stage} ...")
    started = time.monotonic()
    command = [env[toolchain.variable(tool)], *arguments]
    returncode, output = _run_tool(command, folder, env, stage, progress)
    if returncode != 0:
        end = "\n".join(output.splitlines()[-20:])
        error = PlacementError if _places([tool]) else BuildError
        raise error(f"{stage} failed (logs in {folder}):\n{end}")
    progress(f"{stage} done ({time.monotonic() - started:.1f} s)")


def _run_tool(
    command: list[str], folder: Path, env: dict[str, str], stage: str, progress: Progress
) -> tuple[int, str]:
    """Return code and output; while the tool runs, `progress` is told so."""
    # A file, since a pipe that nobody empties would block the tool.
    with tempfile.TemporaryFile(mode="w+") as output:
        with subprocess.Popen(
            command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT
        ) as process:
            started = time.monotonic()
            while True:
                seconds = time.monotonic() - started
                try:
                    process.wait(max(_ALIVE_SECONDS, _ALIVE_PART * seconds))
                    break
                except subprocess.TimeoutExpired:
                    progress(f"{stage} ... {time.monotonic() - started:.0f} s")
        output.seek(0)
        return process.returncode, output.read()
