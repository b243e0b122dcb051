"""The faults of the benchmark, on a real appliance behind a proxy that hurts.

`make test-hybrid` runs a few requests for each; the long test is what the table tells.
"""

from __future__ import annotations

import json

import pytest

from tensorspin.benchmarks.hybrid import __main__ as benchmark
from tensorspin.benchmarks.hybrid import demo
from tensorspin.benchmarks.hybrid.campaign import breast_cancer, run_fault
from tensorspin.benchmarks.hybrid.faults import FAULTS
from tensorspin.benchmarks.hybrid.servers import Appliance
from tensorspin.errors import TensorspinError

REMOTE = {"none", "board lost"}
"""Where the processor answers always."""

SOMETIMES = {
    "503 at 10 %",
    "503 at 30 %",
    "503 at 50 %",
    "1 % of the bytes damaged",
    "stopped, then continued",
    "killed, then started anew",
    "ten jobs of others queued",
    "depolarised by 0.3",
    "the answer before, again",  # the first has none before it
}
"""Where the processor answers now and then; under all other faults never."""


@pytest.fixture(scope="module")
def task():
    return breast_cancer(epochs=5)


@pytest.fixture(scope="module")
def appliance(tmp_path_factory):
    with Appliance(tmp_path_factory.mktemp("appliance")) as running:
        yield running


@pytest.mark.parametrize("name", FAULTS)
def test_every_request_is_answered_and_none_wrongly(name, task, appliance, tmp_path):
    # The deadline is one that a loaded computer keeps, too; nothing here is measured.
    requests = 6
    found = run_fault(FAULTS[name], task, appliance, tmp_path, requests, deadline=1.0)
    assert found["answered"] == requests
    assert found["wrong"] == 0
    if name in REMOTE:
        assert found["remote"] == requests, found
    elif name not in SOMETIMES:
        assert found["remote"] == 0, found


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_the_campaign(name, task, appliance, tmp_path):
    found = run_fault(FAULTS[name], task, appliance, tmp_path, 200, deadline=0.3)
    assert (found["answered"], found["wrong"]) == (200, 0)
    if name == "503 at 30 %":
        assert found["remote"] >= 0.6 * 200
    if name == "depolarised by 0.3":
        assert found["remote"] < 40


def test_the_command_writes_its_report(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "QUICK", 2)
    monkeypatch.setattr(benchmark, "DEADLINE", 60.0)  # a loaded computer keeps it, too
    monkeypatch.setattr(benchmark, "breast_cancer", lambda: breast_cancer(epochs=1))
    words = ["--quick", "--fault", "none", "--fault", "NaN", "--output", str(tmp_path)]
    assert benchmark.main(words) == 0
    report = json.loads((tmp_path / "hybrid.json").read_text())
    assert report["faults"]["NaN"]["reasons"] == {"failed": 2}
    assert "| NaN | 0 | 2 failed |" in (tmp_path / "hybrid.md").read_text()
    assert benchmark.main(["--render", "--output", str(tmp_path)]) == 0


def test_the_demonstration_loses_no_answer(tmp_path, capsys):
    words = ["--board", "golden://icebreaker", "--samples", "30", "--output", str(tmp_path)]
    assert demo.main(words) == 0
    told = capsys.readouterr().out
    assert "30 samples, 0 without an answer" in told
    assert "appliance killed   0 of 10 answers from the processor" in told
    assert (tmp_path / demo.FIGURE).exists()


def test_an_appliance_that_does_not_start_says_why(tmp_path):
    with pytest.raises(TensorspinError, match="the appliance did not start: .*no_such_module"):
        Appliance(tmp_path, "no_such_module:thing").start()
