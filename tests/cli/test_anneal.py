"""The command ``tensorspin anneal``."""

from __future__ import annotations

import re

import pytest

from tests.support.command_line import GOLDEN, document, run

# Complete bipartite, odd with even.
RUDY = "6 9\n" + "".join(f"{i} {j} 1\n" for i in (1, 3, 5) for j in (2, 4, 6))


ANNEALER, ALONE = "golden://ulx3s_25f_both", "golden://ulx3s_25f_annealer"


def test_anneal(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    (tmp_path / "best_known.csv").write_text(
        "file,n,m,objective,value,status\ngraph,6,9,max cut,9,proven optimum\n"
    )
    plot, output = tmp_path / "graph.png", tmp_path / "graph.csv"
    status, out, _ = run(
        *(capsys, "anneal", path, "--board", ANNEALER, "--sweeps", "40", "--seed", "1"),
        *("--plot", plot, "--output", output),
    )
    assert status == 0
    for line in (
        r"model +6 variables, 9 couplings",
        r"best max cut +9\n",
        r"known +9, proven optimum",
        r"best, of the known +100.000%",
        r"time on the device +[\d.]+ ms, [\d.]+ ms a read",
    ):
        assert re.search(line, out), line
    assert plot.stat().st_size > 10_000
    header, first, *_ = output.read_text().splitlines()
    assert header == "max cut,1,2,3,4,5,6"
    value, *spins = map(int, first.split(","))
    assert value == 9 and all(a == -b for a, b in zip(spins, spins[1:]))


def test_anneal_by_another_method(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    arguments = (path, "--board", ANNEALER, "--sweeps", "40", "--seed", "1", "--method", "quantum")
    status, out, _ = run(capsys, "anneal", *arguments)
    assert status == 0
    assert re.search(r"method +quantum\n", out) and re.search(r"best max cut +9\n", out)
    status, _, err = run(capsys, "anneal", *arguments, "--plot", tmp_path / "a.png")
    assert status == 1 and "not the method quantum" in err


def test_anneal_in_parts(capsys, tmp_path):
    path = tmp_path / "long"
    path.write_text("90 89\n" + "".join(f"{i} {i + 1} 1\n" for i in range(1, 90)))
    options = ("--board", ANNEALER, "--sweeps", "20", "--seed", "1", "--reads", "1")
    status, out, _ = run(capsys, "anneal", path, *options)
    assert status == 0
    assert re.search(r"parts solved +\d+", out)
    cut = int(re.search(r"best max cut +(\d+)", out).group(1))
    assert 80 < cut <= 89
    status, _, err = run(capsys, "anneal", path, *options, "--plot", tmp_path / "a.png")
    assert status == 1 and "90 variables and takes several, 64 at a time" in err


def test_anneal_tells_what_rounding_has_lost(capsys, tmp_path):
    path = tmp_path / "wide.qubo"
    path.write_text("p qubo 0 3 2 2\n0 0 5e-6\n2 2 -2\n0 1 -3e6\n1 2 4\n")
    options = ("--board", ANNEALER, "--sweeps", "2", "--seed", "1")
    status, out, _ = run(capsys, "anneal", path, *options)
    assert status == 0
    assert re.search(r"quantisation error +[\de.-]+% of the energy", out)
    assert re.search(r"error of couplings +[\de.-]+% of their energy", out)
    assert re.search(r"error of linear terms +[\de.-]+% of their energy", out)
    assert "0.00%" not in out.split("error of linear")[0]
    assert re.search(r"rounded to zero +1 of 4 coefficients", out)
    path.write_text("p qubo 0 3 2 1\n0 0 4\n2 2 -2\n0 1 -4\n")
    out = run(capsys, "anneal", path, *options)[1]
    assert re.search(r"quantisation error +0\n", out) and "rounded to zero" not in out
    path.write_text("p qubo 0 3 3 1\n0 0 4\n1 1 1e-6\n2 2 -2e6\n0 1 -4\n")
    status, out, _ = run(capsys, "anneal", path, *options)
    assert re.search(r"decided on the host +1 variables", out)
    path.write_text("p qubo 0 3 3 0\n0 0 4\n1 1 1e-6\n2 2 -2e6\n")
    status, out, _ = run(capsys, "anneal", path, *options)
    assert status == 0 and re.search(r"decided on the host +3 variables", out)
    assert re.search(r"best min x'Qx +-2000000\n", out)


def choose(path, number, count, *further):
    """Write the model that chooses a number of bits, with further entries."""
    pairs = [f"{i} {j} 2" for j in range(count) for i in range(j)]
    fields = [f"{i} {i} {1 - 2 * number}" for i in range(count)]
    couplings = [*pairs, *further]
    head = f"p qubo 0 {count + 2} {count} {len(couplings)}"
    path.write_text("\n".join([head, *fields, *couplings]) + "\n")


def test_anneal_weak_couplings_beside_a_strong_one(capsys, tmp_path):
    path = tmp_path / "choose.qubo"
    choose(path, 2, 20, "20 21 60")
    options = ("--board", ANNEALER, "--sweeps", "50", "--seed", "1")
    status, out, err = run(capsys, "anneal", path, *options)
    assert status == 0, err
    assert re.search(r"best min x'Qx +-4\n", out) and "parts solved" not in out


@pytest.mark.slow
def test_anneal_what_does_not_fit_at_once(capsys, tmp_path):
    """Choose 10 of 540: the fields are too wide."""
    path = tmp_path / "choose.qubo"
    choose(path, 10, 540)
    board = "golden://ulx3s_85f_annealer"
    options = ("--board", board, "--sweeps", "5", "--seed", "1", "--reads", "1")
    status, out, err = run(capsys, "anneal", path, *options)
    assert status == 0, err
    assert re.search(r"best min x'Qx +-100\n", out) and re.search(r"parts solved +\d", out)
    status, _, err = run(capsys, "anneal", path, *options, "--plot", tmp_path / "a.png")
    assert status == 1 and "takes several (" in err and "device holds" in err


def test_anneal_refines(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    options = (*("--board", ANNEALER, "--sweeps", "1", "--seed", "1"), "--beta-range", "0.1", "0.1")
    status, out, _ = run(capsys, "anneal", path, *options)
    assert status == 0 and re.search(r"refined +\d+ of 16 reads, by descent; best before \d", out)
    status, raw, _ = run(capsys, "anneal", path, *options, "--refine", "none")
    assert status == 0 and "refined" not in raw
    mean, before = (float(re.search(r"reads +16, mean ([\d.]+)", text)[1]) for text in (out, raw))
    assert mean > before
    with pytest.raises(SystemExit):
        run(capsys, "anneal", path, *options, "--refine", "ascent")


def test_anneal_refuses(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    for arguments, message in (
        ((tmp_path / "missing", "--board", ANNEALER), "cannot read"),
        ((path, "--board", GOLDEN), "icebreaker has no annealer"),
        ((path, "--board", ANNEALER, "--beta-range", "1", "-1"), "not negative"),
        ((path, "--board", ANNEALER, "--method", "guessing"), "'guessing'"),
        ((path, "--board", ALONE, "--method", "tempering"), "no parallel tempering"),
        ((path, "--board", ANNEALER, "--sweeps", "0"), "at least 1, not 0"),
        ((path, "--board", ANNEALER, "--data", tmp_path), "there is no best_known.csv"),
        ((path, "--board", ANNEALER, "--plot", tmp_path / "no" / "a.png"), "there is no folder"),
        ((path, "--board", ANNEALER, "--output", path), "graph is read, and would be replaced"),
        ((path, "--board", ANNEALER, "--plot", tmp_path / "a.xyz"), "suffix must be one of .*.png"),
    ):
        status, out, err = run(capsys, "anneal", *arguments)
        assert (status, out) == (1, "")
        assert re.search(message, err.splitlines()[-1])


def test_anneal_refuses_another_schedule(capsys):
    with pytest.raises(SystemExit):
        run(capsys, "anneal", "graph", "--board", ANNEALER, "--schedule", "cubic")
    assert "invalid choice: 'cubic'" in capsys.readouterr().err


def test_anneal_refuses_another_objective_before_it_begins(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    (tmp_path / "best_known.csv").write_text(
        "file,n,m,objective,value,status\ngraph,6,9,min x'Qx,9,proven optimum\n"
    )
    status, out, err = run(capsys, "anneal", path, "--board", ANNEALER)
    assert (status, out) == (1, "")
    assert err == "tensorspin: the table has a min x'Qx, the file a max cut\n"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--sweeps", r"the device takes \d+ sweeps at most, not 99999999999$"),
        ("--reads", "num_reads must be at most 10000000 .* not 99999999999; sample several times"),
    ],
)
def test_numbers_beyond_all_limits(capsys, tmp_path, option, message):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    status, _, err = run(capsys, "anneal", path, "--board", ANNEALER, option, "99999999999")
    assert status == 1
    assert re.search(message, err.splitlines()[-1])


QUBO = "# MQLib's example\n3 5\n1 1 5\n2 2 3\n3 3 1\n1 2 -6\n2 3 -1\n"

LP = """Maximize
 value: 2 a + 2 b + 3 c
Subject To
 weight: a + b + 2 c <= 2
Binary
 a b c
End
"""

FAST = ("--board", ALONE, "--sweeps", 40, "--seed", 1)


def test_a_form_that_is_maximised(capsys, tmp_path):
    path = tmp_path / "sample.txt"
    path.write_text(QUBO)
    status, _, err = run(capsys, "anneal", path, *FAST)
    assert status == 1 and "line 3: entry 1 is a loop" in err and "sparse" in err
    status, out, _ = run(capsys, "anneal", path, *FAST, "--format", "sparse", "--maximise")
    assert status == 0
    assert re.search(r"read as +sparse: max x'Qx, Q symmetric", out)
    assert re.search(r"best max x'Qx +6\n", out)


def test_how_a_file_is_read_is_told(capsys, tmp_path):
    path = tmp_path / "graph.txt"
    path.write_text(RUDY)
    for words in (("anneal", path, *FAST), ("estimate", path, "--board", "ulx3s_25f_annealer")):
        _, out, _ = run(capsys, *words)
        assert re.search(r"read as +rudy: largest cut of a graph; .*choose --format sparse", out)
        _, out, _ = run(capsys, *words, "--format", "bq")
        assert re.search(r"read as +bq: min x'Qx, each entry", out)


def test_constraints(capsys, tmp_path):
    path, output = tmp_path / "knapsack.lp", tmp_path / "states.csv"
    path.write_text(LP)
    status, out, _ = run(
        capsys, "anneal", path, *FAST, "--lagrange-multiplier", "3", "--output", output
    )
    assert status == 0
    assert re.search(r"read as +lp: greatest objective, constraints as penalties", out)
    assert re.search(r"feasible reads +\d+ of 16 keep all 1 constraints", out)
    assert re.search(r"best max objective +4\n", out)
    header, first, *others = output.read_text().splitlines()
    assert header == "max objective,feasible,a,b,c" and first == "4,1,1,1,0"
    assert len(others) == 15
    found = document(capsys, "anneal", path, *FAST, "--lagrange-multiplier", "3", "--json")
    assert found["best"] == 4 and found["samples"][0] == [1, 1, 0] and found["feasible"][0]
    assert found["feasible_reads"]["reads"] == 16 and found["variables"] == ["a", "b", "c"]


def test_no_read_keeps_the_constraints(capsys, tmp_path):
    path = tmp_path / "none.lp"
    path.write_text(LP.replace("Subject To\n", "Subject To\n one: a + b = 2\n two: a + b = 1\n"))
    status, out, _ = run(capsys, "anneal", path, *FAST)
    assert status == 1
    assert re.search(r"feasible reads +0 of 16 .*greater --lagrange-multiplier", out)
    assert re.search(r"best max objective +none", out)


def test_a_model_with_constraints_is_estimated_as_a_model(capsys, tmp_path):
    import dimod

    cqm = dimod.ConstrainedQuadraticModel()
    a, b = dimod.Binaries("ab")
    cqm.set_objective(-a - b)
    cqm.add_constraint(a + b <= 1, label="one")
    path = tmp_path / "model"
    path.write_bytes(cqm.to_file().read())
    status, out, _ = run(capsys, "estimate", path, "--board", "ulx3s_25f_annealer")
    assert status == 0 and re.search(r"read as +cqm: least objective", out)
    words = ("estimate", path, "--board", "ulx3s_25f_annealer", "--lagrange-multiplier")
    status, light, _ = run(capsys, *words, "1")
    assert status == 0 and light != out
    status, _, err = run(capsys, *words, "0")
    assert status == 1 and "lagrange_multiplier must be more than 0" in err


def test_a_time_limit_repeats_with_other_seeds(capsys, tmp_path, monkeypatch):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    plain = document(capsys, "anneal", path, *FAST, "--json")
    clock = iter(range(1000))
    monkeypatch.setattr("tensorspin.cli.anneal_runs.time.monotonic", lambda: next(clock))
    found = document(capsys, "anneal", path, *FAST, "--time-limit", "12", "--json")
    assert found["time_limit_seconds"] == 12 and found["best"] == 9
    assert found["reads"]["number"] > 16 and found["reads"]["number"] % 16 == 0
    assert found["seed"] == 1 and found["device_seconds"] > plain["device_seconds"]
    assert all(sample in found["samples"] for sample in plain["samples"])


def test_a_time_limit_ends_a_long_run(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    words = ("anneal", path, "--board", ALONE, "--sweeps", "3000000", "--time-limit", "0.2")
    status, out, _ = run(capsys, *words)
    assert status == 0
    assert re.search(r"time limit +0.2 s: over before the first run was done", out)
    assert re.search(r"best max cut +\d+\n", out)


def test_a_time_limit_keeps_to_the_reads(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    found = document(
        capsys, "anneal", path, *FAST, "--time-limit", "600", "--reads", "20", "--json"
    )
    assert found["reads"]["number"] == 20 and not found["info"]["interrupted"]


def test_a_target_ends_the_reads(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    words = ("anneal", path, *FAST, "--reads", "160", "--json")
    found = document(capsys, *words, "--target", "9")
    assert found["target"] == {"value": 9, "reached": True} and found["reads"]["number"] < 160
    found = document(capsys, *words[:-2], "20", "--json", "--target", "10")
    assert found["target"] == {"value": 10, "reached": False} and found["reads"]["number"] == 20


def test_a_target_of_parts(capsys, tmp_path):
    path = tmp_path / "long"
    path.write_text("90 89\n" + "".join(f"{i} {i + 1} 1\n" for i in range(1, 90)))
    words = ("anneal", path, "--board", ANNEALER, "--sweeps", 20, "--seed", 1, "--reads", 5)
    found = document(capsys, *words, "--target", "60", "--json")
    assert found["target"]["reached"] and found["reads"]["number"] == 1


def test_a_target_within_the_constraints(capsys, tmp_path):
    path = tmp_path / "knapsack.lp"
    path.write_text(LP)
    words = ("anneal", path, *FAST, "--lagrange-multiplier", "3", "--reads", "48", "--json")
    found = document(capsys, *words, "--target", "4")
    assert found["target"]["reached"] and found["feasible"][0]
    found = document(capsys, *words, "--target", "5")
    assert not found["target"]["reached"] and found["feasible_reads"]["reads"] == 48


def test_the_best_state_alone(capsys, tmp_path):
    path, output = tmp_path / "graph", tmp_path / "states.csv"
    path.write_text(RUDY)
    words = ("anneal", path, *FAST, "--best-only")
    _, out, _ = run(capsys, *words, "--output", output)
    assert re.fullmatch(r"best max cut  9\nstate +1=(-?1)( \d=-?1){5}\nstates +.*states.csv\n", out)
    header, best = output.read_text().splitlines()
    assert best.startswith("9,")
    found = document(capsys, *words, "--json")
    assert found["best"] == 9 and len(found["samples"]) == 1 and "info" not in found
    assert list(found["state"].values()) == found["samples"][0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--time-limit", "0"), "more than 0 seconds and finite, not 0.0"),
        (("--time-limit", "inf"), "more than 0 seconds and finite, not inf"),
        (("--time-limit", "nan"), "more than 0 seconds and finite, not nan"),
        (("--target", "nan"), "--target must be a finite number, not nan"),
        (("--time-limit", "1", "--plot", "a.png"), "leave out --time-limit"),
    ],
)
def test_limits_that_are_none(capsys, tmp_path, words, message):
    status, _, err = run(capsys, "anneal", tmp_path / "missing", "--board", ALONE, *words)
    assert status == 1 and message in err


def test_of_very_many_reads_the_best_are_kept(capsys, tmp_path, monkeypatch):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    monkeypatch.setattr("tensorspin.cli.anneal_runs.MOST_KEPT", 6 * 20)
    clock = iter(range(1000))
    monkeypatch.setattr("tensorspin.cli.anneal_runs.time.monotonic", lambda: next(clock))
    found = document(capsys, "anneal", path, *FAST, "--time-limit", "20", "--json")
    assert found["reads_made"] > found["reads"]["number"] and found["best"] == 9
    assert found["seed"] == 1
