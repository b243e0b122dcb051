"""A detector's circuit gives the detector's likelihoods, whatever its network."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from tensorspin.compiler import NetworkProgram, OutlierDetection, tree_nodes
from tensorspin.compiler.nodes import FloatNode
from tensorspin.hybrid import born_circuit
from tensorspin.hybrid.circuits.isometries import contract, tree_of
from tensorspin.models import BoardAnomalyDetector, MPSAnomalyDetector, WindowFeatures

from ..support.born_machines import detector, samples, simulated, simulated_with_resets


def log_likelihood(circuit, X):
    return np.log(circuit.exact_probability(X)) + circuit.log_offset(X)


def with_gaps(X):
    X = X.copy()
    X[::3, 0] = X[1::5, -1] = np.nan
    return X


@pytest.mark.parametrize("bond_dim", [2, 4, 8])
@pytest.mark.parametrize("n_features", [4, 6, 8])
def test_log_p0_and_its_offset_are_the_log_likelihood(n_features, bond_dim):
    model, X = detector(n_features, bond_dim), samples(n_features)
    for reuse in (False, True):
        circuit = born_circuit(model, reuse_qubits=reuse)
        assert np.abs(log_likelihood(circuit, X) - model.score_samples(X)).max() < 1e-9


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bond_dim": 2},
        {"bond_dim": 3},
        {"bond_dim": 7},
        {"local_dim": 3},
        {"local_dim": 8, "bond_dim": 2},
        {"feature_map": "polynomial"},
        {"feature_map": "bernstein", "local_dim": 6},
        {"feature_map": "bspline", "local_dim": 5},
        {"feature_map": "linear"},
        {"feature_map": np.eye(7)[np.arange(256) % 7], "bond_dim": 2},
        {"feature_map": np.ones((256, 2)) / 2},
        {"missing": "level"},
        {"missing": "level", "feature_map": "trigonometric"},
        {"missing": "level", "feature_map": "bumps", "local_dim": 3},
        {"scaling": "quantile"},
        {"feature_range": (-30, 30)},
        {"feature_order": [2, 0, 3, 1]},
    ],
    ids=str,
)
def test_every_kind_of_detector_is_a_circuit(options):
    X = samples(4)
    train, test = X[:80], np.concatenate([X, 4 * X[:20]])
    if options.get("missing") == "level":
        train, test = with_gaps(train), with_gaps(test)
    model = MPSAnomalyDetector(**{"epochs": 2, "random_state": 0, **options}).fit(train)
    circuit = born_circuit(model)
    assert np.abs(log_likelihood(circuit, test) - model.score_samples(test)).max() < 1e-9
    if circuit.n_qubits <= 12:
        few = test[:4]
        assert simulated(circuit, few) == pytest.approx(circuit.exact_probability(few), abs=1e-12)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_few_features_are_a_circuit(n_features):
    X = samples(n_features)
    for feature_map in ("trigonometric", "damped_bumps"):
        model = MPSAnomalyDetector(feature_map=feature_map, epochs=2, random_state=0).fit(X)
        circuit = born_circuit(model)
        assert np.abs(log_likelihood(circuit, X) - model.score_samples(X)).max() < 1e-9
        few = X[:3]
        assert simulated(circuit, few) == pytest.approx(circuit.exact_probability(few), abs=1e-12)


def test_what_many_features_lose_at_their_ends_is_in_the_offset():
    X = samples(70)
    model = MPSAnomalyDetector(2, epochs=1, random_state=0).fit(X)
    X[0] = 1e3
    circuit = born_circuit(model)
    scores = model.score_samples(X)
    assert model._further_damping(model._validated_inputs(X))[0] == 6
    assert (
        np.abs(circuit.log_offset(X) + np.log(circuit.exact_probability(X)) - scores).max() < 1e-9
    )


def test_words_and_constant_columns_are_features_of_a_circuit():
    rng = np.random.default_rng(0)
    X = np.empty((90, 3), dtype=object)
    X[:, 0], X[:, 1] = rng.normal(size=90), 1.5
    X[:, 2] = np.array(["red", "green", "blue"])[rng.integers(3, size=90)]
    model = MPSAnomalyDetector(epochs=2, random_state=0).fit(X)
    circuit = born_circuit(model)
    assert np.abs(log_likelihood(circuit, X) - model.score_samples(X)).max() < 1e-9


@pytest.mark.parametrize("bond_dim", [2, 4])
@pytest.mark.parametrize("n_features", [2, 4, 6])
def test_the_gates_give_p0(n_features, bond_dim):
    model, X = detector(n_features, bond_dim), samples(n_features)[:5]
    circuit = born_circuit(model)
    exact = circuit.exact_probability(X)
    assert circuit.n_qubits == circuit.n_bits == n_features
    assert simulated(circuit, X) == pytest.approx(exact, abs=1e-12)
    small = born_circuit(model, reuse_qubits=True)
    assert small.n_qubits <= bond_dim.bit_length()
    assert small.n_bits == n_features
    assert simulated_with_resets(small, X) == pytest.approx(exact, abs=1e-12)


def test_features_of_four_components_take_two_qubits():
    model, X = detector(3, 4, feature_map="damped_bumps"), samples(3)[:3]
    circuit, small = born_circuit(model), born_circuit(model, reuse_qubits=True)
    assert (circuit.n_qubits, small.n_qubits, small.n_bits) == (6, 4, 6)
    assert len(circuit.parameter_names) == 9
    exact = circuit.exact_probability(X)
    assert simulated(circuit, X) == pytest.approx(exact, abs=1e-12)
    assert simulated_with_resets(small, X) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("n_features", [2, 4, 6, 8, 30])
def test_bonds_of_two_take_at_most_two_cnots_a_feature(n_features):
    model = detector(n_features)
    for reuse in (False, True):
        circuit = born_circuit(model, reuse_qubits=reuse)
        assert circuit.two_qubit_gates == max(1, 2 * n_features - 3)
    pairs = [gate.qubits for gate in born_circuit(model).layout.gates if gate.name == "cx"]
    assert all(abs(first - second) == 1 for first, second in pairs)  # neighbours on a line


def test_the_ends_of_a_chain_with_bonds_of_four_are_rotations_of_two_qubits():
    for n_features in (4, 6, 8):
        layout = born_circuit(detector(n_features, 4)).layout
        larger = [gate for gate in layout.gates if gate.name == "isometry"]
        assert len(larger) == n_features - 3
        assert sum(gate.name == "cx" for gate in layout.gates) == 4


@pytest.mark.parametrize("missing, levels", [("refuse", 256), ("level", 510)])
def test_the_norm_of_the_network_is_the_number_of_samples(missing, levels):
    """A missing value counts as much as all values, as in the detector's own normalisation."""
    for feature_map in ("trigonometric", "bumps"):
        X = with_gaps(samples(4)) if missing == "level" else samples(4)
        model = MPSAnomalyDetector(2, feature_map=feature_map, missing=missing, epochs=2)
        network = born_circuit(model.fit(X)).network
        assert network.log_scale == pytest.approx(-4 * np.log(levels))


