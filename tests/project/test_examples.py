"""Every example runs as it is, and prints what examples/README.md promises."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

LINES = {
    "add_a_board.py": r"PLL: 100 MHz to 80 MHz",
    "add_an_estimator.py": r"MPSQuantileRegressor\(random_state=0\): (8[5-9]|9\d)% of the targets "
    "lie below the prediction",
    "channel_assignment.py": r"found: 61, optimum of all assignments: 61, in \d+ reads",
    "digits_on_a_board.py": r"one digit takes 4385 clock cycles, 97 microseconds",
    "select_and_classify.py": r"8 features: accuracy 0\.9\d+, 323 cycles a sample",
    "sensor_anomalies.py": r"alarm 2024-03-12T\d\d:20 to 2024-03-12T\d\d:50: cavitation",
}
"""A line of each example's output that does not depend on rounding in linear algebra."""

SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_example_runs(name, tmp_path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={
            **os.environ,
            "MPLBACKEND": "Agg",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "sw"), str(ROOT / "hw")]),
            "PYTHONWARNINGS": "error::DeprecationWarning:__main__",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{LINES[name]}$", done.stdout, re.MULTILINE), done.stdout
    for picture in re.findall(r"^picture: (.+)$", done.stdout, re.MULTILINE):
        assert (tmp_path / picture).stat().st_size > 10_000


def test_every_example_is_listed_with_its_output():
    page = (EXAMPLES / "README.md").read_text()
    listed = re.findall(r"^\| \[`(\w+\.py)`\]\(\1\) \| .+ \| `(.+)` \|$", page, re.MULTILINE)
    assert sorted(name for name, _ in listed) == SCRIPTS == sorted(LINES)
    for name, line in listed:
        assert re.fullmatch(LINES[name], line), name


def test_the_pump_data_can_be_made_again():
    made = runpy.run_path(str(EXAMPLES / "data" / "make_pump.py"))
    assert made["CSV"].read_text().splitlines() == made["rows"]()
