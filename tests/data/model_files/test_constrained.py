"""Models with constraints: penalties, and answers in the terms of the file."""

from __future__ import annotations

import io
import itertools
import zipfile

import dimod
import numpy as np
import pytest

from tensorspin.data import DataError, read_model

LP = """\\ a knapsack; maximize is not the word here
Maximize
 value: 4 a + 3 b + 5 n
Subject To
 weight: 3 a + 2 b + 4 n <= 9
 odd: a + b <= 1
Bounds
 0 <= n <= 3
General
 n
Binary
 a b
End
"""


def knapsack():
    cqm = dimod.ConstrainedQuadraticModel()
    a, b = dimod.Binaries("ab")
    n = dimod.Integer("n", upper_bound=3)
    cqm.set_objective(-4 * a - 3 * b - 5 * n)
    cqm.add_constraint(3 * a + 2 * b + 4 * n <= 9, label="weight")
    cqm.add_constraint(a + b <= 1, label="odd")
    return cqm


def write(folder, cqm, name="model.cqm", **options):
    path = folder / name
    with cqm.to_file(**options) as file:
        path.write_bytes(file.read())
    return path


def write_text(folder, text, name="model.lp"):
    path = folder / name
    path.write_text(text)
    return path


def solved(model):
    return model.answers(dimod.ExactSolver().sample(model.bqm))


def optimum(cqm):
    names = list(cqm.variables)
    ranges = [range(int(cqm.lower_bound(v)), int(cqm.upper_bound(v)) + 1) for v in names]
    states = (dict(zip(names, values)) for values in itertools.product(*ranges))
    return min(cqm.objective.energy(x) for x in states if cqm.check_feasible(x))


@pytest.mark.parametrize("compress", [False, True])
def test_a_model_of_dimod(tmp_path, compress):
    model = read_model(write(tmp_path, knapsack(), compress=compress))
    assert (model.file_format, model.objective) == ("cqm", "objective")
    answers = solved(model)
    best = dict(zip(answers.variables, answers.states[answers.best].tolist()))
    assert best == {"a": 0, "b": 0, "n": 2} or answers.values[answers.best] == -10
    assert answers.values[answers.best] == optimum(knapsack())
    assert answers.feasible[answers.best] and not answers.feasible.all()


def test_an_lp_file_that_maximises_reports_its_own_objective(tmp_path):
    model = read_model(write_text(tmp_path, LP))
    assert (model.objective, model.maximised) == ("max objective", True)
    answers = solved(model)
    assert answers.values[answers.best] == -optimum(knapsack())
    assert answers.reaches(-optimum(knapsack())) and not answers.reaches(-optimum(knapsack()) + 1)
    minimised = read_model(write_text(tmp_path, LP.replace("Maximize\n", "Minimize\n")))
    assert minimised.objective == "objective"
    assert solved(minimised).values.min() == 0


def test_a_state_that_breaks_a_constraint_does_not_lead(tmp_path):
    model = read_model(write(tmp_path, knapsack()), lagrange_multiplier=1e-3)
    assert model.constraints.lagrange_multiplier == 1e-3
    answers = solved(model)
    lowest = int(np.argmin(answers.values))
    assert not answers.feasible[lowest]
    assert answers.feasible[answers.best] and answers.values[answers.best] > answers.values[lowest]
    assert not answers.reaches(float(answers.values[lowest]))


def test_no_state_is_feasible(tmp_path):
    cqm = dimod.ConstrainedQuadraticModel()
    a, b = dimod.Binaries("ab")
    cqm.set_objective(a + b)
    cqm.add_constraint(a + b == 2, label="both")
    cqm.add_constraint(a + b == 1, label="one")
    answers = solved(read_model(write(tmp_path, cqm)))
    assert not answers.feasible.any() and not answers.reaches(100)


def test_fractional_inequalities_are_made_integral(tmp_path):
    cqm = dimod.ConstrainedQuadraticModel()
    a, b, c = dimod.Binaries("abc")
    cqm.set_objective(-a - b - c)
    cqm.add_constraint(0.5 * a + 0.25 * b + 0.75 * c <= 0.8, label="weight")
    model = read_model(write(tmp_path, cqm))
    lowest = dimod.ExactSolver().sample(model.bqm).first
    assert lowest.energy == -2.0
    answers = solved(model)
    assert answers.feasible[answers.best] and answers.values[answers.best] == -2.0


