"""What a network looks at: entropies and mutual informations beside dense vectors, and tools."""

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import make_classification, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.pipeline import make_pipeline

from tensorspin import (
    EnsembleClassifier,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
    from_tensors,
)
from tensorspin.models import (
    feature_importance,
    mutual_information,
    plot_importance,
    site_entropy,
)
from tensorspin.models.born import orthonormal_basis
from tensorspin.models.feature_maps import FeatureMap

CHILDREN = np.array([[0, 1], [2, 3], [5, 6], [4, 7]])


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    matplotlib.use("Agg")


def chain():
    rng = np.random.default_rng(0)
    shapes = [(2, 3), (3, 2, 4), (4, 3, 4), (4, 2, 3), (3, 2, 2), (2, 2)]
    return from_tensors([rng.normal(size=shape) for shape in shapes], 2)


def tree():
    rng = np.random.default_rng(0)
    shapes = [(3, 2, 2), (4, 2, 2), (3, 3, 4), (3, 2, 3)]
    return from_tensors([rng.normal(size=shape) for shape in shapes], tree=CHILDREN)


def dense(model):
    """The network as one tensor in orthonormal components: an axis a site, then the label."""
    inverse = np.linalg.pinv(orthonormal_basis(FeatureMap("linear").table()))
    if isinstance(model, TTNClassifier):
        a, b, c, d = model.tensors_
        whole = np.einsum("apq,brs,cab,otc->pqrsto", a, b, c, d)
    else:
        p, q, r, s, t = model.cores_
        whole = np.einsum("api,iqj,ojk,krl,lsm,mtb->pqrsto", p, q, model.label_tensor_, r, s, t)
    return np.einsum("pqrsto,pP,qQ,rR,sS,tT->PQRSTo", whole, *[inverse] * 5, optimize=True)


def dense_entropy(whole, sites):
    others = [axis for axis in range(whole.ndim) if axis not in sites]
    matrix = whole.transpose(*sites, *others).reshape(2 ** len(sites), -1)
    shares = np.linalg.svd(matrix, compute_uv=False) ** 2
    shares = shares[shares > 1e-15] / shares.sum()
    return -np.sum(shares * np.log2(shares))


@pytest.mark.parametrize("make", [chain, tree])
def test_entropies_are_those_of_the_dense_tensor(make):
    model = make()
    assert model.label_position_ == 2 if make is chain else True
    whole = dense(model)
    expected = [dense_entropy(whole, [site]) for site in range(5)]
    np.testing.assert_allclose(site_entropy(model), expected, atol=1e-9)


def test_mutual_informations_are_those_of_the_dense_tensor():
    model = chain()
    whole = dense(model)
    single = [dense_entropy(whole, [site]) for site in range(5)]
    shared = mutual_information(model)
    for i in range(5):
        for j in range(i):
            expected = single[i] + single[j] - dense_entropy(whole, [j, i])
            assert shared[i, j] == shared[j, i] == pytest.approx(expected, abs=1e-9)
        assert shared[i, i] == 0


def test_total_effects_of_a_regressor_are_exact():
    # 3 x0 + x1 and no x2: variances 9 and 1 times that of a feature.
    one, x = np.array([1.0, 1.0]), np.array([0.0, 1.0])
    first = np.stack([one, 3 * x], axis=1)  # (p, r)
    second = np.stack([np.stack([one, x], axis=1), np.stack([0 * one, one], axis=1)])  # (l, p, r)
    last = np.stack([0 * one, one])  # (l, p)
    model = from_tensors([first, second, last])
    grid = np.array([[0, 0, 0], [1, 0, 1], [1, 1, 0.5]], dtype=float)
    np.testing.assert_allclose(model.predict(grid), [0, 3, 4], atol=1e-9)
    np.testing.assert_allclose(model.feature_importances_, [0.9, 0.1, 0], atol=1e-6)


