"""How long everyday things take in a new environment: ``python -m tests.support.start_bench``.

A virtual environment of its own gets the host, then what virtual boards need, and each thing is
measured in a process of its own, with empty caches. At the end a copy of the checkout runs
``make demo``. The network, or pip's cache, is used. Nothing asserts these times: they depend on the
machine, and on what else it does.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMES = 7
"""How often each start is measured; the median is told."""

STARTS = {
    "python -c pass": ["-c", "pass"],
    "import tensorspin": ["-c", "import tensorspin"],
    "from tensorspin import Board": ["-c", "from tensorspin import Board"],
    "from tensorspin import BoardSampler": ["-c", "from tensorspin import BoardSampler"],
    "from tensorspin import MPSClassifier": ["-c", "from tensorspin import MPSClassifier"],
    "import sklearn.base (for comparison)": ["-c", "import sklearn.base"],
    "tensorspin --help": ["-m", "tensorspin", "--help"],
    "tensorspin train --help": ["-m", "tensorspin", "train", "--help"],
}
GOALS = {"import tensorspin": "0.3 s", "tensorspin --help": "0.2 s"}

SIZES = """
import importlib.metadata
sizes = {
    found.name: sum(file.locate().stat().st_size for file in found.files if file.locate().exists())
    for found in importlib.metadata.distributions()
}
for name in sorted(sizes, key=sizes.get, reverse=True):
    if name not in ("pip", "setuptools"):
        print(name, sizes[name])
"""

OPEN = """
import sys, time
begun = time.perf_counter()
from tensorspin import Board
with Board.open(f"sim://{sys.argv[1]}"):
    print(time.perf_counter() - begun)
"""

RUN = """
import sys, time
from sklearn.datasets import load_digits
from tensorspin import Board, MPSClassifier
from tensorspin.models import quantize
from tensorspin_gateware.simulation import simulator

boards, load = [], simulator.load
simulator.load = lambda *arguments: boards.append(load(*arguments)) or boards[-1]
X, y = load_digits(return_X_y=True)
program = quantize(MPSClassifier(bond_dim=16, epochs=1).fit(X, y))
with Board.open(f"sim://{sys.argv[1]}") as board:
    board.load(program)
    levels = program.levels(X[:int(sys.argv[2])])
    rates = []
    for _ in range(5):
        cycles, begun = boards[0].cycles, time.process_time()
        board.run(levels)
        rates.append((boards[0].cycles - cycles) / (time.process_time() - begun))
print(max(rates))
"""


def clean() -> dict[str, str]:
    """This process's environment variables, without the checkout's modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def computed() -> float:
    """Seconds for which processes that have ended have used a core."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(folder: Path, code: str, *arguments: object) -> str:
    """What a program prints that the environment's interpreter runs, outside of the checkout."""
    env = clean() | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "YOWASP_CACHE_DIR": str(folder / "cache"),
    }
    command = [folder / "env/bin/python", "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, env=env, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def install(folder: Path, what: str) -> float:
    """Install the checkout with an extra, and return the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run(
        [folder / "env/bin/python", "-m", "pip", "install", "--quiet", f"{ROOT}{what}"], check=True
    )
    return time.perf_counter() - begun


def row(what: str, measured: str, goal: str = "") -> None:
    print(f"| {what} | {measured} | {goal} |", flush=True)


def installation(folder: Path) -> None:
    """Measure what the host takes, and how long it takes to start."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    seconds = install(folder, "")
    sizes = [line.split() for line in python(folder, SIZES).splitlines()]
    row("host, installed", f"{sum(int(size) for _, size in sizes) / 1e6:.0f} MB", "350 MB")
    for name, size in sizes[:6]:
        row(f"of it {name}", f"{int(size) / 1e6:.0f} MB")
    row("its installation", f"{seconds:.0f} s")
    for name, arguments in STARTS.items():
        command = [folder / "env/bin/python", *arguments]
        # Its files are read once before.
        subprocess.run(command, cwd=folder, env=clean(), check=True, stdout=subprocess.DEVNULL)
        times, begun = [], computed()
        for _ in range(TIMES):
            start = time.perf_counter()
            subprocess.run(command, cwd=folder, env=clean(), check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        busy = (computed() - begun) / TIMES
        row(name, f"{statistics.median(times):.2f} s, {busy:.2f} of a core", GOALS.get(name, ""))


def virtual_boards(folder: Path, boards: list[str]) -> None:
    """Measure how soon virtual boards are there, and how fast they are."""
    row("extra sim, its installation", f"{install(folder, '[sim]'):.0f} s")
    for place, board in enumerate(boards):
        goal = "30 s" if place == 0 else ""
        row(f"sim://{board}, the first time", f"{float(python(folder, OPEN, board)):.1f} s", goal)
        row(f"sim://{board}, again", f"{float(python(folder, OPEN, board)):.2f} s")
        rate = float(python(folder, RUN, board, 300 if board == "icebreaker" else 1000))
        row(f"sim://{board}, digits", f"{rate / 1e6:.2f} M cycles a second of one core")


def demonstration(folder: Path) -> None:
    """Measure ``make demo`` in a copy of the checkout that nobody has used."""
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.splitlines()  # fmt: skip
    for name in files:
        if (ROOT / name).is_file():
            (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "checkout" / name)
    env = clean() | {
        "XDG_CACHE_HOME": str(folder / "fresh"),
        "YOWASP_CACHE_DIR": str(folder / "fresh"),
    }
    begun = time.perf_counter()
    subprocess.run(
        ["make", "demo"], cwd=folder / "checkout", env=env, check=True, stdout=subprocess.DEVNULL
    )
    row("make demo in a new checkout", f"{time.perf_counter() - begun:.0f} s", "180 s")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time everyday things in a new environment.")
    parser.add_argument(
        "--board", action="append", help="virtual board; may be repeated; by default icebreaker"
    )
    parser.add_argument("--no-demo", action="store_true", help="leave make demo out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        row("what", "measured", "goal")
        row("---", "---", "---")
        installation(folder)
        virtual_boards(folder, options.board or ["icebreaker"])
        if not options.no_demo:
            demonstration(folder)


if __name__ == "__main__":
    main()
