"""``tensorspin train``: other estimators, and tables of text as users have them."""

from __future__ import annotations

import gzip
import re

import numpy as np
import pytest

from tensorspin.compiler import NetworkProgram
from tensorspin.compiler.outputs import Classification, OutlierDetection, Regression
from tests.support.command_line import GOLDEN, document, run

RNG = np.random.default_rng(3)
X = RNG.random((60, 3)).round(3)
CLASSES = np.where(X[:, 0] > 0.5, "big", "small")
NUMBERS = (X @ [1, 2, 3]).round(3)


@pytest.fixture
def train(capsys, tmp_path):
    """Train with a text and options; return the document and the program."""

    def with_text(text, *options, name="data.csv"):
        data, output = tmp_path / name, tmp_path / "model.npz"
        data.write_bytes(text if isinstance(text, bytes) else text.encode())
        words = ("train", data, "--bond-dim", 2, "--epochs", 2, "--output", output, *options)
        return document(capsys, *words, "--json"), NetworkProgram.load(output)

    return with_text


def table(targets, head="length,width,weight,kind\n", form="{},{},{},{}\n"):
    return head + "".join(form.format(*x, y) for x, y in zip(X, targets))


@pytest.mark.parametrize("estimator", ["mps", "ttn", "ensemble"])
def test_classifiers(train, estimator):
    found, program = train(table(CLASSES), "--estimator", estimator)
    assert isinstance(program.task, Classification) and found["estimator"] == estimator
    assert found["accuracy_float"] >= 0.5 and "accuracy_quantised" in found
    assert found["held_out_samples"] == 12 and found["training_samples"] == 48
    assert program.feature_names == ("length", "width", "weight")


def test_networks_of_an_ensemble_are_told(train):
    found, program = train(table(CLASSES), "--estimator", "ensemble", "--board", "icebreaker")
    left = {key.removeprefix("left_out_") for key in found if key.startswith("left_out_")}
    names = {"linear", "bernstein", "smooth", "quantile"}
    assert found["networks"] and left | set(found["networks"]) == names
    assert program.n_features_in_ == 3


def test_an_ensemble_fits_the_board_that_commands_assume(tmp_path, capsys):
    rng = np.random.default_rng(0)
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    np.savez(data, X_train=rng.random((60, 130)), y_train=np.arange(60) % 3)
    found = document(capsys, "train", data, "--epochs", 1, "--output", output, "--json")
    assert found["estimator"] == "ensemble" and 1 <= len(found["networks"]) < 4
    assert any("does not fit icebreaker" in str(value) for value in found.values()) or all(
        "likelihood" in str(value) for key, value in found.items() if key.startswith("left_out")
    )
    assert run(capsys, "estimate", output)[0] == 0


def test_an_option_of_a_single_network_asks_for_one(train):
    found, _ = train(table(CLASSES), "--scaling", "percentile")
    assert found["estimator"] == "mps"


def test_options_that_an_ensemble_lacks_are_refused(tmp_path, capsys):
    data = tmp_path / "data.csv"
    data.write_text(table(CLASSES))
    status, _, error = run(capsys, "train", data, "--estimator", "ensemble", "--scaling", "range")
    assert status == 2 or status == 1
    assert "--scaling is not for --estimator ensemble" in error


def test_maps_margins_and_repeats(train):
    options = ("--feature-map", "bspline", "--local-dim", 5, "--feature-margin", 0.5)
    _, program = train(table(CLASSES), *options, "--n-repeats", 2, "--repeat-order", "interleave")
    assert len(program.table) == 5 and program.n_features == 3
    assert program.feature_minimum.max() < 0 and program.feature_maximum.min() > 1
    assert sum("site" in name for name in program.names) >= 4


def test_a_margin_goes_before_the_range_that_is_known_of_a_data_set(capsys, tmp_path):
    output = tmp_path / "model.npz"
    words = ("train", "digits", "--bond-dim", 2, "--epochs", 1, "--output", output, "--json")
    for margin, least in ((0, 0), (0.5, -8)):
        document(capsys, *words, "--feature-margin", margin)
        program = NetworkProgram.load(output)
        assert program.feature_minimum[20] == least and program.clip == bool(margin)


