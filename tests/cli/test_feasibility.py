"""The command ``tensorspin feasibility``."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tensorspin.hybrid import born_circuit
from tests.support.born_machines import detector, samples
from tests.support.command_line import GOLDEN, document, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A detector's program, and samples with words for labels, with numbers, and without."""
    path = tmp_path_factory.mktemp("feasibility")
    detector(3).quantize().save(path / "detector.npz")
    X = np.concatenate([samples(3)[:30], np.random.default_rng(1).uniform(-4, 4, (30, 3))])
    labels = np.repeat([1, 0], 30)
    np.savez(path / "numbers.npz", X_train=X, y_train=labels, X_test=X, y_test=labels)
    rows = [",".join(map(str, row)) for row in X.tolist()]
    words = [row + (",benign" if label else ",malignant") for row, label in zip(rows, labels)]
    np.savez(path / "arrays.npz", X=X)
    np.save(path / "array.npy", X)
    (path / "words.csv").write_text("\n".join(["a,b,c,label", *words]) + "\n")
    (path / "plain.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    return path


def feasibility(folder, data, *more) -> list:
    return [
        "feasibility",
        folder / "detector.npz",
        "--data",
        folder / data,
        "--deadline",
        0.5,
        *more,
    ]


def test_a_report_for_people(capsys, folder):
    status, out, err = run(capsys, "-q", *feasibility(folder, "words.csv", "--all"))
    assert status == 0 and err == ""
    assert out.startswith("# Feasibility: ")
    for name in ("Latency", "Encoding", "Noise", "Tooling", "Energy", "Sources"):
        assert f"\n## {name}\n" in out
    assert "| answers within the deadline | 100.0% | modelled |" in out


def test_a_report_for_programs_and_files(capsys, folder, tmp_path):
    output = tmp_path / "report.json"
    words = feasibility(folder, "words.csv", "--all", "--output", output, "--json")
    found = document(capsys, *words)
    assert found["samples"] == 60 and found["link"] == "lan" and found["board"] == "icebreaker"
    area = found["barriers"]["noise"]["numbers"]["area_under_the_roc_curve_exact"]
    assert area["kind"] == "simulated" and area["value"] > 0.8
    assert json.loads(output.read_text())["verdict"] == found["verdict"]
    text = tmp_path / "report.md"
    status, out, _ = run(capsys, *feasibility(folder, "words.csv", "--all", "--output", text))
    assert status == 0 and text.read_text().splitlines()[0] == out.splitlines()[0]


def test_labels_that_are_the_other_way_round_are_noticed(capsys, folder):
    words = feasibility(folder, "numbers.npz")
    _, _, err = run(capsys, *words)
    assert "labels may be the other way round: --inlier names" in err
    right = document(capsys, *words, "--inlier", "1", "--json")["barriers"]["noise"]["numbers"]
    wrong = document(capsys, *words, "--inlier", "0.0", "--json")["barriers"]["noise"]["numbers"]
    area = "area_under_the_roc_curve_exact"
    assert right[area]["value"] == pytest.approx(1 - wrong[area]["value"])


@pytest.mark.parametrize("data", ["plain.csv", "arrays.npz", "array.npy"])
def test_without_labels_decisions_are_compared(capsys, folder, data):
    more = ("--target", "none", "--all") if data == "plain.csv" else ()
    found = document(capsys, *feasibility(folder, data, *more, "--json"))
    noise = found["barriers"]["noise"]
    assert found["samples"] == 60
    assert "of the decisions" in noise["words"]
    assert noise["numbers"]["area_under_the_roc_curve_exact"]["value"] is None


def test_a_board_by_its_url_runs_samples(capsys, folder):
    words = feasibility(folder, "words.csv", "--samples", 3, "--board", GOLDEN, "--json")
    numbers, again = (document(capsys, *words)["barriers"]["latency"]["numbers"] for _ in range(2))
    # The model's own clock gives the same time in each run, this computer's does not.
    assert numbers["board_icebreaker_whole"] == again["board_icebreaker_whole"]
    board = numbers["board_icebreaker_whole"]
    assert board["kind"] == "simulated" and "golden://icebreaker, median of 3" in board["source"]
    assert board["value"] > numbers["board_icebreaker_computing"]["value"]


def test_options_turn_the_verdict_over(capsys, folder):
    def answer(*more):
        words = feasibility(folder, "words.csv", "--all", "--shots", 1000, *more, "--json")
        return document(capsys, *words)["verdict"]["answer"]

    assert answer() == "hybrid"
    assert answer("--link", "nbiot") == "local"
    assert answer("--deadline", 1e-5) == "not feasible"


def test_a_classifier_gets_a_verdict(capsys, model):
    found = document(capsys, "feasibility", model, "--data", "iris", "--deadline", 1, "--json")
    assert found["verdict"]["answer"] == "local" and found["verdict"]["barrier"] == "encoding"


def test_the_figure_is_drawn(capsys, folder, tmp_path):
    pytest.importorskip("matplotlib")
    for data in ("words.csv", "plain.csv"):
        path = tmp_path / f"{data}.svg"
        more = ("--target", "none") if data == "plain.csv" else ()
        status, _, _ = run(capsys, *feasibility(folder, data, "--all", *more, "--figure", path))
        assert status == 0 and "</svg>" in path.read_text()[-20:]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--deadline", 0), "--deadline must be more than 0 and at most 3600 seconds, not 0"),
        (("--deadline", "nan"), "--deadline must be more than 0"),
        (("--shots", 0), "shots must be 1 to"),
        (("--samples", 0), "--samples must be at least 1, not 0"),
        (("--seed", -1), "--seed must be at least 0, not -1"),
        (("--board", "nope"), "no board is called 'nope'"),
        (("--board", "icebreaker_annealer"), "has no contractor"),
        (("--inlier", "good"), "--inlier must be one of the labels, benign, malignant, not 'good'"),
        (("--output", "report.txt"), "--output must end in .json or .md, not 'report.txt'"),
        (("--output", "nowhere/report.md"), "nowhere"),
        (("--sampler", "no_such_module:object"), "--sampler no_such_module:object: No module"),
        (("--sampler", "fractions"), "--sampler must be aer, statevector or MODULE:OBJECT"),
        (("--sampler", "fractions:Fraction"), "must be a sampler of Qiskit"),
        (("--data", "detector.npz"), "detector.npz"),
        (("--data", "nowhere.npz"), "nowhere.npz can't be read"),
    ],
)
def test_bad_input_is_refused(capsys, folder, words, message):
    status, out, err = run(capsys, *feasibility(folder, "words.csv", "--all", *words))
    assert status == 1 and message in err and out == ""


def test_labels_that_are_not_there_have_no_name(capsys, folder):
    words = feasibility(folder, "plain.csv", "--target", "none", "--inlier", "1")
    status, _, err = run(capsys, *words)
    assert status == 1 and "--inlier 1 is given, and the data have no labels" in err


def test_the_output_does_not_replace_what_is_read(capsys, folder):
    before = (folder / "words.csv").read_bytes()
    words = feasibility(folder, "words.csv", "--figure", folder / "words.csv")
    status, _, err = run(capsys, *words)
    assert status == 1 and "is read, and would be replaced" in err
    assert (folder / "words.csv").read_bytes() == before


def test_scores_are_those_of_the_saved_program(capsys, folder):
    numbers = document(capsys, *feasibility(folder, "numbers.npz", "--json"))
    median = numbers["barriers"]["noise"]["numbers"]["p0_median"]["value"]
    X = np.load(folder / "numbers.npz")["X_test"]
    circuit = born_circuit(folder / "detector.npz")
    assert median == pytest.approx(np.median(circuit.exact_probability(X)))
