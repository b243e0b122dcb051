"""The annealer's benchmark: what it computes, and the command."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from tensorspin.benchmarks.annealer import figures, tables
from tensorspin.benchmarks.annealer.__main__ import VARIABLE, main
from tensorspin.benchmarks.annealer.boards import exact_row, method_row, obstacle, opened, solve
from tensorspin.benchmarks.annealer.instances import complete_instance, small_instances
from tensorspin.benchmarks.annealer.quality import WAYS, measure_gset
from tensorspin.benchmarks.annealer.speed import (
    PEERS,
    measure_speed,
    solution_error,
    time_to_solution,
)
from tensorspin.benchmarks.common.panels import HOST_COLOURS
from tensorspin.contract.annealer.thresholds import MAX_SAMPLES
from tensorspin.contract.device.boards import find_board
from tensorspin.data.model_files import KnownValue

BOARD = "ulx3s_25f_annealer"


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_time_to_solution():
    assert time_to_solution(2.0, 0.0) is None
    assert time_to_solution(2.0, 1.0) == 2.0
    # Ten reads that fail with the probability 0.1 ** 0.2 each: all fail with 0.01.
    assert time_to_solution(2.0, 1 - 0.1**0.2) == pytest.approx(20.0)


def test_error_of_a_time_to_solution():
    """That of many times whose number of successes is drawn."""
    successes, reads = 0.3, 400
    drawn = np.random.default_rng(1).binomial(reads, successes, 2000) / reads
    times = [time_to_solution(1.0, share) for share in drawn]
    assert solution_error(successes, reads) == pytest.approx(
        np.std(times) / time_to_solution(1.0, successes), rel=0.1
    )
    assert solution_error(0.0, reads) is solution_error(1.0, reads) is None


def test_complete_instances_are_those_of_the_seed():
    first, second = (complete_instance(10).model for _ in range(2))
    assert first.bqm == second.bqm
    assert first.bqm != complete_instance(10, seed=1).model.bqm
    assert set(first.bqm.quadratic.values()) == {-1.0, 1.0}
    assert first.weight == sum(first.bqm.quadratic.values())


def test_boards_solve():
    row, instance = find_board(BOARD), complete_instance(12)
    assert obstacle(instance, row.annealer) is None
    with opened(row) as sampler:
        solved = solve(sampler, instance, (0.3, 3.0), 30, 16)
        cycles = sampler.sample(instance.model.bqm, num_sweeps=30, beta_range=(0.3, 3.0), seed=0)
    states = np.array(np.meshgrid(*[[-1, 1]] * 12)).reshape(12, -1).T
    energies = instance.model.bqm.energies((states, range(12)))
    assert solved.values.max() == instance.model.value(energies.min())
    assert len(solved.values) == 16
    once = cycles.info["device_time"] / row.annealer.replicas
    assert 0.5 * once < solved.read_seconds < 2 * once
    # The problem is uploaded once.
    assert solved.upload_seconds > 0 and solved.transfer_seconds > 0


def test_too_large_instances_are_told():
    row = find_board(BOARD)
    instance = complete_instance(row.annealer.spins + 1)
    told = f"{instance.variables} variables"
    assert obstacle(instance, row.annealer) == told
    found = measure_speed(instance, [row], [10], 4, "no-such-interpreter")
    assert found["solvers"][0]["obstacle"] == told
    assert "target" not in found


def test_missing_libraries_are_told():
    found = measure_speed(
        complete_instance(8), [find_board(BOARD)], [10, 20], 8, "no-such-interpreter"
    )
    board, *libraries = found["solvers"]
    assert [library["solver"] for library in libraries] == list(PEERS)
    assert all("no-such-interpreter" in library["missing"] for library in libraries)
    for run in board["runs"]:
        assert 0 < run["successes"] <= 1
        assert run["seconds_with_transfers"] > run["seconds"] >= run["read_seconds"] > 0
        # A whole run of 16 reads, with the upload.
        assert run["seconds_to_first"] > 16 * run["read_seconds"] + run["upload_seconds"]


def known_instance(spins):
    instance = complete_instance(spins)
    with opened(find_board(BOARD)) as sampler:
        best = solve(sampler, instance, (0.1, 3.0), 100, 32).values.max()
    return replace(instance, known=KnownValue("max cut", float(best), "best found here"))


@pytest.mark.slow
def test_methods_take_as_long_as_each_other():
    instance, done = known_instance(40), []
    found = measure_gset(instance, find_board(BOARD), [20, 40, 80], 17, lambda: done.append(1))
    assert len(found) == len(done) == 3 * len(WAYS)
    assert [(row["method"], row["schedule"]) for row in found[::3]] == list(WAYS)
    assert {row["method"] for row in found if row["rebuilt"]} == {"tempering"}
    for place, row in enumerate(found):
        # Whole sweeps, of which so few differ from run to run.
        assert row["read_seconds"] == pytest.approx(found[place % 3]["read_seconds"], rel=0.25)
        assert row["reads"] == 32
        assert row["mean"] <= row["run_best"]
        assert row["sweeps"] == (20, 40, 80)[place % 3] or place >= 3


def test_boards_that_lack_a_method_are_told():
    found = measure_gset(known_instance(20), find_board("icebreaker_annealer"), [5], 2, int)
    told = {row["method"]: row["obstacle"] for row in found if "obstacle" in row}
    assert set(told) == {"tempering", "quantum"}
    assert "no parallel tempering" in told["tempering"] and "no ring" in told["quantum"]


def test_rows_are_rebuilt_for_tempering_alone():
    row = find_board(BOARD)
    assert method_row(row, "quantum") == row
    rebuilt = method_row(row, "tempering")
    assert rebuilt.annealer.tempering and rebuilt.annealer.samples <= MAX_SAMPLES
    assert method_row(rebuilt, "tempering") == rebuilt


def write_instances(folder):
    (folder / "biqmac").mkdir()
    (folder / "biqmac" / "ring").write_text("4 4\n1 2 1\n2 3 1\n3 4 1\n1 4 -5\n")
    (folder / "qubo").mkdir()
    (folder / "qubo" / "one.sparse").write_text("2 3\n1 1 -90\n1 2 1\n2 2 31\n")
    (folder / "gset").mkdir()
    (folder / "gset" / "G1.txt").write_text("4 4\n1 2 1\n2 3 1\n3 4 1\n1 4 1\n")
    (folder / "best_known.csv").write_text(
        "file,n,m,objective,value,status\n"
        "gset/G1.txt,4,4,max cut,4,best known\n"
        "biqmac/ring,4,4,max cut,2,proven optimum\n"
        "qubo/one.sparse,2,3,min x'Qx,-90,proven optimum\n"
    )


def test_bits_are_those_of_the_weights(tmp_path):
    write_instances(tmp_path)
    ring, one = small_instances(tmp_path)
    row, error = exact_row(find_board(BOARD), ring)
    assert (row.annealer.coupling_bits, row.annealer.spins, error) == (4, 4, 0)
    assert exact_row(find_board(BOARD), one)[1] == pytest.approx(0, abs=1e-9)


def test_command(tmp_path, capsys):
    data, output = tmp_path / "data", tmp_path / "results"
    data.mkdir()
    write_instances(data)
    arguments = ["--quick", "--spins", "10", "--reads", "8", "--board", BOARD]
    arguments += ["--output", str(output), "--compare-python", "no-such-interpreter"]
    arguments += ["--parts", "speed", "gset", "small"]
    assert main([*arguments, "--data", str(data)]) == 0
    report = json.loads((output / "annealing.json").read_text())
    assert [row["first"] is not None for row in report["small"]] == [True, True]
    text = (output / "annealing.md").read_text()
    assert "2 of 2 optima found within 100 reads" in text
    assert "us to the first answer" in text
    assert re.search(r"\| dwave \| .*no-such-interpreter", text)
    assert not re.search(r"\bnan\b", text)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line, following in zip(lines, lines[1:]):
        if re.match(r"\|[-:|]+\|$", following):  # a header
            width = line.count("|")
        assert line.count("|") == width
    assert re.search(r"\| G1\.txt \|.*\| tempering \(rebuilt\) \|", text)
    assert (output / "annealing_speed.png").is_file()
    assert (output / "annealing_gset.png").is_file()
    before = text
    assert main(["--render", "--output", str(output)]) == 0
    assert (output / "annealing.md").read_text() == before
    assert math.isfinite(report["speed"][0]["target"])
    capsys.readouterr()


def test_files_and_temperatures_of_choice(tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    write_instances(data)
    arguments = ["--quick", "--reads", "8", "--board", BOARD, "--parts", "gset", "--spins"]
    arguments += ["--output", str(tmp_path), "--data", str(data)]
    assert main([*arguments, "--gset", "G1.txt", "--gset-beta-range", "0.25", "1.5"]) == 0
    report = json.loads((tmp_path / "annealing.json").read_text())
    assert report["gset"] and all(run["betas"] == [0.25, 1.5] for run in report["gset"])
    assert "0.25 to 1.5" in (tmp_path / "annealing.md").read_text()
    assert main([*arguments, "--gset", "G99.txt"]) == 1
    assert "there is no G99.txt" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--gset", "G1.txt"])


def test_wrong_folder(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "--output", str(tmp_path)]) == 1
    assert "there is no best_known.csv" in capsys.readouterr().err


def test_boards_with_the_same_result_are_one_row():
    cut = {"name": "G1", "method": "annealing", "schedule": "linear", "rebuilt": False}
    numbers = dict.fromkeys(
        ("read_seconds", "mean", "standard_error", "run_best", "transfer_seconds"), 0.5
    ) | {"betas": (0.1, 2.0), "sweeps": 10, "upload_seconds": 1.0}
    rows = [{**cut, **numbers, "board": board} for board in ("a", "b")]
    rows += [{"name": "G1", "board": board, "obstacle": "800 variables"} for board in ("c", "d")]
    text = "\n".join(tables._gset(rows))
    assert text.count("| G1 | a, b | annealing, linear | 0.1 to 2 |") == 1
    assert text.count("| G1 | c, d | - | 800 variables |") == 1 and text.count("| G1 |") == 2
    solver = {"kind": "board", "obstacle": "800 variables"}
    item = {"name": "G1", "solvers": [{**solver, "solver": name} for name in ("c", "d")]}
    assert tables._speed(item)[-1] == "Fits no board: c, d: 800 variables."


def test_more_boards_than_colours_are_drawn_in_no_grey(tmp_path):
    run = {"read_seconds": 1e-5, "mean": -9.0, "sweeps": 10}
    kinds = ["board"] * 9 + ["library"] * 3
    solvers = [
        {"solver": f"{kind} {place}", "kind": kind, "runs": [run]}
        for place, kind in enumerate(kinds)
    ]
    drawn = []

    class Axes:
        def plot(self, *_, color, **__):
            drawn.append(color)

        def __getattr__(self, name):
            return lambda *_, **__: None

    item = {"name": "x", "target": -9.9, "best": -10.0, "target_share": 0.99, "solvers": solvers}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "grid", lambda plt, count: (None, [Axes()]))
        figures._speed(None, [item])
    boards, hosts = drawn[:9], drawn[9:]
    assert len(set(boards)) == 9 and set(hosts) == set(HOST_COLOURS)
    assert not set(boards) & set(hosts)
