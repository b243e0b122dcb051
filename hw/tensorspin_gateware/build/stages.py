"""Runs the tools of a build one by one, and prints a line now and then while they run."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from amaranth.build.run import BuildPlan

from . import toolchain
from .top import NAME, BuildError

_ALIVE_SECONDS = 5
"""Least time in seconds between two progress lines of a tool that is still running."""

_ALIVE_PART = 0.1
"""Least time between two such lines as a part of the time that the tool has run: long runs print
fewer lines."""

Progress = Callable[[str], None]
"""A function that takes one line of text about the progress of a build."""


class PlacementError(BuildError):
    """Place and route failed; with another seed it may succeed."""


def run_plan(plan: BuildPlan, name: str, folder: Path, progress: Progress) -> None:
    """Synthesise, place and route, and pack a design.

    Parameters
    ----------
    plan : amaranth.build.run.BuildPlan
        What `tensorspin_gateware.build.top.prepare` returned.
    name : str
        Name of the board, for messages.
    folder : Path
        Folder for all files of the build; older ones in it are overwritten.
    progress : callable
        Takes one line of text per stage, and more from a stage that takes long.

    Raises
    ------
    BuildError
        If a tool fails.
    toolchain.ToolMissing
        If a tool is missing; nothing has been run then.
    """
    plan.extract(str(folder))
    # The plan has a script that runs all stages. They are run one by one instead, to report which
    # one is running and which one failed.
    commands = _commands(folder)
    for tool, *_ in commands:
        toolchain.require(tool)
    for command in commands:
        run_stage(command, name, folder, progress)


def from_placing(folder: Path, seed: int) -> list[list[str]]:
    """Read a build's commands from place and route on, and change their seed.

    Parameters
    ----------
    folder : Path
        A folder that `run_plan` has filled.
    seed : int
        Placement seed of nextpnr.

    Returns
    -------
    list of list of str
        The placer's command, then those of the packers, for `run_stage`.

    Raises
    ------
    BuildError
        If `run_plan` has not filled the folder.
    """
    commands = _commands(folder)
    first = next(index for index, command in enumerate(commands) if _places(command))
    placer, *rest = commands[first:]
    value = placer.index("--seed") + 1
    return [[*placer[:value], str(seed), *placer[value + 1 :]], *rest]


def packing_commands(folder: Path) -> list[list[str]]:
    """Read the commands of a build that follow on place and route.

    Parameters
    ----------
    folder : Path
        A folder that `run_plan` has filled.

    Returns
    -------
    list of list of str
        Commands for `run_stage`.

    Raises
    ------
    BuildError
        If `run_plan` has not filled the folder.
    """
    commands = _commands(folder)
    last = max(index for index, command in enumerate(commands) if _places(command))
    return commands[last + 1 :]


def _commands(folder: Path) -> list[list[str]]:
    """Read the commands that make a bitstream; each begins with its tool's native name."""
    script = folder / f"build_{NAME}.json"
    if not script.exists():
        raise BuildError(f"{script} is missing: remove {folder.parent} to build anew")
    commands = json.loads(script.read_text())["commands"]
    # The commands of some platforms go on to prepare a file for their programmer, with tools that
    # need not be installed.
    return [command for command in commands if command[0] in toolchain.BUILDS]


def _places(command: list[str]) -> bool:
    """Whether a command is that of the placer."""
    return command[0].startswith("nextpnr")


def run_stage(command: list[str], name: str, folder: Path, progress: Progress) -> None:
    """Run one command of a plan.

    Parameters
    ----------
    command : list of str
        The tool's native name, such as ``"yosys"``, and its arguments.
    name : str
        Name of the board, for messages.
    folder : Path
        Folder in which the tool runs.
    progress : callable
        Takes lines of text: when the stage begins, while it runs, and when it is done.

    Raises
    ------
    PlacementError
        If place and route fails.
    BuildError
        If another tool fails.
    """
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
    """Run a tool, and return its exit status and output; report now and then that it runs."""
    # The output goes to a file, since a pipe that nobody empties would block the tool.
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
