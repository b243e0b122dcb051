"""Windows of streams: features, names, places, bad input, and a detector on a board behind them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tensorspin
from tensorspin.models import MPSAnomalyDetector, WindowFeatures, windows

GOLDEN = "golden://icebreaker"


@pytest.fixture
def stream():
    return np.random.default_rng(0).normal(size=(100, 3)) * [1, 10, 0.1] + [0, 50, -3]


def test_features_are_what_they_are_called(stream):
    transformer = WindowFeatures(8, step_length=3, features=windows.FEATURES, n_bands=3)
    found = transformer.fit_transform(stream)
    names = list(transformer.get_feature_names_out())
    assert found.shape == (31, len(names)) and len(set(names)) == len(names) == 3 * (9 + 3 + 8)
    values = dict(zip(names, found[2]))  # the third window
    rows = stream[6:14, 1]
    expected = {
        "mean": rows.mean(),
        "std": rows.std(),
        "min": rows.min(),
        "max": rows.max(),
        "last": rows[-1],
        "rms": np.sqrt(np.mean(rows**2)),
        "slope": np.polyfit(np.arange(8), rows, 1)[0],
        "change": np.mean(np.abs(np.diff(rows))),
        "crossings": np.mean(np.diff(rows > rows.mean())),
        "row0": rows[0],
        "row7": rows[-1],
    }
    for name, value in expected.items():
        assert values[f"x1_{name}"] == pytest.approx(value), name
    bands = np.array([values[f"x1_band{band}"] for band in range(3)])
    assert np.sum(bands**2) == pytest.approx(rows.var())


@pytest.mark.parametrize("length", [16, 17])
def test_a_wave_is_in_its_band(length):
    time = np.arange(200)
    for cycles, band in ((0.04, 0), (0.18, 1), (0.31, 2), (0.45, 3), (0.5, 3)):
        wave = np.cos(2 * np.pi * cycles * time)[:, None]
        transformer = WindowFeatures(length, features="bands")
        assert transformer.fit_transform(wave).mean(axis=0).argmax() == band


def test_windows_lie_where_it_is_said(stream):
    transformer = WindowFeatures(10, step_length=4, features="raw").fit(stream)
    found, spans = transformer.transform(stream), transformer.window_spans(stream)
    for row, number, start, stop in zip(found, *spans, strict=True):
        np.testing.assert_array_equal(row, stream[start:stop].T.ravel())
        assert number == 0 and stop == start + 10
    several = [stream[:30], stream[30:41], stream[41:]]
    found, spans = transformer.transform(several), transformer.window_spans(several)
    assert spans.recording.tolist() == [0] * 6 + [1] + [2] * 13
    for row, number, start, stop in zip(found, *spans, strict=True):
        np.testing.assert_array_equal(row, several[number][start:stop].T.ravel())
    cube = np.stack([stream[:50], stream[50:]])
    np.testing.assert_array_equal(transformer.transform(cube), transformer.transform([*cube]))


def test_values_of_windows_come_back_to_the_rows(stream):
    transformer = WindowFeatures(4, step_length=2).fit(stream[:9])
    back = transformer.to_samples([1.0, 3.0, 8.0], stream[:9])
    np.testing.assert_allclose(back, [1, 1, 2, 2, 5.5, 5.5, 8, 8, np.nan])
    gaps = WindowFeatures(2, step_length=3).fit(stream[:9])
    np.testing.assert_allclose(
        gaps.to_samples([1, 2, 3], stream[:8]), [1, 1, np.nan, 2, 2, np.nan, 3, 3]
    )
    one, two = transformer.to_samples([1, 2, 3], [stream[:4], stream[:6]])
    np.testing.assert_allclose(one, [1] * 4)
    np.testing.assert_allclose(two, [2, 2, 2.5, 2.5, 3, 3])
    with pytest.raises(ValueError, match=r"values must have shape \(3,\), one a window, not \(2,"):
        transformer.to_samples([1, 2], stream[:9])


def test_batches_change_nothing(stream, monkeypatch):
    transformer = WindowFeatures(7, step_length=1, features=windows.FEATURES, n_bands=2)
    whole = transformer.fit_transform(stream)
    monkeypatch.setattr(windows, "BATCH_VALUES", 50)
    np.testing.assert_allclose(transformer.transform(stream), whole, rtol=1e-12)


def test_names_of_channels(stream):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(stream, columns=["current", "heat", "sound"])
    transformer = WindowFeatures(10, features=("mean", "slope")).fit(frame)
    names = ["current_mean", "current_slope", "heat_mean", "heat_slope"]
    assert transformer.get_feature_names_out().tolist()[:4] == names
    assert transformer.get_feature_names_out(["a", "b", "c"])[-1] == "c_slope"
    with pytest.raises(ValueError, match="input_features must have 3 names, one a channel, not 2"):
        transformer.get_feature_names_out(["a", "b"])
    with pytest.raises(ValueError, match="feature names should match"):
        transformer.transform(frame[["heat", "current", "sound"]])
    shown = transformer.set_output(transform="pandas").transform(frame)
    assert list(shown.columns)[:4] == names and len(shown) == 19
    assert isinstance(clone(transformer).fit_transform(frame), pandas.DataFrame)
    with pytest.raises(ValueError, match='transform must be "default", "pandas" or None, not 3'):
        transformer.set_output(transform=3)
    assert isinstance(transformer.set_output(transform="default").transform(frame), np.ndarray)
    frame.loc[42, "heat"] = np.nan
    with pytest.raises(ValueError, match="channel 'heat' of X is nan in row 42; values must be"):
        transformer.transform(frame)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_channels_of_times_or_words_are_refused_by_name(zone):
    pandas = pytest.importorskip("pandas")
    times = pandas.date_range("2026-01-01", periods=20, freq="min", tz=zone)
    frame = pandas.DataFrame({"heat": np.arange(20.0), "time": times, "state": ["on", "off"] * 10})
    transformer = WindowFeatures(window_length=5)
    with pytest.raises(ValueError, match="channel 'time' of X must hold numbers, not values such"):
        transformer.fit(frame)
    with pytest.raises(ValueError, match="channel 'state' of X must .* as 'on'; leave it out"):
        transformer.fit(frame[["heat", "state"]])
    with pytest.raises(ValueError, match="channel 1 of recording 0 must hold numbers"):
        transformer.fit([frame[["heat", "state"]].to_numpy()])
    assert len(transformer.fit_transform(frame[["heat"]].astype("Float64"))) == 8


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window_length": 1}, "window_length must be an integer of at least 2, not 1"),
        ({"window_length": 2.5}, "window_length must be an integer of at least 2, not 2.5"),
        ({"step_length": 0}, "step_length must be an integer of at least 1, not 0"),
        ({"n_bands": True}, "n_bands must be an integer of at least 1, not True"),
        ({"features": ()}, r'features must be one or more of "mean", .*"raw", each once, not \(\)'),
        ({"features": ("mean", "mean")}, "each once"),
        ({"features": "median"}, "features must be of .*, not 'median'"),
        ({"features": 3}, "features must be one or more of .*, not 3"),
        ({"features": "bands", "window_length": 6}, "at most half of window_length=6, not 4"),
    ],
)
def test_wrong_parameters(parameters, message, stream):
    with pytest.raises(ValueError, match=message):
        WindowFeatures(**parameters).fit(stream)


def test_bad_streams(stream):
    transformer = WindowFeatures(20).fit(stream)
    cases = [
        (stream[:19], r"X has 19 sample\(s\); a window needs window_length=20"),
        (stream[:0], r"X has 0 sample\(s\)"),
        ([stream, stream[:5]], r"recording 1 has 5 sample\(s\)"),
        (stream[:, :2], "X has 2 features, but WindowFeatures is expecting 3 features"),
        ([stream, stream[:, :2]], "X has 2 features"),
        (stream[:, 0], r"X must have shape \(n_samples, n_channels\), not \(100,\); give"),
        ([], "X has no recording; at least one is needed"),
        (np.where(stream > 60, np.inf, stream), "channel 1 of X is inf in row"),
        (np.full((30, 3), 1e300), "the values of X are too large"),
    ]
    for X, message in cases:
        with pytest.raises(ValueError, match=message):
            WindowFeatures(20, features=("mean", "rms")).fit(stream).transform(X)
    with pytest.raises(NotFittedError):
        WindowFeatures().transform(stream)
    copy = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(copy.transform(stream), transformer.transform(stream))
    assert clone(transformer).get_params() == transformer.get_params()


def faulty(n=3000):
    time = np.arange(n)
    rng = np.random.default_rng(0)
    wave = np.sin(time / 5) + 0.1 * rng.normal(size=n)
    other = 0.5 * wave + 0.1 * rng.normal(size=n)
    other[2500:2600] = other[2500]  # the sensor is stuck
    return np.c_[wave, other]


def test_a_pipeline_finds_a_stuck_sensor_and_runs_on_a_board():
    stream = faulty()
    transformer = WindowFeatures(40)
    detector = MPSAnomalyDetector(contamination=0.01, epochs=20, random_state=0)
    pipeline = make_pipeline(transformer, StandardScaler(), detector).fit(stream[:2000])
    likelihood = transformer.to_samples(pipeline.score_samples(stream), stream)
    assert likelihood[2520:2580].max() < np.nanmin(likelihood[:2400])
    with tensorspin.deploy(pipeline, GOLDEN) as on_board:
        predicted = on_board.predict(stream)
        assert np.mean(predicted == pipeline.predict(stream)) > 0.98
        spans = transformer.window_spans(stream)
        inside = (spans.start >= 2500) & (spans.stop <= 2600)
        assert (predicted[inside] == -1).all()
        scores = on_board.decision_function(stream)
        np.testing.assert_array_equal(scores, on_board.score_samples(stream) - on_board[-1].offset_)
        assert on_board[-1].last_run_.cycles.min() > 0
    with pytest.raises(ValueError, match="'windowfeatures' .*can't be folded into a program"):
        tensorspin.save(pipeline, "never.npz")
    program = tensorspin.models.quantize(pipeline[1:])
    np.testing.assert_array_equal(program.predict(transformer.transform(stream)), predicted)
    with pytest.raises(NotFittedError):
        tensorspin.deploy(make_pipeline(WindowFeatures(), detector), GOLDEN)
