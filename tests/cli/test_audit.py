"""The command ``tensorspin audit``."""

from __future__ import annotations

import argparse
import json
import re
import sys

import numpy as np
import pytest

from tensorspin.cli import audit as command
from tensorspin.cli.audit_figures import audit_figures
from tensorspin.trust import Settings
from tests.support.command_line import GOLDEN, document, run
from tests.support.selection import slow_but

LITTLE = (
    *("--eps", "0.1", "--eps-l2", "0.2", "--attack-steps", "3", "--attack-starts", "1"),
    *("--queries", "5", "--attack-samples", "10", "--flips", "1", "50", "--trials", "2"),
    *("--fault-samples", "10", "--faults", "5", "--board", GOLDEN),
)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_card_for_people_and_a_second_one_that_is_the_same(capsys, model, tmp_path):
    card = tmp_path / "cards" / "iris"
    words = ["audit", model, "--data", "iris", "--output", card, *LITTLE]
    more = ["--upset-rate", "1e-7/bit/day", "--figures", "svg"]
    status, out, err = run(capsys, "-q", *words, *more)
    assert status == 0 and "warning" not in err
    for start in ("accuracy, device", "pgd linf 0.1", "random search linf 0.1", "50 bits flipped",
                  "noticed in headers", "after a year", "AUROC, noise 0.2", "card "):  # fmt: skip
        assert re.search(rf"^{re.escape(start)}", out, flags=re.MULTILINE), start
    first = files_of(card)
    assert set(first) == {
        *("README.md", "audit.json", "fields.toml"),
        *("reliability.svg", "robustness.svg", "faults.svg"),
    }
    assert b"![Reliability diagram](reliability.svg)" in first["README.md"]
    assert b"Intended use\n\n*To be filled in" in first["README.md"]
    run(capsys, "-q", *words, *more)
    assert files_of(card) == first


def test_the_document_and_the_fields_that_its_user_fills(capsys, model, tmp_path):
    (tmp_path / "fields.toml").write_text('intended_use = "Flowers in a pot."\n')
    words = ["audit", model, "--data", "iris", "--output", tmp_path, *LITTLE, "--json"]
    found = document(capsys, *words, "--figures", "none")
    saved = json.loads((tmp_path / "audit.json").read_text())
    assert {name: found[name] for name in saved} == saved
    assert found["fields"] == {"intended_use": "Flowers in a pot."}
    assert found["data"]["name"] == "iris" and "held-out" in found["data"]["which"]
    assert found["settings"]["eps_linf"] == [0.1] and found["faults"]["over_time"] is None
    assert "> Flowers in a pot." in (tmp_path / "README.md").read_text()
    assert not list(tmp_path.glob("*.png"))


def table(path, rows=120):
    """A table with a header, words, gaps, and a target of words."""
    rng = np.random.default_rng(0)
    lines = ["length,colour,weight,kind"]
    for _ in range(rows):
        length, colour = rng.random(), ["red", "green"][rng.integers(2)]
        kind = "big" if (length > 0.5) == (colour == "red") else "small"
        weight = "" if rng.random() < 0.1 else f"{100 * rng.random():.3f}"
        lines.append(f"{length:.4f},{colour},{weight},{kind}")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("estimator", slow_but(["mps"], ["mps", "anomaly"]))
def test_tables_with_words_and_gaps_and_a_guard(capsys, tmp_path, estimator):
    data, model, guard = (tmp_path / name for name in ("t.csv", "m.npz", "g.npz"))
    table(data)
    for kind, path in ((estimator, model), ("anomaly", guard)):
        words = ["train", data, "--estimator", kind, "--epochs", "5", "--bond-dim", "4"]
        status, _, err = run(capsys, *words, "--missing", "level", "--output", path)
        assert status == 0, err
    words = ["audit", model, "--data", data, "--output", tmp_path / "card", *LITTLE]
    found = document(capsys, *words, "--guard", guard, "--unusual", data, "--json")
    assert found["robustness"]["columns_moved"] == 2 and found["robustness"]["columns"] == 3
    kinds = {each["kind"]: each["scores"] for each in found["out_of_distribution"]["kinds"]}
    assert "guard" in kinds["samples given"]
    assert found["calibration"]["applies"] == (estimator == "mps")