def test_names_of_parameters_are_sorted_as_features_are():
    names = born_circuit(detector(12)).parameter_names
    assert names == sorted(names) == [f"x{feature:02d}" for feature in range(12)]
    wide = born_circuit(detector(11, feature_map="bumps")).parameter_names
    assert wide == sorted(wide) and wide[3:6] == ["x01_0", "x01_1", "x01_2"]


def test_a_program_is_the_circuit_of_its_rounded_tensors(tmp_path):
    X = samples(5)
    model = detector(5, 4, feature_map="bumps")
    program = model.quantize()
    circuit = born_circuit(program)
    results = program.run_golden(X)
    board = program.task.log_likelihood(results.scores, results.exponents, program.log2_scale)
    assert np.abs(log_likelihood(circuit, X) - board).max() < 0.01
    assert circuit.offset == model.offset_
    exact = born_circuit(model).exact_probability(X)
    rounded = circuit.exact_probability(X)
    assert 1e-6 < np.abs(rounded - exact).max() < 0.05
    program.save(tmp_path / "detector.npz")
    for same in (
        str(tmp_path / "detector.npz"),
        tmp_path / "detector.npz",
        BoardAnomalyDetector(program, "golden://icebreaker"),
    ):
        assert born_circuit(same).exact_probability(X) == pytest.approx(rounded, abs=1e-15)


@pytest.mark.parametrize(
    "front",
    [
        [StandardScaler()],
        [StandardScaler(), PCA(3)],  # which no program can have
        ["passthrough", make_pipeline(StandardScaler()), QuantileTransformer(n_quantiles=20)],
        [WindowFeatures(20, step_length=5)],
    ],
)
def test_a_pipeline_is_the_circuit_of_its_detector_behind_all_other_steps(front):
    X = samples(5)
    model = MPSAnomalyDetector(2, feature_map="trigonometric", epochs=2, random_state=0)
    pipeline = make_pipeline(*front, model).fit(X)
    circuit = pickle.loads(pickle.dumps(born_circuit(pipeline)))
    expected = pipeline.score_samples(X)
    assert log_likelihood(circuit, X) == pytest.approx(expected, abs=1e-9)
    pipeline.fit(1000 + X)  # the circuit stays as it is
    assert log_likelihood(circuit, X) == pytest.approx(expected, abs=1e-9)


def test_a_search_over_parameters_is_the_circuit_of_its_best_detector():
    X = samples(5)
    model = MPSAnomalyDetector(2, feature_map="trigonometric", epochs=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model)
    search = GridSearchCV(
        pipeline,
        {"mpsanomalydetector__bond_dim": [2, 3]},
        scoring=lambda fitted, X: fitted.score_samples(X).mean(),
        cv=2,
    ).fit(X)
    expected = search.best_estimator_.score_samples(X)
    assert log_likelihood(born_circuit(search), X) == pytest.approx(expected, abs=1e-9)