def test_a_regressor(capsys, train, tmp_path):
    found, program = train(table(NUMBERS), "--estimator", "regressor")
    assert isinstance(program.task, Regression)
    assert found["r2_float"] < 1 and found["root_mean_square_error_quantised"] > 0
    words = ("run", tmp_path / "model.npz", "--board", GOLDEN, "--data", tmp_path / "data.csv")
    again = document(capsys, *words, "--json")
    assert again["r2"] == pytest.approx(found["r2_quantised"]) and again["samples"] == 12


@pytest.mark.parametrize("labelled", [True, False])
def test_a_detector(capsys, train, tmp_path, labelled):
    text = table(CLASSES) if labelled else "".join("{},{},{}\n".format(*x) for x in X)
    found, program = train(text, "--estimator", "anomaly", "--contamination", 0.3)
    assert isinstance(program.task, OutlierDetection) and program.n_features == 3
    assert ("auc_quantised" in found) == labelled and 0 <= found["outliers_float"] <= 1
    words = ("run", tmp_path / "model.npz", "--board", GOLDEN, "--data", tmp_path / "data.csv")
    again = document(capsys, *words, "--json")
    assert again["outliers"] == found["outliers_quantised"] and ("auc" in again) == labelled
    assert again.get("auc") == found.get("auc_quantised")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--estimator", "regressor"), "regressor predicts numbers, not column 3 'kind', the last"),
        (("--estimator", "regressor", "--label-smoothing", 0.1), "--label-smoothing is not for"),
        (("--estimator", "anomaly", "--weight-bits", 4), "--weight-bits is not for --estimator an"),
        (("--contamination", 0.1), "--contamination is not for --estimator mps: leave it out"),
        (("--target", "size"), "no column called 'size'; it has length, width, weight, kind"),
        (("--drop", "kind", "--target", "kind"), "--target kind is left out"),
        (("--separator", "ab"), "separator must be one character"),
        (("--test", "nothing.csv"), "nothing.csv can't be read"),
        (("--test", "iris"), "3 features a sample, iris 4"),
    ],
)
def test_options_that_do_not_suit(capsys, tmp_path, options, message):
    data = tmp_path / "data.csv"
    data.write_text(table(CLASSES))
    if options == ("--test", "iris"):
        data.write_text("".join("{},{},{},{}\n".format(*x, y) for x, y in zip(X, CLASSES)))
    status, out, err = run(
        capsys, "train", data, *options, "--output", tmp_path / "m.npz", "--epochs", 1
    )
    assert status == 1 and not out and message in err
    assert not (tmp_path / "m.npz").exists()


def test_columns_that_are_chosen(train):
    text = "id,kind,length,width,weight,note\n" + "".join(
        f"{i},{y},{x[0]},{x[1]},{x[2]},n{i}\n" for i, (x, y) in enumerate(zip(X, CLASSES))
    )
    found, program = train(text, "--target", "kind", "--drop", "id", "--drop", "note")
    assert program.feature_names == ("length", "width", "weight")
    assert found["target"] == "column 1 'kind'"


@pytest.mark.parametrize(
    "text",
    [
        table(CLASSES, "l;w;h;k\n", "{};{};{};{}\n"),
        table(CLASSES, "l\tw\th\tk\n", "{}\t{}\t{}\t{}\n"),
        table(CLASSES, "l;w;h;k\n", "{};{};{};{}\n").replace(".", ","),
        "\ufeff" + table(CLASSES, "l,w,h,k\n").replace("\n", "\r\n"),
        gzip.compress(table(CLASSES, "l,w,h,k\n").encode(), mtime=0),
    ],
)
def test_tables_of_other_countries_and_programs(train, text):
    """The same numbers in whatever form give the same program."""
    plain = train(table(CLASSES, "l,w,h,k\n"))[1]
    found, program = train(text)
    assert program.digest(8) == plain.digest(8) and program.feature_names == ("l", "w", "h")
    assert found["features"] == 3 and set(program.classes) == {"big", "small"}


