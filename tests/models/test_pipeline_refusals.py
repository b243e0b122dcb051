"""What of a pipeline can't be folded into a program is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import (
    SelectKBest,
    SequentialFeatureSelector,
)
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import tensorspin
from tensorspin import (
    MPSClassifier,
    MPSRegressor,
)
from tensorspin.models import quantize

from ..support.pipelines import GOLDEN, X, host_levels, mps, y


class Doubled(StandardScaler):
    """Transforms otherwise than the class that it is derived from."""

    def transform(self, X, copy=None):
        return 2 * super().transform(X, copy)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (PCA(3), "step 'pca' (PCA)"),
        (Normalizer(), "step 'normalizer' (Normalizer)"),
        (PolynomialFeatures(), "step 'polynomialfeatures' (PolynomialFeatures)"),
        (KNNImputer(), "step 'knnimputer' (KNNImputer)"),
        (FunctionTransformer(np.tanh), "step 'functiontransformer' (FunctionTransformer)"),
        (Doubled(), "step 'doubled' (Doubled)"),
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), "(OneHotEncoder)"),
    ],
)
def test_other_steps_are_refused_by_name(step, name, tmp_path):
    pipeline = make_pipeline(StandardScaler(), step, mps()).fit(X, y)
    for call in (
        lambda: tensorspin.deploy(pipeline, GOLDEN),
        lambda: tensorspin.save(pipeline, tmp_path / "model.npz"),
        lambda: quantize(make_pipeline("passthrough", pipeline)),
    ):
        with pytest.raises(ValueError) as caught:
            call()
        told = str(caught.value)
        assert name in told and "StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler" in told
        assert "SelectKBest" in told and "on the host" in told
    assert not list(tmp_path.iterdir())


def test_quantiles_of_another_distribution_are_refused():
    step = QuantileTransformer(n_quantiles=20, output_distribution="normal")
    with pytest.raises(ValueError, match=r'can\'t be folded with output_distribution="normal"'):
        quantize(make_pipeline(step, mps()).fit(X, y))


def test_other_steps_of_inner_pipelines_are_named():
    inner = Pipeline([("scale", StandardScaler()), ("reduce", PCA(2))])
    pipeline = Pipeline([("first", inner), ("model", mps())]).fit(X, y)
    with pytest.raises(ValueError, match=r"step 'first__reduce' \(PCA\) can't be folded"):
        quantize(pipeline)


class Reversing(SelectKBest):
    """Selects columns, and reverses them."""

    def transform(self, X):
        return super().transform(X)[:, ::-1]


def test_a_selection_that_does_more_is_refused():
    pipeline = make_pipeline(Reversing(k=3), mps()).fit(X, y)
    with pytest.raises(ValueError, match="does not just select the columns"):
        quantize(pipeline)


@pytest.mark.parametrize("value", [-1.0, 0.0, np.inf, np.nan])
def test_scales_that_turn_or_lose_the_order(value):
    pipeline = make_pipeline(StandardScaler(), mps()).fit(X, y)
    pipeline[0].scale_[2] = value
    with pytest.raises(ValueError, match=f"scale_ of its column 2 is {value}"):
        quantize(pipeline)


def test_a_column_that_nothing_passes():
    pipeline = make_pipeline(MinMaxScaler((5, 6)), mps(feature_range=(5, 6))).fit(X, y)
    pipeline[0].min_[1] = 1e300
    with pytest.raises(ValueError, match="no value of column 1 passes all steps"):
        quantize(pipeline)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "LogisticRegression"),
        (make_pipeline(StandardScaler(), "passthrough"), "'passthrough'"),
        (StandardScaler(), "StandardScaler"),
        ("model.npz", "'model.npz'"),
    ],
)
def test_other_estimators_are_refused_by_name(model, name):
    with pytest.raises(TypeError, match=f"{name} is no estimator of Tensorspin; give an MPSClass"):
        tensorspin.deploy(model, GOLDEN)


def test_what_is_not_fitted():
    for model in (
        mps(),
        make_pipeline(StandardScaler(), mps()),
        make_pipeline(StandardScaler(), mps().fit(X, y)),
        TransformedTargetRegressor(MPSRegressor()),
    ):
        with pytest.raises(NotFittedError):
            quantize(model)


def test_steps_that_do_not_fit_each_other():
    few = StandardScaler().fit(X[:, :3])
    with pytest.raises(ValueError, match=r"'standardscaler' .* returns 3 columns, .* takes 6"):
        quantize(make_pipeline(few, mps().fit(X, y)))


@pytest.mark.parametrize(
    ("transformer", "parameters"),
    [(Doubled(), {}), (None, {"func": np.log1p, "inverse_func": np.expm1})],
)
def test_targets_that_are_not_scaled_alone(transformer, parameters):
    regressor = MPSRegressor(2, epochs=1, random_state=0)
    model = TransformedTargetRegressor(regressor, transformer=transformer, **parameters)
    model.fit(X, y.astype(float))
    with pytest.raises(ValueError, match="of the target can't be folded into a program"):
        quantize(model)


def test_a_target_of_classes():
    model = TransformedTargetRegressor(mps(), transformer=MinMaxScaler()).fit(X, y.astype(float))
    with pytest.raises(ValueError, match="needs a regressor, such as MPSRegressor"):
        quantize(model)


def test_a_file_that_can_not_be_written_is_found_out_first(monkeypatch):
    monkeypatch.setattr(MPSClassifier, "quantize", None)
    with pytest.raises(OSError, match="it is a device"):
        tensorspin.save(make_pipeline(StandardScaler(), mps()).fit(X, y), "/dev/null")


def test_a_selection_of_sequences():
    selector = SequentialFeatureSelector(
        DecisionTreeClassifier(random_state=0), n_features_to_select=2, cv=2
    )
    pipeline = make_pipeline(MinMaxScaler(), selector, mps()).fit(X, y)
    assert np.array_equal(quantize(pipeline).levels(X), host_levels(pipeline, X))