def test_numbers_are_audited_too(capsys, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.random((100, 3)) * [1, 50, 1000]
    data, model = tmp_path / "r.csv", tmp_path / "r.npz"
    rows = [",".join(map(str, [*row, sum(row)])) for row in X.tolist()]
    data.write_text("\n".join(["a,b,c,total", *rows]) + "\n")
    train = ["train", data, "--estimator", "regressor", "--epochs", "5", "--output", model]
    assert run(capsys, *train)[0] == 0
    status, out, _ = run(
        capsys, "audit", model, "--data", data, "--output", tmp_path / "card", *LITTLE
    )
    assert status == 0 and "root mean square error, device" in out
    text = (tmp_path / "card" / "README.md").read_text()
    assert "pipeline_tag: tabular-regression" in text
    assert "Calibration\n\nDoes not apply: only classifiers" in text


def test_what_is_wrong_is_found_before_any_work(capsys, model, tmp_path, monkeypatch):
    from tensorspin.driver.board import Board

    monkeypatch.setattr(Board, "open", None)
    foreign = tmp_path / "other"
    foreign.mkdir()
    (foreign / "README.md").write_text("mine")
    (tmp_path / "file").write_text("x")
    (tmp_path / "bad.toml").write_text("purpose = 'x'")
    start = ["audit", model, "--data", "iris"]
    for words, message in (
        (["--output", foreign], "README.md is there, and was not written by tensorspin audit"),
        (["--output", tmp_path / "file"], "must be a folder, and is a file"),
        (["--fields", tmp_path / "bad.toml"], "fields are "),
        (["--fields", tmp_path / "none.toml"], "none.toml"),
        (["--eps", "0.2", "0.1"], "eps_linf must be rising"),
        (["--samples", "1"], "--samples must be at least 2, not 1"),
        (["--upset-rate", "2"], "upset_rate must be above 0 and at most 1"),
        (["--guard", tmp_path / "none.npz"], "there is no such file"),
        (["--guard", model], "the guard must be the program of an anomaly detector"),
    ):
        output = [] if "--output" in words else ["--output", tmp_path / "card"]
        status, _, err = run(capsys, *start, *words, *output)
        assert status == 1 and message in err, err
    with pytest.raises(SystemExit):
        run(capsys, *start, "--upset-rate", "often")
    assert "must be a number of upsets a bit and day" in capsys.readouterr().err
    assert (foreign / "README.md").read_text() == "mine"


@pytest.mark.slow
def test_without_matplotlib_there_are_no_figures_and_a_warning(
    capsys, model, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = ["audit", model, "--data", "iris", "--output", tmp_path / "card", *LITTLE]
    status, _, err = run(capsys, *words)
    assert status == 0 and "there will be no figures" in err
    assert not list((tmp_path / "card").glob("*.png"))
    status, _, err = run(capsys, *words, "--figures", "png")
    assert status == 1 and "the figure needs matplotlib" in err


def test_the_help_tells_the_defaults_of_the_settings():
    parser = argparse.ArgumentParser()
    command.add_options(parser)
    told = {each.dest: each.help or "" for each in parser._actions}
    for name, value in vars(Settings()).items():
        if value is not None:
            shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            assert told[name].endswith(f"by default {shown}"), name


def test_sections_that_do_not_apply_have_no_figure(tmp_path):
    nothing = {"applies": False}
    sections = {"calibration": nothing, "robustness": nothing, "faults": nothing}
    assert audit_figures(tmp_path, sections, "png") == {}