def test_an_option_decides_the_separator(capsys, tmp_path, train):
    found, _ = train(table(CLASSES, "", "{};{};{};{}\n"), "--separator", ";", "--decimal", ".")
    assert found["features"] == 3


def test_utf_16_is_refused(capsys, tmp_path):
    data = tmp_path / "data.csv"
    data.write_bytes(table(CLASSES).encode("utf-16"))
    status, _, err = run(capsys, "train", data)
    assert status == 1 and "data.csv is UTF-16; save it as UTF-8" in err


def test_a_file_to_test_with(train, tmp_path):
    test = tmp_path / "test.csv"
    rows = "".join(f"{y},{x[2]},{x[0]},{x[1]}\n" for x, y in zip(X[:7], CLASSES))
    test.write_text("kind,weight,length,width\n" + rows)
    found, program = train(table(CLASSES), "--test", test, "--target", "kind")
    assert found["held_out_samples"] == 7 and found["training_samples"] == 60
    whole, _ = train(table(CLASSES), "--test", tmp_path / "data.csv")
    assert whole["held_out_samples"] == 60
    np.testing.assert_allclose(
        found["accuracy_quantised"], np.mean(program.interpret(*golden(program)) == CLASSES[:7])
    )
    test.write_text("kind,weight,length,depth\n" + rows)
    with pytest.raises(AssertionError):
        train(table(CLASSES), "--test", test, "--target", "kind")


def golden(program):
    from dataclasses import replace

    results = replace(program, feature_names=None).run_golden(X[:7])
    return results.scores, results.exponents


def test_names_that_tell_nothing_apart(train, capsys):
    found, program = train(table(CLASSES, "a,a,b,kind\n"))
    assert program.feature_names is None and found["features"] == 3


def test_run_says_which_rows_it_used(capsys, model, tmp_path):
    words = ("run", model, "--board", GOLDEN, "--data", "iris")
    status, out, _ = run(capsys, *words)
    assert re.search(r"rows +30 of 150, a held-out 20%; all with --all\n", out)
    found = document(capsys, *words, "--json")
    assert len(set(found["rows"]["numbers"])) == 30 and max(found["rows"]["numbers"]) < 150
    few = document(capsys, *words, "--json", "--samples", 3)
    assert few["rows"]["numbers"] == found["rows"]["numbers"][:3]
    status, out, _ = run(capsys, *words, "--all")
    assert re.search(r"samples +150\n", out) and re.search(r"rows +all 150\n", out)
    data = tmp_path / "data.npz"
    x, y = np.ones((5, 4)), np.zeros(5, dtype=int)
    np.savez(data, X_train=x, y_train=y, X_test=x[:2], y_test=y[:2])
    words = ("run", model, "--board", GOLDEN, "--data", data)
    assert re.search(r"rows +the 2 that the file holds out\n", run(capsys, *words)[1])
    assert re.search(r"rows +all 7\n", run(capsys, *words, "--all")[1])


