"""The contractor's benchmark from its command line to tables and pictures."""

import json
import re

import matplotlib.image
import numpy as np
import pytest

from tensorspin.benchmarks.common.machine import describe_machine
from tensorspin.benchmarks.common.timing import summary, timed
from tensorspin.benchmarks.contractor import figures
from tensorspin.benchmarks.contractor.__main__ import main
from tensorspin.benchmarks.contractor.run import Plan, _load
from tensorspin.benchmarks.contractor.tables import markdown
from tensorspin.contract.device.boards import find_board

PICTURES = ("benchmark_accuracy.png", "benchmark_boards.png", "benchmark_latency.png")
GOLDEN = ("--board", "golden://icebreaker")
CLOCK_HZ = find_board("icebreaker").clock_hz


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    data = folder / "mine.csv"
    rng = np.random.default_rng(0)
    rows = (f"{a:.3f},{b:.3f},{'high' if a > b else 'low'}" for a, b in rng.random((60, 2)))
    data.write_text("x,y,class\n" + "\n".join(rows))
    output = folder / "results"
    arguments = ["--quick", "--names", "--data", str(data), "--output", str(output), *GOLDEN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", "false")  # compiled code has a test of its own
        assert main(arguments) == 0
    return output


def read(results):
    return json.loads((results / "benchmark.json").read_text())


def test_report_tells_all(results):
    (data,) = read(results)["data"]
    assert (data["name"], data["features"], data["classes"]) == ("mine", 2, 2)
    assert (data["training_samples"], data["test_samples"], data["splits"]) == (48, 12, 1)
    assert len(data["host"]) == 6
    for row in data["host"]:
        first, third = row["latency"]["quartiles"]
        assert 0 < first <= row["latency"]["median"] <= third
    assert {row["url"] for row in data["boards"]} == {"golden://icebreaker"}
    # One split has no standard error.
    assert all(row["standard_error"] is None for row in data["accuracy"])


def test_nothing_tells_whose_machine_it_is(results):
    text = (results / "benchmark.json").read_text() + (results / "benchmark.md").read_text()
    assert str(results.parent) not in text
    assert set(describe_machine()) == {
        "processor",
        "architecture",
        "cores",
        "system",
        "python",
        "packages",
    }


def test_tables(results):
    text = (results / "benchmark.md").read_text()
    for title in ("Accuracy", "Latency of one sample", "Throughput", "One sample, and many"):
        assert f"### {title}\n" in text
    assert re.search(r"MPSClassifier, 8-bit on golden://icebreaker \| \d+\.\d\d%", text)
    assert "| 0 of 24 scores; 0 exponents, classes or cycles |" in text
    # Every line of a table has as many cells as its head.
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_rendering_again_measures_nothing_and_gives_the_same(results, tmp_path, monkeypatch):
    (tmp_path / "benchmark.json").write_text((results / "benchmark.json").read_text())
    monkeypatch.setattr("tensorspin.benchmarks.contractor.__main__.measure", None)
    assert main(["--render", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "benchmark.md").read_text() == (results / "benchmark.md").read_text()
    for name in PICTURES:
        again, first = (matplotlib.image.imread(folder / name) for folder in (tmp_path, results))
        assert np.array_equal(again, first)


def full_report(results):
    """A report with all that can occur: several sets, boards that are too small, libraries."""
    report = read(results)
    report["quick"] = False
    data = report["data"][0]
    latency = {
        "cycles": summary([100, 102]),
        "overhead_cycles": summary([30, 31]),
        "engine_cycles": summary([50, 50]),
        "reply_cycles": summary([20, 21]),
        "seconds": 1e-5,
        "line_bytes": 40,
        "line_seconds": 4e-4,
    }
    data["boards"][0]["latency"] = latency
    data["capacity"][0]["obstacle"] = "words of program memory: 9 of 8"
    data["capacity"].append(
        data["capacity"][0] | {"cycles": None, "obstacle": "features of a sample: 9 of 8"}
    )
    data["accuracy"].append(
        data["accuracy"][1]
        | {"variant": "8-bit on sim://x", "url": "sim://x", "obstacle": "slots: 9 of 8"}
    )
    data["accuracy"].append(
        data["accuracy"][1] | {"variant": "4-bit", "weight_bits": 4, "standard_error": 0.01}
    )
    report["data"].append(data | {"name": "other", "boards": []})
    shared = {"data": "digits", "sites": 64, "bond_dim": 16, "epochs": 30, "batch_size": 59}
    shared |= {"training_samples": 1416, "seed": 0}
    timed_row = {"epoch_seconds": 0.5, "epoch_range": [0.4, 0.6], "first_epoch_seconds": 7.0}
    timed_row |= {"accuracy": 0.97, "versions": {"tensorkrowch": "1"}}
    report["training"] = [
        shared | {"library": "tensorspin"} | timed_row,
        shared | {"library": "tensorkrowch", "ratio": 4.25} | timed_row,
        shared | {"library": "tn4ml", "missing": "not installed (No module)"},
    ]
    timed_row = {"task": "large", "samples": 5000, "features": 32, "batch_size": 208}
    timed_row |= {"seconds": 2.0, "operations_per_second": 9e10, "ratio": 2.5}
    report["kernels"] = [timed_row | {"kernel": "avx2"}]
    return report


def test_everything_that_can_occur_is_rendered(results, tmp_path):
    report = full_report(results)
    text = markdown(report)
    for line in (
        "does not fit: slots: 9 of 8",
        "no: words of program memory: 9 of 8",
        "no: features of a sample: 9 of 8",
        "± 1.00%",
        f"| 101 | 30 | 50 | 20 | 10 at {CLOCK_HZ / 1e6:g} MHz | 400 (40 bytes) |",
        "| tensorkrowch | 0.5 [0.4, 0.6] | 4.25 | 7 | 97.00% | tensorkrowch 1 |",
        "| tn4ml | - | - | - | - | not installed (No module) |",
        "| large: 5,000 samples, 32 features | 208 | avx2 | 2 | 90 | 2.5 |",
    ):
        assert line in text
    paths = figures.draw(report, tmp_path)
    assert [path.name for path in paths] == list(PICTURES)
    for path in paths:
        picture = matplotlib.image.imread(path)
        assert picture.shape[0] > 200 and picture.std() > 0


def report_of_equal_boards(results, count):
    """A report in which boards, of which each row of its kind tells the same, stand for one."""
    report = full_report(results)
    data = report["data"][0]
    del report["data"][1:]
    for kind in ("accuracy", "boards"):
        copies = []
        for row in data[kind]:
            urls = [f"sim://board{place}" for place in range(count)] if row["url"] else [None]
            variant = row.get("variant", "").partition(" on ")[0]
            copies += [
                row | {"url": url, "variant": f"{variant} on {url}" if url else variant}
                for url in urls
            ]
        data[kind] = copies
    for row in data["boards"]:
        row["latency"] = data["boards"][0]["latency"]
    row = data["capacity"][1]
    data["capacity"] = [
        row | {"board": f"board{place}", "title": f"Board {place}"} for place in range(count)
    ]
    return report


def test_each_distinct_result_is_one_row(results):
    tables = re.findall(r"(?:^\|.*\n)+", markdown(report_of_equal_boards(results, 5)), re.M)
    for table in tables:
        told = [re.sub(r"board\d|Board \d", "board", row) for row in table.splitlines()[2:]]
        assert len(set(told)) == len(told)
    text = "".join(tables)
    boards = ", ".join(f"sim://board{place}" for place in range(5))
    # Accuracy has two, as the report also tells of a program that does not fit; and throughput one.
    assert text.count(f"| MPSClassifier, 8-bit on {boards} |") == 3
    programs = [
        f"{name}, {bits}-bit" for name in ("MPSClassifier", "TTNClassifier") for bits in (8, 4)
    ]
    assert text.count(f"| {'; '.join(programs)} on {boards} |") == 1  # latency
    assert text.count("board0: Board 0; board1: Board 1; board2: Board 2; board3: Board 3;") == 1


def test_each_distinct_result_is_one_bar(results, tmp_path):
    report = report_of_equal_boards(results, 5)
    (data,) = report["data"]
    ((title, row),) = figures._capacity_bars(data)
    assert title.endswith("\nboard0, board1, board2, board3, board4") and row["board"] == "board0"
    colours = {f"board{place}": "#123456" for place in range(5)}
    bars = figures._latency_bars(data, colours)
    # The report has the same latency for all programs, too.
    assert len(bars) == 1 + len(data["host"]) and bars[0][0].count("Classifier") == 4
    assert len(figures.draw(report, tmp_path)) == len(PICTURES)


def test_a_board_that_answers_otherwise_has_a_row_of_its_own(results):
    report = report_of_equal_boards(results, 3)
    row = [row for row in report["data"][0]["accuracy"] if row["url"] == "sim://board1"][0]
    row["scores_unlike_golden"] = 1
    text = markdown(report)
    assert "on sim://board0, sim://board2 | " in text
    assert re.search(r"on sim://board1 \| .*\| 1 of 24 scores", text)


def test_results_are_told_before_boards_are_opened(tmp_path, monkeypatch, capsys):
    told, kept = [], []

    def in_turn(boards):
        told.append(capsys.readouterr().err)
        kept.append(json.loads((tmp_path / "benchmark.json").read_text()))
        return iter(boards._boards.items())

    monkeypatch.setattr("tensorspin.benchmarks.contractor.opening.Boards.in_turn", in_turn)
    arguments = ["--quick", "--names", "iris", "--output", str(tmp_path), *GOLDEN]
    assert main(arguments) == 0
    assert re.search(r"^iris: MPSClassifier, 8-bit: accuracy \d+\.\d\d%, ", told[0], re.M)
    assert re.search(r"^iris: TTNClassifier on this host: [\d,.]+ us a sample$", told[0], re.M)
    assert " on golden://" not in told[0]
    ((data,),) = [report["data"] for report in kept]
    assert data["boards"] == [] and markdown(kept[0])
    after = capsys.readouterr().err
    assert re.search(
        r"^iris: MPSClassifier, 4-bit on golden://icebreaker: accuracy \d+\.\d\d%, 0 of 90 scores "
        r"unlike the golden model, [\d,]+ samples/s$",
        after,
        re.M,
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("{", "is no JSON file"),
        ("[]", "must be a report of format 1, not None"),
        ('{"format": 99}', "must be a report of format 1, not 99"),
    ],
)
def test_reports_that_are_none(tmp_path, capsys, content, message):
    if content is not None:
        (tmp_path / "benchmark.json").write_text(content)
    assert main(["--render", "--output", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: np.savez(path, X=[1]), "lacks the arrays X_train, y_train"),
        (
            lambda path: np.savez(path, X_train=np.full((4, 2), np.nan), y_train=[0, 1, 0, 1]),
            "feature 0 of sample 0 is nan",
        ),
        (
            lambda path: np.savez(path, X_train=np.ones((20, 2)), y_train=np.ones(20, int)),
            "all 20 samples to train on are of class 1",
        ),
        (
            lambda path: np.savez(path, X_train=np.ones((20, 2000)), y_train=np.arange(20) % 2),
            "2000 features a sample; the boards take",
        ),
    ],
)
def test_bad_data_ends_before_anything_is_measured(tmp_path, capsys, write, message):
    path = tmp_path / "bad.npz"
    write(path)
    arguments = ["--quick", "--data", str(path), "--output", str(tmp_path / "results"), *GOLDEN]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and error.startswith("benchmark: ") and error.count("\n") == 1
    assert not (tmp_path / "results" / "benchmark.json").exists()