def test_what_is_not_exact_is_told(tmp_path):
    cqm = dimod.ConstrainedQuadraticModel()
    a, b = dimod.Binaries("ab")
    cqm.set_objective(-a - b)
    cqm.add_constraint(np.pi * a + b <= 4, label="weight")
    cqm.add_constraint(a + b == 1, label="soft", weight=2.0)
    reading = read_model(write(tmp_path, cqm)).reading
    assert "1 inequalities have fractional coefficients" in reading
    assert "1 soft constraints are taken as hard" in reading


def test_the_same_file_gives_the_same_model(tmp_path):
    path = write(tmp_path, knapsack())
    assert read_model(path).bqm == read_model(path).bqm
    assert list(read_model(path).bqm.variables) == list(range(read_model(path).bqm.num_variables))


def test_spins_and_a_quadratic_objective(tmp_path):
    cqm = dimod.ConstrainedQuadraticModel()
    s, t = dimod.Spins("st")
    cqm.set_objective(s * t + 0.5 * s)
    cqm.add_constraint(s + t == 0, label="balance")
    answers = solved(read_model(write(tmp_path, cqm)))
    best = dict(zip(answers.variables, answers.states[answers.best].tolist()))
    assert best == {"s": -1, "t": 1} and answers.values[answers.best] == -1.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("junk\n", "it has no variables"),
        ("Minimize\n obj: x\nSubject To\n c: x <\0 4\nBinary\n x\nEnd\n", "line 4 has a control"),
        ("Minimize\n obj: x\nEnd\n", "the variable 'x' is real; it must be binary or integer"),
        ("Minimize\n obj: x\nBounds\n x <= 1e9\nGeneral\n x\nEnd\n", "0 to 1e.09; its bounds must"),
        ("Minimize\n obj: x\nSubject To\n c: x >= 2\nBinary\n x\nEnd\n", "infeasible"),
        ("Minimize\n obj: 1e999 x\nBinary\n x\nEnd\n", "objective has a coefficient that is not"),
        (
            "Minimize\n obj: x\nSubject To\n c: x + y >= 1e999\nBinary\n x\n y\nEnd\n",
            "'c' has a number that is not finite",
        ),
        ("Minimize\n obj: x +\nSubject To\n c: >= 2\nBinary\n x\n", "LP file|cannot be made"),
    ],
)
def test_lp_files_that_cannot_be_used(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_model(write_text(tmp_path, text))


def test_a_quadratic_constraint_is_refused(tmp_path):
    cqm = dimod.ConstrainedQuadraticModel()
    a, b = dimod.Binaries("ab")
    cqm.set_objective(a)
    cqm.add_constraint(a * b <= 1, label="product")
    with pytest.raises(DataError, match="'product' is quadratic; it must be linear"):
        read_model(write(tmp_path, cqm))


def test_arguments(tmp_path):
    path = write(tmp_path, knapsack())
    with pytest.raises(DataError, match="its own objective says"):
        read_model(path, maximise=True)
    for value in (0, -1, float("nan"), float("inf")):
        with pytest.raises(DataError, match="lagrange_multiplier must be more than 0"):
            read_model(path, lagrange_multiplier=value)
    graph = write_text(tmp_path, "2 1\n1 2 1\n", "a.mc")
    with pytest.raises(DataError, match="has no constraints"):
        read_model(graph, lagrange_multiplier=1.0)


def test_damaged_and_inflated_files(tmp_path, monkeypatch):
    content = write(tmp_path, knapsack()).read_bytes()
    path = tmp_path / "damaged.cqm"
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            read_model(path)
        except DataError:
            pass
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("objective", bytes(10**7))
    path.write_bytes(content[: content.index(b"PK")] + file.getvalue())
    monkeypatch.setattr("tensorspin.data.model_files.MOST_BYTES", 10**6)
    with pytest.raises(DataError, match="expands to 10000000 bytes, the limit is 1000000"):
        read_model(path)
    with pytest.raises(DataError, match="no constrained quadratic model"):
        read_model(write_text(tmp_path, "2 1\n1 2 1\n", "a.mc"), "cqm")


@pytest.mark.parametrize("bounds", ["1 <= n <= 3", "-2 <= n <= 1", "n = 2", "0 <= n <= 1"])
def test_integers_of_lp_files_begin_anywhere(tmp_path, bounds):
    path = tmp_path / "model.lp"
    path.write_text(LP.replace("0 <= n <= 3", bounds))
    model = read_model(path)
    found = dimod.ExactSolver().sample(model.bqm)
    best = model.constraints.answers(found.truncate(1), maximised=True)
    cqm = dimod.lp.loads(path.read_text())
    every = dimod.ExactCQMSolver().sample_cqm(cqm)
    least = min(each.energy for each in every.data() if each.is_feasible)
    assert best.feasible[0] and best.values[0] == -least