def test_run_needs_labels(capsys, model, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("5,3,1,0.2\n6,3,4,1.5\n" * 5)
    status, _, err = run(capsys, "run", model, "--board", GOLDEN, "--data", data)
    assert status == 1 and "has no target to compare predictions with" in err
    assert "tensorspin predict" in err


def test_run_finds_columns_by_name(capsys, train, tmp_path):
    found, program = train(table(CLASSES))
    other = tmp_path / "other.csv"
    rows = "".join(f"{y},{x[2]},{x[0]},7,{x[1]}\n" for x, y in zip(X, CLASSES))
    other.write_text("kind,weight,length,depth,width\n" + rows)
    words = ("run", tmp_path / "model.npz", "--board", GOLDEN, "--json", "--all", "--data")
    first, second = (document(capsys, *words, data) for data in (tmp_path / "data.csv", other))
    assert first["accuracy"] == second["accuracy"] and second["samples"] == 60
    assert second["target"] == "column 0 'kind', the first"


def test_a_table_on_standard_input(capsys, tmp_path, monkeypatch):
    import io

    text = table(CLASSES).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    words = ("train", "-", "--bond-dim", 2, "--epochs", 1, "--output", tmp_path / "m.npz")
    assert document(capsys, *words, "--json")["held_out_samples"] == 12


def test_a_file_that_is_read_is_not_written_over(capsys, train, tmp_path):
    """Its samples would be lost."""
    train(table(CLASSES))
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    before = data.read_bytes(), model.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(data)
    for output in (data, link, model):
        for words in (("predict", model), ("run", model), ("train", data)):
            if words[0] == "train" and output == model:
                continue
            source = () if words[0] == "train" else ("--data", data, "--board", GOLDEN)
            status, _, err = run(capsys, *words, *source, "--output", output)
            assert status == 1 and f"{output} is read, and would be replaced" in err
    status, _, err = run(capsys, "train", "iris", "--test", data, "--output", data)
    assert status == 1 and f"{data} is read, and would be replaced" in err
    assert (data.read_bytes(), model.read_bytes()) == before


def test_standard_input_is_read_once(capsys):
    status, _, err = run(capsys, "train", "-", "--test", "-")
    assert status == 1 and "standard input can be read only once" in err


@pytest.mark.parametrize("estimator", ["mps", "ttn", "anomaly"])
@pytest.mark.parametrize("scaling", ["range", "percentile", "standard", "quantile"])
def test_scales(train, estimator, scaling):
    words = ("--estimator", estimator, "--scaling", scaling, "--feature-margin", 0)
    _, program = train(table(CLASSES), *words)
    assert (program.knots is not None) == (scaling == "quantile") and program.clip
    levels = program.levels(X)
    assert levels.max() - levels.min() > (150 if scaling == "standard" else 250)


def test_a_scale_is_no_contradiction_to_the_known_range_of_a_data_set(capsys, tmp_path):
    output = tmp_path / "model.npz"
    words = ("train", "digits", "--bond-dim", 2, "--epochs", 1, "--output", output)
    document(capsys, *words, "--scaling", "percentile", "--json")
    assert NetworkProgram.load(output).clip
    document(capsys, *words, "--scaling", "range", "--json")
    assert not NetworkProgram.load(output).clip, "the range of digits is promised"


def test_a_detector_learns_a_scale_unless_it_is_asked_for_the_known_range(capsys, tmp_path):
    output = tmp_path / "model.npz"
    words = ("train", "digits", "--estimator", "anomaly", "--epochs", 1, "--output", output)
    document(capsys, *words, "--json")
    assert NetworkProgram.load(output).knots is not None, "levels are kept for what is unusual"
    document(capsys, *words, "--scaling", "range", "--json")
    assert not NetworkProgram.load(output).clip


def test_an_unknown_scale_is_refused(capsys, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text(table(CLASSES))
    status, _, told = run(capsys, "train", data, "--scaling", "minmax")
    assert status and 'scaling must be "range", "percentile", "standard" or "quantile"' in told


def test_calibration_is_that_of_the_estimators(train, capsys, tmp_path):
    _, without = train(table(CLASSES), "--calibration", "none")
    _, held_out = train(table(CLASSES), "--calibration", "held_out")
    assert without.task.probability_temperature == without.task.temperature
    assert held_out.task.probability_temperature != held_out.task.temperature
    for one, other in zip(without.weights, held_out.weights):
        np.testing.assert_array_equal(one, other)  # classes stay as they are
    data = tmp_path / "data.csv"
    for estimator in ("ensemble", "anomaly"):
        words = ("train", data, "--estimator", estimator, "--calibration", "none")
        status, _, err = run(capsys, *words)
        assert status == 1 and f"--calibration is not for --estimator {estimator}" in err
