"""Networks trained elsewhere: any order of axes, any place of the label, trees, and bad shapes."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tensorspin
from tensorspin import MPSClassifier, MPSRegressor, NetworkProgram, TTNClassifier, from_tensors
from tensorspin.models import FeatureMap
from tensorspin.models.bounded_maps import ScaledMap

from ..support.estimators import quick

GOLDEN = "golden://icebreaker"


def powers(x):
    """A map beyond 1, as of raw pixels from 0 to 16."""
    return np.stack([np.ones_like(x), 16 * x, (16 * x) ** 2], axis=-1)


def chain(rng, n_sites, label, outputs=3, bond=4, local_dim=2, shared=False):
    """Random tensors (l, p, r) with the label at tensor `label`: of its own, or with a feature."""
    n_tensors = n_sites + (not shared)
    tensors = []
    for index in range(n_tensors):
        left, right = (1 if index == 0 else bond), (1 if index == n_tensors - 1 else bond)
        if index == label and shared:
            shape = (left, local_dim, right, outputs)
        elif index == label:
            shape = (left, outputs, right)
        else:
            shape = (left, local_dim, right)
        tensors.append(rng.normal(size=shape))
    return tensors


def plain_scores(tensors, label, vectors):
    """Contract a chain by einsum, site by site: (n_samples, n_outputs)."""
    state = np.ones((len(vectors), 1, 1))  # samples, outputs so far, bond
    site = 0
    for index, tensor in enumerate(tensors):
        if index == label and tensor.ndim == 3:
            state = np.einsum("nol,lkr->nkr", state, tensor)
        elif index == label:
            state = np.einsum("nol,lprk,np->nkr", state, tensor, vectors[:, site])
            site += 1
        else:
            state = np.einsum("nol,lpr,np->nor", state, tensor, vectors[:, site])
            site += 1
    return state[:, :, 0]


def directions(scores):
    return scores / np.linalg.norm(scores, axis=1, keepdims=True)


@pytest.fixture
def X(rng):
    return rng.random((50, 6))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("label", [0, 1, 3, 5, -1])
def test_scores_are_those_of_the_given_tensors(rng, X, label, shared):
    n_tensors = 6 if shared else 7
    tensors = chain(rng, 6, label % n_tensors, shared=shared)
    expected = plain_scores(tensors, label % n_tensors, FeatureMap("linear")(X))
    model = from_tensors(tensors, label)
    assert isinstance(model, MPSClassifier)
    np.testing.assert_allclose(directions(model.scores(X)), directions(expected), atol=1e-9)
    assert np.array_equal(model.predict(X), expected.argmax(axis=1))
    program = model.quantize()
    found = program.run_golden(X).scores
    # Scores of random tensors nearly cancel for some samples, which rounding then changes most.
    assert np.abs(directions(found) - directions(expected)).mean() < 0.03
    with model.deploy(GOLDEN) as on_board:
        assert np.array_equal(on_board.predict(X), program.predict(X))
    assert 1 <= model.label_position_ <= 5


@pytest.mark.parametrize("target", [1, 2, 5])
@pytest.mark.parametrize("label", [0, 2, 6])
def test_the_label_can_be_moved(rng, X, label, target):
    tensors = chain(rng, 6, label)
    expected = plain_scores(tensors, label, FeatureMap("linear")(X))
    model = from_tensors(tensors, label, label_position=target)
    assert model.label_position_ == target
    np.testing.assert_allclose(directions(model.scores(X)), directions(expected), atol=1e-9)


@pytest.mark.parametrize("axes", ["lpr", "lrp", "prl", "rpl"])
@pytest.mark.parametrize("label", [0, 2, 5])
def test_any_order_of_axes_with_and_without_outermost_bonds(rng, X, axes, label):
    tensors = chain(rng, 6, label, shared=True)
    expected = directions(from_tensors(tensors, label).scores(X))
    for reduced in (False, True):
        given = []
        for index, tensor in enumerate(tensors):
            own = "lpr" + ("o" if index == label else "")
            order = axes + own[3:]
            tensor = tensor.transpose([own.index(letter) for letter in order])
            if reduced and index in (0, 5):
                tensor = tensor.squeeze(order.index("l" if index == 0 else "r"))
            given.append(tensor)
        model = from_tensors(given, label, axes=axes)
        np.testing.assert_allclose(directions(model.scores(X)), expected, atol=1e-9)
    # The label's axis may stand elsewhere, too.
    given[label] = np.moveaxis(tensors[label], 3, 0)
    others = [t.transpose(["lpr".index(x) for x in axes]) for t in tensors if t.ndim == 3]
    given = [*others[:label], given[label], *others[label:]]
    model = from_tensors(given, label, axes=axes, label_axes="olpr")
    np.testing.assert_allclose(directions(model.scores(X)), expected, atol=1e-9)


def test_a_label_tensor_of_its_own_and_the_tensors_of_an_estimator(rng, X):
    first = quick(MPSClassifier, calibration=None).fit(X, np.arange(50) % 3)
    again = from_tensors(
        first.cores_,
        first.label_tensor_,
        classes=first.classes_,
        temperature=first.temperature_,
        feature_range=(first.feature_minimum_, first.feature_maximum_),
    )
    np.testing.assert_allclose(again.predict_proba(X), first.predict_proba(X), atol=1e-9)
    moved = from_tensors(first.cores_, first.label_tensor_, label_position=3)
    assert moved.label_position_ == first.label_position_ == 3


@pytest.mark.parametrize("factor", [1e-8, 1.0, 1e8])
def test_numbers_to_predict(rng, X, factor):
    tensors = [factor * core for core in chain(rng, 6, None)[:6]]
    tensors[-1] = rng.normal(size=(4, 2))
    expected = plain_scores(
        [*tensors[:-1], tensors[-1][..., np.newaxis]], None, FeatureMap("linear")(X)
    )[:, 0]
    model = from_tensors(tensors, offset=2.0, factor=3.0)
    assert isinstance(model, MPSRegressor)
    np.testing.assert_allclose(model.predict(X), 2 + 3 * expected, rtol=1e-9)
    error = model.quantize().predict(X) - model.predict(X)
    assert np.abs(error).max() < 0.05 * np.abs(3 * expected).max()
    one = from_tensors(
        [*tensors[:-1], tensors[-1][..., np.newaxis], np.ones((1, 1))], 6, offset=2.0, factor=3.0
    )
    np.testing.assert_allclose(one.predict(X), model.predict(X), rtol=1e-9)


@pytest.mark.parametrize("name", ["polynomial", "bernstein", "bumps", "bspline"])
def test_named_maps_have_as_many_components_as_the_tensors(rng, X, name):
    tensors = chain(rng, 6, 3, local_dim=5)
    expected = plain_scores(tensors, 3, FeatureMap(name, 5)(X))
    model = from_tensors(tensors, 3, feature_map=name, feature_range=None)
    np.testing.assert_allclose(directions(model.scores(X)), directions(expected), atol=1e-9)


def test_one_output_and_two_classes(rng, X):
    tensors = chain(rng, 6, 3, outputs=1)
    expected = plain_scores(tensors, 3, FeatureMap("linear")(X))[:, 0]
    model = from_tensors(tensors, 3, classes=["no", "yes"])
    assert np.array_equal(model.predict(X), np.where(expected > 0, "yes", "no"))


def test_classes_that_are_not_sorted(rng, X):
    tensors = chain(rng, 6, 3)
    expected = plain_scores(tensors, 3, FeatureMap("linear")(X)).argmax(axis=1)
    model = from_tensors(tensors, 3, classes=["m", "z", "a"])
    assert model.classes_.tolist() == ["a", "m", "z"]
    assert np.array_equal(model.predict(X), np.array(["m", "z", "a"])[expected])


@pytest.mark.parametrize("as_table", [False, True])
def test_maps_beyond_1_are_divided(rng, X, as_table):
    tensors = chain(rng, 6, 3, local_dim=3)
    levels = np.rint(255 * X) / 255
    expected = plain_scores(tensors, 3, powers(levels))
    given = powers(np.arange(256) / 255) if as_table else powers
    model = from_tensors(tensors, 3, feature_map=given)
    np.testing.assert_allclose(directions(model.scores(levels)), directions(expected), atol=1e-9)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.scores(X), model.scores(X))
    regressor = from_tensors(chain(rng, 6, 3, outputs=1, local_dim=3), 3, feature_map=powers)
    assert isinstance(regressor.feature_map, ScaledMap)


def test_ranges_features_and_names(rng):
    tensors = chain(rng, 6, 3)
    order = [0, 1, 2, 2, 1, 0]
    X = rng.random((20, 3)) * [1, 2, 4] - 1
    expected = plain_scores(tensors, 3, FeatureMap("linear")((X + 1) / [1, 2, 4])[:, order])
    options = {"feature_range": ((-1, -1, -1), (0, 1, 3)), "feature_order": order}
    model = from_tensors(tensors, 3, feature_names=["a", "b", "c"], **options)
    assert model.n_features_in_ == 3 and model.quantize().feature_names == ("a", "b", "c")
    with pytest.warns(UserWarning, match="names"):
        np.testing.assert_allclose(directions(model.scores(X)), directions(expected), atol=1e-9)
    outside = [[-5.0, 0.0, 9.0]]
    plain = from_tensors(tensors, 3, **options)
    assert np.array_equal(plain.scores(outside), plain.scores([[-1.0, 0.0, 3.0]]))
    strict = from_tensors(tensors, 3, clip=False, **options)
    with pytest.raises(ValueError, match="feature_range promises -1 to 0"):
        strict.predict(outside)


def test_a_tree(rng, X, tmp_path):
    children = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [9, 8]])
    shapes = [(3, 2, 2), (4, 2, 2), (3, 2, 2), (5, 3, 4), (2, 5, 3)]
    tensors = [rng.normal(size=shape) for shape in shapes]
    rows = list(np.moveaxis(FeatureMap("linear")(X), 1, 0))
    for tensor, (left, right) in zip(tensors, children):
        rows.append(np.einsum("oab,na,nb->no", tensor, rows[left], rows[right]))
    model = from_tensors(tensors, tree=children)
    assert isinstance(model, TTNClassifier)
    np.testing.assert_allclose(directions(model.scores(X)), directions(rows[-1]), atol=1e-9)
    turned = from_tensors([t.transpose(1, 2, 0) for t in tensors], tree=children, axes="lro")
    assert np.array_equal(turned.scores(X), model.scores(X))
    tensorspin.save(model, tmp_path / "tree.npz")
    program = NetworkProgram.load(tmp_path / "tree.npz")
    assert np.array_equal(program.predict(X), model.quantize().predict(X))
    # A root of one output and two classes.
    single = from_tensors([*tensors[:-1], tensors[-1][0]], tree=children, classes=[-1, 1])
    assert np.array_equal(single.predict(X), np.where(rows[-1][:, 0] > 0, 1, -1))


def test_a_wide_chain_can_be_compressed_for_a_board(rng, X):
    model = from_tensors(chain(rng, 6, 3, bond=40), 3)
    assert model.bond_dimensions().max() <= 8  # no bond of six sites can carry more
    assert model.compress(max_bond=4).bond_dimensions().max() == 4


def test_it_is_fitted_and_its_clone_is_not(rng, X):
    model = from_tensors(chain(rng, 6, 3), 3)
    assert model.entanglement_entropy().shape == (6,)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


@pytest.mark.parametrize("kind", ["chain", "tree", "numbers"])
def test_given_tensors_can_be_trained_further(kind):
    rng = np.random.default_rng(0)
    X = rng.random((300, 4))
    y = 3 * X[:, 0] - X[:, 2] if kind == "numbers" else (X[:, 0] > X[:, 2]).astype(int)
    if kind == "tree":
        shapes = [(4, 2, 2), (4, 2, 2), (2, 4, 4)]
        tensors = [rng.normal(size=shape) for shape in shapes]
        model = from_tensors(tensors, tree=np.array([[0, 1], [2, 3], [4, 5]]))
    elif kind == "numbers":
        model = from_tensors(chain(rng, 4, 2, outputs=1), 2, offset=1.0, factor=0.5)
    else:
        model = from_tensors(chain(rng, 4, 2, outputs=2), 2)
    before = model.score(X, y)
    model.set_params(warm_start=True, epochs=20, learning_rate=0.02, input_noise=0, weight_decay=0)
    assert model.fit(X, y).score(X, y) > max(before, 0.8)
    # An update that is next to nothing leaves the network nearly as it was given.
    again = from_tensors(chain(rng, 4, 2, outputs=2), 2)
    scores = directions(again.scores(X))
    again.set_params(warm_start=True, epochs=1, learning_rate=1e-7).fit(X, (X[:, 0] > 0.5) * 1)
    np.testing.assert_allclose(directions(again.scores(X)), scores, atol=1e-3)


def bad(index, shape, n_sites=4, label=2, **options):
    tensors = chain(np.random.default_rng(0), n_sites, label)
    tensors[index] = np.ones(shape)
    return tensors, {"label": label, **options}


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (bad(1, (4, 2)), r"tensor 1 must have 3 axes \(lpr\), not 2: its shape is \(4, 2\)"),
        (bad(3, (5, 2, 4)), "tensor 3 has a left bond of 5, and its left neighbour, tensor 2, a"),
        (bad(1, (4, 3, 4)), "site 1 reads a vector of 3 components, the feature map has 2"),
        (bad(0, (4, 2, 4)), "tensor 0 has an outer bond of 4, which must be 1: chains with per"),
        (bad(2, (4, 2, 3, 4, 5)), r"tensor 2, which has the label, must have 3 axes \(lor\) or 4"),
        (bad(1, (4, 0, 4)), "tensor 1 has no entries"),
        (bad(0, (1, 2, 4), label=9), "label must be the number of one of 5 tensors, 0 to 4, not 9"),
        (bad(0, (1, 2, 4), label_position=4), "label_position must be 1 to 3, not 4"),
        (bad(0, (1, 2, 4), axes="lpx"), "axes must be an order of the letters 'lpr', not 'lpx'"),
        (bad(0, (1, 2, 4), classes=[1, 2]), "classes must be one label for each of 3 outputs"),
        (bad(0, (1, 2, 4), classes=[1, 2, 2]), "classes must be different labels"),
        (bad(0, (1, 2, 4), feature_order=[0, 1, 3, 3]), "must name each feature, but 2 is read n"),
        (bad(0, (1, 2, 4), feature_names=["a"]), "feature_names must be 4 words"),
        (bad(0, (1, 2, 4), temperature=0), "temperature must be above 0, not 0"),
        (bad(0, (1, 2, 4), label="middle"), "label must be None, an integer or a tensor"),
    ],
)
def test_what_does_not_fit_is_refused(case, message):
    tensors, options = case
    if options["label"] in (9, "middle"):
        tensors = chain(np.random.default_rng(0), 4, 2)
    with pytest.raises(ValueError, match=message):
        from_tensors(tensors, **options)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1j, "a"])
def test_entries_that_are_none(rng, value):
    tensors = chain(rng, 4, 2)
    tensors[1] = np.full((4, 2, 4), value)
    with pytest.raises(
        ValueError, match="tensor 1 (has an entry that is not finite|must hold real)"
    ):
        from_tensors(tensors, 2)


@pytest.mark.parametrize(
    ("children", "shapes", "message"),
    [
        ([[0, 1], [2, 3]], [(3, 2, 2), (2, 2, 4)], "tensor 1 reads 4 entries of node 0, whose"),
        ([[0, 1], [2, 3]], [(3, 2, 2), (2, 2, 3, 1)], r"tensor 1 must have 3 axes \(olr\), not 4"),
        ([[0, 1], [2, 3]], [(3, 2, 2)], "a tree of 2 nodes needs as many tensors, not 1"),
        ([[0, 1], [2, 3]], [(3, 2, 2), (1, 2, 3)], "a tree needs 2 outputs"),
        ([[0, 1], [3, 2]], [(3, 2, 2), (2, 3, 3)], "leaf 2 reads a vector of 3 components"),
    ],
)
def test_trees_that_do_not_fit(children, shapes, message):
    # In a tree of three leaves, node 0 is child 3.
    with pytest.raises(ValueError, match=message):
        from_tensors([np.ones(shape) for shape in shapes], tree=np.array(children))


def test_networks_that_are_zero_or_too_small():
    with pytest.raises(ValueError, match="norm 0"):
        from_tensors([np.zeros((2, 3)), np.zeros((3, 2, 2))], 1)
    with pytest.raises(ValueError, match="at least 2 sites that read features, not 1"):
        from_tensors([np.ones((2, 3)), np.ones((3, 2))], 1)
    with pytest.raises(ValueError, match="at least one tensor"):
        from_tensors([])


def test_quimb(rng, X):
    qtn = pytest.importorskip("quimb.tensor")
    mps = qtn.MPS_rand_state(6, 4, phys_dim=2, seed=1)
    vectors = FeatureMap("linear")(X)
    expected = [
        mps.H.conj() & qtn.MPS_product_state(list(v)) ^ all for v in vectors
    ]  # the amplitude of each product state
    model = from_tensors(mps.arrays, axes="lrp")
    np.testing.assert_allclose(model.predict(X), np.real(expected), atol=1e-9)


def test_tensorkrowch(X):
    tk = pytest.importorskip("tensorkrowch")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layer = tk.models.MPSLayer(
        n_features=7, in_dim=2, out_dim=4, bond_dim=3, init_method="randn", std=0.7
    )
    samples = torch.tensor(X, dtype=torch.float32)
    expected = layer(tk.embeddings.poly(samples, degree=1)).detach().numpy()
    model = from_tensors(layer.tensors, label=layer.out_position, feature_map="polynomial")
    np.testing.assert_allclose(directions(model.scores(X)), directions(expected), atol=1e-4)


def test_tn4ml(X):
    mps = pytest.importorskip("tn4ml.models.mps")
    import jax
    from tn4ml.embeddings import TrigonometricEmbedding
    from tn4ml.initializers import randn

    options = {"bond_dim": 3, "phys_dim": 2, "class_dim": 4, "boundary": "obc"}
    network = mps.MPS_initialize(
        6,
        initializer=randn(0.5),
        key=jax.random.key(0),
        shape_method="even",
        class_index=3,
        dtype=jax.numpy.float32,
        **options,
    )
    network.configure(device=("cpu", 0))
    expected = np.asarray(
        network.forward(X, TrigonometricEmbedding(), batch_size=len(X), dtype=jax.numpy.float32)
    )
    label = [array.ndim for array in network.arrays].index(4)
    model = from_tensors(network.arrays, label, axes="lrp", feature_map="trigonometric")
    np.testing.assert_allclose(directions(model.scores(X)), directions(expected), atol=1e-4)


def test_cores_that_are_none():
    with pytest.raises(ValueError, match="cores must be the tensors of a network, not None"):
        from_tensors(None)
