"""Find anomalies in a pump's sensor data with a tensor network on a board.

    python examples/sensor_anomalies.py [URL of a board]

A Born machine learns how probable the windows of a pump's first, normal week are. In the second
week the board computes the likelihood of each new window; windows that are too unlikely raise an
alarm. The data (examples/data/pump.csv, written by make_pump.py there) name the true events in a
column that is used for nothing but the comparison at the end.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from tensorspin import MPSAnomalyDetector

URL = "golden://icebreaker"
CSV = Path(__file__).parent / "data" / "pump.csv"
PICTURE = "sensor_anomalies.png"
WINDOW = 12
"""Rows of a window: two hours, in which the pump's load changes noticeably."""
STEP = 3
"""Rows from one window to the next: half an hour. An alarm needs two unlikely windows in a row."""
TRAINING_ROWS = 7 * 144
"""The first week: 144 rows a day."""


def bumps(x: np.ndarray) -> np.ndarray:
    """Map a scaled feature to the four cubic Bernstein polynomials, a bump each.

    The probability of a feature is a polynomial in these. Two components ("linear") could only
    tell low from high; four can also single out a narrow normal range in the middle. A function of
    a module rather than a lambda, so that the detector can be pickled.
    """
    return np.stack([(1 - x) ** 3, 3 * x * (1 - x) ** 2, 3 * x**2 * (1 - x), x**3], axis=-1)


def window_features(current, vibration, temperature) -> list[float]:
    """Describe a window so that values that do not belong together stand out.

    The raw values of a sick pump may all be usual ones: what is unusual is the vibration for this
    current, a vibration that never changes, or the warmth for the load of the last two hours.
    """
    recent = 0.85 ** np.arange(WINDOW)[::-1]  # the bearing forgets its load in about an hour
    return [
        current.mean(),
        vibration.mean() - 0.22 * current.mean(),
        np.log10(np.abs(np.diff(vibration)).mean() + 0.01),
        temperature[-1] - 4.2 * np.average(current, weights=recent),
    ]


def alarms(unlikely: np.ndarray) -> list[tuple[int, int]]:
    """First and last window of each run of at least two unlikely windows.

    One window in a hundred is below the threshold by construction; two in a row are an alarm.
    """
    edges = np.flatnonzero(np.diff(np.r_[0, unlikely.astype(int), 0]))
    return [(first, end - 1) for first, end in edges.reshape(-1, 2) if end - first >= 2]


def main(url: str) -> None:
    """Train on the first week, watch the second one on a board, list the alarms."""
    with open(CSV, newline="") as file:
        table = list(csv.DictReader(file))
    sensors = [
        np.array([float(row[name]) for row in table])
        for name in ("current_a", "vibration_mm_s", "temperature_c")
    ]
    ends = np.arange(WINDOW, len(table) + 1, STEP)
    X = np.array([window_features(*(s[end - WINDOW : end] for s in sensors)) for end in ends])
    training = ends <= TRAINING_ROWS

    # The promised range is three times as wide as the training data. Otherwise all values beyond
    # those of training would count as the most extreme ones of training, which are normal.
    low, high = X[training].min(axis=0), X[training].max(axis=0)
    low, high = low - (high - low), high + (high - low)
    X = np.clip(X, low, high)

    # `contamination` is the share of training windows that lie below the threshold.
    detector = MPSAnomalyDetector(
        feature_map=bumps, feature_range=(low, high), contamination=0.01, epochs=400, random_state=0
    )
    detector.fit(X[training])
    with detector.deploy(url) as on_board:
        likelihood = on_board.score_samples(X)
        threshold = on_board.offset_

    time = np.array([row["time"] for row in table], dtype="datetime64[m]")
    for first, last in alarms((likelihood < threshold) & ~training):
        rows = slice(ends[first] - WINDOW, ends[last])
        known = {row["event"] for row in table[rows]} - {""}
        print(
            f"alarm {time[ends[first] - 1]} to {time[ends[last] - 1]}:",
            ", ".join(known) or "no known event",
        )

    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(10, 5), layout="constrained")
    above.plot(time, sensors[1], linewidth=0.6)
    above.set_ylabel("vibration in mm/s")
    below.plot(time[ends - 1], likelihood, linewidth=0.8)
    below.axhline(threshold, color="black", linestyle="--", label="threshold")
    below.axvspan(time[0], time[TRAINING_ROWS], color="0.92", label="training")
    below.set_ylabel("log-likelihood in nats")
    for colour, event in zip(("C1", "C2", "C3"), ("cavitation", "stuck", "friction")):
        inside = [index for index, row in enumerate(table) if row["event"] == event]
        for panel in (above, below):
            panel.axvspan(time[inside[0]], time[inside[-1]], color=colour, alpha=0.3, label=event)
    below.legend(loc="lower left")
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else URL)
