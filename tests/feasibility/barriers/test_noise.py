"""What noise and shots cost."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.feasibility.barriers.encoding import price_of
from tensorspin.feasibility.barriers.noise import Truth, noise_barrier, noisy
from tensorspin.feasibility.barriers.real import RealRun
from tensorspin.hybrid import SNAPSHOTS, NoiseSnapshot, born_circuit, noisy_probability
from tests.support.born_machines import detector, samples

BOSTON = SNAPSHOTS["boston"]
CIRCUIT = born_circuit(detector(3))
INLIERS = samples(3)
X = np.concatenate([INLIERS[:60], np.random.default_rng(1).uniform(-4, 4, (60, 3))])
OUTLIER = np.arange(120) >= 60


def barrier(noise=BOSTON, shots=200, outlier=OUTLIER, real=None):
    truth, price = Truth.of(CIRCUIT, X, outlier), price_of(CIRCUIT, noise)
    rng = np.random.default_rng(0)
    return noise_barrier(CIRCUIT, X, truth, noise, shots, price, real, rng)


def test_more_shots_and_less_noise_cost_less():
    found = barrier()
    areas = [found.rows[f"area, {n} shots, {BOSTON.name} {BOSTON.date}"].number for n in (10, 1000)]
    exact = found.rows["area under the ROC curve, exact"].number
    assert areas[0] < areas[1] <= exact + 0.01
    errors = [figure.number for name, figure in found.rows.items() if name.startswith("error")]
    assert len(errors) == 3 and errors == sorted(errors, reverse=True)
    assert barrier(shots=1).load > barrier(shots=1000).load


def test_a_processor_that_knows_nothing_is_stopped():
    blind = NoiseSnapshot("blind", "2026-01-01", 0.0, 0.0, 0.5)
    found = barrier(blind)
    assert not found.passed and "200 shots on blind of 2026-01-01 cost 0." in found.words
    assert len(found.curves) == 4


def test_all_that_noise_says_is_modelled_and_names_the_day():
    for name, figure in barrier().rows.items():
        if "ibm" in name:
            assert figure.kind == "modelled" and figure.source.count("202") >= 1
    assert barrier().rows["P0, median"].kind == "simulated"


@pytest.mark.parametrize("outlier", [None, np.zeros(120, dtype=bool)])
def test_without_labels_of_both_kinds_decisions_count(outlier):
    found = barrier(outlier=outlier)
    assert found.rows["area under the ROC curve, exact"].value is None
    changed = found.rows[f"decisions changed, 200 shots, {BOSTON.name} {BOSTON.date}"].number
    assert found.load == pytest.approx(changed / 0.1)
    assert f"change {changed:.1%} of the decisions" in found.words


def test_what_a_sampler_measured_decides_if_one_ran():
    truth = Truth.of(CIRCUIT, X, OUTLIER)
    rows = np.arange(20, 100)
    phases = {"device": np.full(80, 0.1)}
    for wrong, passed in ((False, True), (True, False)):
        p0 = 1 - truth.exact[rows] if wrong else truth.exact[rows]
        found = barrier(real=RealRun("mine", phases, p0, rows, 200))
        assert found.passed is passed and "200 shots on mine" in found.words
        assert found.rows["error of P0, mine"].kind == "measured"
        kinds = {name: curve["kind"] for name, curve in found.curves.items()}
        assert kinds.pop("mine") == "measured" and set(kinds.values()) == {"modelled"}
        area = found.rows["area of the same samples, exact"].number
        assert found.rows["area, 200 shots, mine"].number == pytest.approx(
            1 - area if wrong else area
        )


def test_of_few_samples_the_model_decides():
    truth = Truth.of(CIRCUIT, X, OUTLIER)
    for count, kind in ((19, "modelled"), (20, "measured")):
        rows = np.arange(60 - count // 2, 60 - count // 2 + count)
        phases = {"device": np.full(count, 0.1)}
        found = barrier(real=RealRun("mine", phases, 1 - truth.exact[rows], rows, 200))
        assert found.known_by == kind and found.passed is (count == 19)


def test_wide_circuits_have_a_cruder_model_that_says_so():
    wide, samples_of = born_circuit(detector(11)), samples(11)
    truth = Truth.of(wide, samples_of, None)
    p0, source = noisy(wide, samples_of, truth, BOSTON, price_of(wide, BOSTON))
    assert "by chance" in source
    assert np.all(p0 <= truth.exact + 2**-11) and np.corrcoef(p0, truth.exact)[0, 1] > 0.999
    useless = NoiseSnapshot("useless", "2026-01-01", 0.5, 0.0, 0.5)
    p0, _ = noisy(wide, samples_of, truth, useless, price_of(wide, useless))
    assert p0 == pytest.approx(np.full(len(p0), 2**-11), rel=1e-3)
    narrow = Truth.of(CIRCUIT, X, None)
    p0, source = noisy(CIRCUIT, X, narrow, BOSTON, price_of(CIRCUIT, BOSTON))
    assert p0 == pytest.approx(noisy_probability(CIRCUIT, X, BOSTON)) and "density" in source