def test_text_among_the_features_of_a_csv(tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text("1,2,0\n3,red,1\n")
    assert main(["--data", str(path), "--output", str(tmp_path), *GOLDEN]) == 1
    assert "feature 1 of sample 1 is 'red', not a number" in capsys.readouterr().err


def test_header_says_whether_the_first_line_of_a_csv_file_is_a_sample(tmp_path, capsys):
    path = tmp_path / "counted.csv"
    path.write_text("0,1,2\n3,4,2\n5,6,1\n", encoding="utf-8")
    arguments = ["--names", "iris", "--data", str(path), "--output", str(tmp_path), *GOLDEN]
    assert main(arguments) == 1
    assert "say which: --header yes or --header no" in capsys.readouterr().err
    for header, samples in (("yes", 2), ("no", 3)):
        assert main([*arguments, "--header", header]) == 1  # too few for the splits
        assert "may hold numbers of columns" not in capsys.readouterr().err
        assert len(_load(str(path), Plan(header=header)).y) == samples
    assert len(_load("iris", Plan(header="yes")).y) == 150


@pytest.mark.parametrize(
    "arguments",
    [["--splits", "1"], ["--most-training", "2"], ["--compare-epochs", "1"], ["--names", "mnist"]],
)
def test_arguments_that_are_wrong_end_with_2(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_nothing_to_measure(tmp_path, capsys):
    assert main(["--names", "--output", str(tmp_path)]) == 1
    assert "nothing to measure" in capsys.readouterr().err


def test_timing_counts_what_it_should():
    calls = []
    found = timed(lambda: calls.append(0), repeats=4, warm_up=2)
    assert len(calls) == 6 and found["count"] == 4
    assert summary([1, 2, 3, 4, 100]) == {"median": 3, "quartiles": [2, 4], "count": 5}
