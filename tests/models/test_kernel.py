"""The compiled training kernel, against NumPy's contraction and against itself."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, kernel
from tensorspin.models.contraction import log_norms
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.kernel import switch

from ..support.estimators import CHAINS, quick, tensors_of
from ..support.kernels import COMPILED, needs_compiled, two_threads
from ..support.networks import random_network

pytestmark = needs_compiled


def powers(x, local_dim):
    return np.stack([x**power / (power + 1) for power in range(local_dim)], axis=-1)


def results(network, inputs, local_dim, score_gradient, dtype=np.float32, threads=1):
    """Scores, norms and all gradients of a batch."""
    network = HalfChains.pack(*network, dtype=dtype)
    network.threads = threads
    features = network.encode(inputs.astype(dtype), lambda x: powers(x, local_dim))
    contraction = network.contract(features)
    gradients = network.gradients(contraction, score_gradient.astype(dtype))
    return [contraction.scores, log_norms(contraction), *network.unpack(gradients)]


def batch_of(seed, n_sites, local_dim, bond_dim, n_outputs, batch):
    rng = np.random.default_rng(seed)
    network = random_network(rng, n_sites, local_dim, bond_dim, n_outputs)
    return network, rng.random((batch, n_sites)), local_dim, rng.standard_normal((n_outputs, batch))


@pytest.fixture(autouse=True)
def as_before():
    """Leave the kernel as it was."""
    before = kernel.instructions() or "numpy"
    yield
    kernel.choose(before)


@pytest.fixture
def without_limits(monkeypatch):
    """Two threads, wherever the tests run."""
    two_threads(monkeypatch)


@settings(max_examples=150)
@given(
    instructions=st.sampled_from(COMPILED or ["numpy"]),
    n_sites=st.integers(2, 12),
    local_dim=st.integers(2, 9),
    bond_dim=st.integers(1, 33),
    n_outputs=st.integers(1, 5),
    batch=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_scores_norms_and_gradients_are_those_of_numpy(
    instructions, n_sites, local_dim, bond_dim, n_outputs, batch, seed
):
    task = batch_of(seed, n_sites, local_dim, bond_dim, n_outputs, batch)
    exact = results(*task, dtype=np.float64)
    with kernel.chosen("numpy"):
        rounded = results(*task)
    with kernel.chosen(instructions):
        found = results(*task)
    # Where terms cancel, float32 is far off, whoever computes.
    allowed = 2e-5 + 10 * max(map(error, rounded, exact))
    assert max(map(error, found, exact)) < allowed


def error(found, exact):
    """Largest error, as a share of the largest entry."""
    return np.abs(found - exact).max() / max(np.abs(exact).max(), 1e-3)


@pytest.mark.parametrize("instructions", COMPILED)
@pytest.mark.parametrize("shape", [(9, 4, 16, 10, 33), (64, 2, 16, 3, 208), (5, 3, 10, 1, 1)])
def test_two_threads_give_the_same_bits_as_one(without_limits, instructions, shape):
    task = batch_of(3, *shape)
    with kernel.chosen(instructions):
        for one, two in zip(results(*task), results(*task, threads=2), strict=True):
            np.testing.assert_array_equal(one, two)


def test_vectors_of_zeros_stay_zeros():
    network, *task = batch_of(0, 6, 2, 4, 3, 5)
    for core in network[0]:
        core[...] = 0
    for name in kernel.available():
        with kernel.chosen(name):
            scores, norms, *gradients = results(network, *task)
        assert not scores.any() and not norms.any()
        assert all(np.isfinite(gradient).all() for gradient in gradients)


def samples(n_samples=60, n_features=9):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((n_samples, n_features))
    return X, (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)


def weights():
    return np.random.default_rng(2).random(60) + 0.5


@pytest.mark.parametrize("instructions", COMPILED)
@pytest.mark.parametrize(
    ("kind", "parameters", "fit_parameters"),
    [
        (MPSClassifier, {}, {"sample_weight": weights()}),
        (MPSClassifier, {"feature_map": "bernstein", "n_repeats": 2, "bond_dim": 6}, {}),
        (MPSClassifier, {"early_stopping": True, "epochs": 4}, {}),
        (MPSRegressor, {"feature_map": "bumps", "weight_decay": 1.0}, {}),
        (MPSAnomalyDetector, {"bond_dim": 5}, {}),
    ],
)
def test_a_training_takes_the_same_course_as_with_numpy(
    instructions, kind, parameters, fit_parameters
):
    models = []
    for name in (instructions, "numpy"):
        with kernel.chosen(name):
            models.append(quick(kind, **parameters).fit(*samples(), **fit_parameters))
    compiled, numpy = models
    np.testing.assert_allclose(compiled.loss_curve_, numpy.loss_curve_, rtol=2e-4, atol=2e-4)
    for one, other in zip(tensors_of(compiled), tensors_of(numpy), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-2 * np.abs(other).max())


@pytest.mark.parametrize("bits", [4, 8])
def test_rounded_networks_train_as_with_numpy(bits):
    # Where an entry lies between two steps, rounding decides: tensors differ by steps.
    losses = []
    for name in (COMPILED[0], "numpy"):
        with kernel.chosen(name):
            losses.append(quick(MPSClassifier, weight_bits=bits).fit(*samples()).loss_curve_)
    np.testing.assert_allclose(*losses, rtol=0.02)


@pytest.mark.parametrize("kind", CHAINS)
def test_a_fit_with_two_threads_has_the_same_bits(without_limits, monkeypatch, kind):
    model = quick(kind, feature_map="bernstein").fit(*samples())
    monkeypatch.setattr(switch, "MOST_THREADS", 1)
    for one, two in zip(
        tensors_of(quick(kind, feature_map="bernstein").fit(*samples())),
        tensors_of(model),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def test_what_limits_the_threads_of_numpy_limits_the_kernel():
    with threadpool_limits(1):
        assert switch.usable_threads(10**9) == 1


def test_small_batches_use_one_thread(without_limits, monkeypatch):
    monkeypatch.setattr(switch, "THREAD_WORK", 100)
    assert [switch.usable_threads(products) for products in (99, 100)] == [1, 2]


def test_numpy_alone_uses_no_second_thread():
    with kernel.chosen("numpy"):
        assert kernel.instructions() is None and switch.usable_threads(10**9) == 1


def test_a_training_goes_on_where_the_kernel_is_missing():
    X, y = samples()
    model = quick(MPSClassifier, bond_dim=5).partial_fit(X, y, classes=[0, 1])
    with kernel.chosen("numpy"):
        model.partial_fit(X, y)
    assert len(model.loss_curve_) == 2


def test_the_environment_chooses(monkeypatch):
    for asked, used in [("numpy", None), ("portable", "portable"), ("", COMPILED[0])]:
        monkeypatch.setattr(switch, "_chosen", None)
        monkeypatch.setenv("TENSORSPIN_KERNEL", asked)
        assert kernel.instructions() == used
    monkeypatch.setattr(switch, "_chosen", None)
    monkeypatch.setenv("TENSORSPIN_KERNEL", "fast")
    names = ", ".join(kernel.available())
    with pytest.raises(ValueError, match=f"TENSORSPIN_KERNEL must be one of {names}, not 'fast'"):
        quick(MPSClassifier).fit(*samples())


def test_without_the_compiled_module_numpy_trains(monkeypatch):
    monkeypatch.setattr(switch, "_compiled", None)
    monkeypatch.setattr(switch, "_chosen", None)
    assert kernel.available() == ["numpy"] and kernel.instructions() is None
    assert quick(MPSClassifier).fit(*samples()).n_iter_ == 3
    with pytest.raises(ValueError, match="not 'avx2'; to compile the kernel, install Tensorspin"):
        kernel.choose("avx2")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_a_second_thread_of_its_own(without_limits):
    task = batch_of(3, 9, 4, 16, 10, 33)
    before = results(*task, threads=2)
    child = os.fork()
    if not child:
        again = switch.usable_threads(1) == 2 and all(
            np.array_equal(*pair) for pair in zip(before, results(*task, threads=2), strict=True)
        )
        os._exit(0 if again else 1)
    assert os.waitpid(child, 0)[1] == 0


def arrays():
    """Arguments of the compiled functions: 3 steps, 2 components, bond 4, 5 outputs, 6 samples."""
    shapes = {
        "weights": (3, 2, 4, 8),
        "label": (5, 16),
        "depths": (3, 2),
        "features": (3, 2, 6, 2),
        "vectors": (4, 2, 6, 8),
        "norms": (1, 2, 6),
        "scores": (5, 6),
    }
    made = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return made | {"depths": np.full((3, 2), 4, np.intc)}


@pytest.mark.parametrize("name", arrays())
def test_arrays_that_do_not_fit_are_refused_untouched(name):
    good = arrays()
    switch._compiled.contract(*good.values(), 4, 1)
    array = good[name]
    wrong = {
        "another type": array.astype(np.float64),
        "an axis more": array[None],
        "a longer axis": np.concatenate([array, array]),
        "another order": np.asfortranarray(np.ones(array.shape, array.dtype)),
        "no array": None,
    }
    for bad in wrong.values():
        if np.array_equal(bad, array) and bad.flags.c_contiguous:
            continue
        with pytest.raises((TypeError, ValueError, BufferError)):
            switch._compiled.contract(*(good | {name: bad}).values(), 4, 1)


def test_numbers_out_of_range_are_refused():
    good = arrays()
    with pytest.raises(ValueError, match="no axis may be empty"):
        switch._compiled.contract(*good.values(), 0, 1)
    good["depths"][1, 0] = 5
    with pytest.raises(ValueError, match="depths must be 0 to 4, not 5"):
        switch._compiled.contract(*good.values(), 4, 1)


def test_trainings_at_the_same_time_share_the_second_thread(without_limits):
    X, y = samples()
    alone = tensors_of(quick(MPSClassifier).fit(X, y))
    with ThreadPoolExecutor(3) as pool:
        fits = list(pool.map(lambda _: tensors_of(quick(MPSClassifier).fit(X, y)), range(6)))
    for tensors in fits:
        for one, other in zip(tensors, alone, strict=True):
            np.testing.assert_array_equal(one, other)