def test_components_that_hardly_differ_are_all_in_the_circuit_of_a_program():
    """A rounded network may read what a detector's training leaves out as a rounding error."""
    X = samples(4)
    program = detector(4, 2, feature_map="bumps", local_dim=3).quantize()
    table = program.table.copy()
    table[2] = table[0] // 2 + table[1] // 2
    table[2, ::64] += 1
    program = dataclasses.replace(program, table=table)
    circuit = born_circuit(program)
    assert circuit.network.components == 3
    nodes = [FloatNode(*found, "") for found in zip(program.nodes, program.weights)]
    scores = contract(tree_of(nodes), table.T[program.levels(X)].astype(float))[:, 0]
    places = program.log2_scale - 31 * len(nodes)  # what the contractor shifts, node by node
    exact = 2 * (np.log(np.abs(scores)) + places * np.log(2))
    assert log_likelihood(circuit, X) == pytest.approx(exact, abs=1e-9)


def test_a_level_that_is_impossible_has_a_finite_offset():
    table = np.linspace(0, 1, 256)[:, None] * np.array([1.0, 0.5]) ** np.arange(2)
    table[:, 1] = table[:, 0] ** 2
    X = np.random.default_rng(0).random((60, 3))
    model = MPSAnomalyDetector(2, feature_map=table, feature_range=(0, 1), epochs=2).fit(X)
    X[0, 1] = 0
    circuit = born_circuit(model)
    assert circuit.log_offset(X)[0] == pytest.approx(-1e6, rel=1e-3)
    assert circuit.threshold(X)[0] == np.inf
    assert np.isfinite(circuit.angles(X)).all()
    assert simulated(circuit, X[:2]) == pytest.approx(circuit.exact_probability(X[:2]))


def test_the_threshold_in_p0_decides_as_the_detector_does():
    X = samples(6)
    for model in (detector(6), detector(6, feature_map="damped_bumps")):
        circuit = born_circuit(model)
        inlier = circuit.exact_probability(X) >= circuit.threshold(X)
        assert np.array_equal(np.where(inlier, 1, -1), model.predict(X))


def test_bad_samples_and_options_are_refused():
    model = detector(4)
    circuit = born_circuit(model)
    for wrong in (np.ones((3, 5)), [[1, 2, 3, np.nan]], "abc"):
        with pytest.raises(ValueError):
            circuit.angles(wrong)
    with pytest.raises(ValueError, match="reuse_qubits must be True or False, not 2"):
        born_circuit(model, reuse_qubits=2)
    with pytest.raises(TypeError, match="no estimator of Tensorspin"):
        born_circuit(3)
    with pytest.raises(ValueError, match="not fitted"):
        born_circuit(MPSAnomalyDetector())
    with pytest.raises(OSError):
        born_circuit("/nowhere/model.npz")


def test_a_tree_that_detects_is_a_circuit():
    children = np.array([[0, 1], [2, 3], [6, 7], [4, 5], [8, 9]])
    rng = np.random.default_rng(0)
    shapes = [(2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2)]
    ramp = np.linspace(0, np.pi / 2, 256)
    program = NetworkProgram.from_nodes(
        tree_nodes(children, [rng.normal(size=shape) for shape in shapes], range(6)),
        np.stack([np.cos(ramp), np.sin(ramp)], axis=1),
        feature_minimum=np.zeros(6),
        feature_maximum=np.ones(6),
        clip=True,
        task=OutlierDetection(-30.0),
    )
    circuit, X = born_circuit(program), rng.random((5, 6))
    assert circuit.two_qubit_gates == 9
    assert simulated(circuit, X) == pytest.approx(circuit.exact_probability(X), abs=1e-12)
    results = program.run_golden(X)
    board = program.task.log_likelihood(results.scores, results.exponents, program.log2_scale)
    assert log_likelihood(circuit, X) == pytest.approx(board, abs=0.02)
    with pytest.raises(ValueError, match="take reuse_qubits=False"):
        born_circuit(program, reuse_qubits=True)


def test_a_circuit_is_pickled_and_keeps_the_detector_that_it_was_made_of():
    X = samples(4)
    for made in (lambda model: model, lambda model: model.quantize()):
        model = MPSAnomalyDetector(2, feature_map="bumps", epochs=1, random_state=0).fit(X)
        circuit = born_circuit(made(model))
        exact, offsets = circuit.exact_probability(X), circuit.log_offset(X)
        again = pickle.loads(pickle.dumps(circuit))
        model.fit(100 * X - 3)
        for same in (circuit, again):
            assert np.array_equal(same.exact_probability(X), exact)
            assert np.array_equal(same.log_offset(X), offsets)
            assert np.array_equal(same.angles(X), circuit.angles(X))


def test_many_samples_are_taken_in_parts():
    circuit, X = born_circuit(detector(4)), samples(4, 1500)
    each = np.concatenate([circuit.exact_probability(X[place::3]) for place in range(3)])
    assert circuit.exact_probability(np.concatenate([X[place::3] for place in range(3)])) == (
        pytest.approx(each, abs=1e-15)
    )