OPTIONS_OF = {"one": {"n_repeats": 1}, "two": {"n_repeats": 2}}
OPTIONS = {
    "plain": {"epochs": 30},
    "repeats": {"epochs": 30, "n_repeats": 2, "feature_map": "bernstein", "weight_decay": 1.0},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("kind", [MPSClassifier, TTNClassifier])
def test_informative_features_rank_above_noise(kind, name):
    X, y = make_classification(
        600, 10, n_informative=4, n_redundant=0, shuffle=False, class_sep=1.5, random_state=1
    )
    model = kind(8, random_state=0, **OPTIONS[name]).fit(X, y)
    importances = model.feature_importances_
    assert importances.shape == (10,) and importances.sum() == pytest.approx(1)
    assert importances[:4].min() > 1.5 * importances[4:].max()


def test_features_of_a_regression_rank_above_noise():
    X, y = make_friedman1(500, noise=0.5, random_state=0)
    model = MPSRegressor(n_repeats=2, feature_map="bernstein", random_state=0).fit(X, y)
    importances = model.feature_importances_
    assert importances[[0, 1, 3, 4]].min() > 2 * importances[5:].max()


def test_a_detector_looks_at_features_that_depend_on_each_other():
    rng = np.random.default_rng(0)
    x = rng.random(400)
    X = np.stack([x, rng.random(400), x], axis=1)
    model = MPSAnomalyDetector(bond_dim=4, epochs=20, random_state=0).fit(X)
    assert feature_importance(model)[[0, 2]].min() > 2 * feature_importance(model)[1]
    shared = mutual_information(model)
    assert shared[0, 2] > 5 * max(shared[0, 1], shared[1, 2])


def test_long_chains_stay_finite():
    rng = np.random.default_rng(0)
    cores = [rng.normal(size=(4, 2, 4)) for _ in range(300)]
    cores[0], cores[-1] = cores[0][0], cores[-1][..., 0]
    model = from_tensors([*cores[:100], rng.normal(size=(4, 3, 4)), *cores[100:]], 100)
    assert np.isfinite(site_entropy(model)).all()
    assert feature_importance(model).sum() == pytest.approx(1)


def test_features_are_selected_by_importance():
    X, y = make_classification(
        400, 8, n_informative=3, n_redundant=0, shuffle=False, class_sep=1.5, random_state=1
    )
    selector = SelectFromModel(
        MPSClassifier(4, epochs=20, random_state=0), max_features=3, threshold=-np.inf
    )
    pipeline = make_pipeline(selector, MPSClassifier(4, epochs=20, random_state=0)).fit(X, y)
    assert pipeline[0].get_support().tolist() == [True] * 3 + [False] * 5
    assert pipeline.score(X, y) > 0.8


def test_an_ensemble_has_the_mean_of_its_networks():
    X = np.random.default_rng(0).random((200, 4))
    members = [(name, MPSClassifier(4, epochs=5, **OPTIONS_OF[name])) for name in OPTIONS_OF]
    model = EnsembleClassifier(members, keep="all", random_state=0).fit(X, X[:, 2] > 0.5)
    expected = np.mean([member.feature_importances_ for member in model.members_], axis=0)
    assert np.array_equal(model.feature_importances_, expected) and expected.argmax() == 2
    assert len(plot_importance(model).axes) == 1
    with pytest.raises(TypeError, match="a chain or a tree is needed, not a EnsembleClassifier"):
        site_entropy(model)


@pytest.mark.parametrize(
    "kind",
    [MPSClassifier, TTNClassifier, EnsembleClassifier, MPSRegressor, MPSAnomalyDetector],
)
def test_before_fit_there_is_no_importance(kind):
    assert not hasattr(kind(), "feature_importances_")
    with pytest.raises(NotFittedError):
        feature_importance(kind())


@pytest.fixture(scope="module")
def fitted():
    X = np.random.default_rng(0).random((200, 5))
    y = (X[:, 0] + 0.5 * X[:, 1] > 0.75).astype(int)
    classifier = MPSClassifier(4, epochs=15, random_state=0).fit(X, y)
    regressor = MPSRegressor(4, epochs=10, random_state=0).fit(X, 3 * X[:, 0])
    return X, y, classifier, regressor


@pytest.mark.parametrize("on_board", [False, True])
@pytest.mark.parametrize("which", ["classifier", "regressor"])
def test_inspection_of_scikit_learn(fitted, on_board, which):
    X, y, classifier, regressor = fitted
    estimator, target = (classifier, y) if which == "classifier" else (regressor, 3 * X[:, 0])
    if on_board:
        estimator = estimator.deploy("golden://icebreaker")
    found = permutation_importance(estimator, X, target, n_repeats=2, random_state=0)
    means = found.importances_mean
    assert means[:2].max() > 5 * np.abs(means[2:]).max()
    average = partial_dependence(estimator, X, [0], grid_resolution=8, kind="average")["average"]
    assert np.ptp(average) > 0.1
    display = PartialDependenceDisplay.from_estimator(estimator, X, [0, (0, 1)], grid_resolution=4)
    assert display.figure_ is not None
    if on_board:
        estimator.close()


def test_picture(fitted, tmp_path):
    _, _, classifier, _ = fitted
    figure = plot_importance(classifier, most=3)
    bars, pairs = figure.axes[:2]
    assert [label.get_text() for label in bars.get_yticklabels()][0] in ("feature 0", "feature 1")
    assert len(bars.patches) == 3 and pairs.images[0].get_array().shape == (3, 3)
    figure.savefig(tmp_path / "importance.png")
    assert matplotlib.image.imread(tmp_path / "importance.png").std() > 0
    assert len(plot_importance(tree()).axes) == 1
    with pytest.raises(ValueError, match="most must be at least 1, not 0"):
        plot_importance(classifier, most=0)


def test_what_has_no_importance(fitted, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    X, y, classifier, _ = fitted
    with pytest.raises(TypeError, match="a chain or a tree is needed, not a LogisticRegression"):
        site_entropy(LogisticRegression().fit(X, y))
    with pytest.raises(TypeError, match="must be a chain, .* not that of a TTNClassifier"):
        mutual_information(tree())
    monkeypatch.setattr("tensorspin.models.importance.MOST_SITES", 3)
    with pytest.raises(ValueError, match="at most 3 sites are computed, not of 10"):
        mutual_information(classifier)
    assert len(plot_importance(classifier).axes) == 1
