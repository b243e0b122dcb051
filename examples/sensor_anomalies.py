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
from sklearn.pipeline import make_pipeline

import tensorspin

URL = "golden://icebreaker"
CSV = Path(__file__).parent / "data" / "pump.csv"
PICTURE = "sensor_anomalies.png"
CHANNELS = ("current_a", "vibration_mm_s", "temperature_c")
WINDOW = 24
"""Rows of a window: four hours, in which the pump's load changes noticeably."""
STEP = 3
"""Rows from one window to the next: half an hour."""
UNLIKELY_IN_A_ROW = 5
"""Unlikely windows in a row that raise an alarm."""
TRAINING_ROWS = 7 * 144
"""The first week: 144 rows a day."""


def alarms(unlikely: np.ndarray) -> list[tuple[int, int]]:
    """First and last window of each run of unlikely windows that is long enough.

    One window in a hundred is below the threshold by construction, and its neighbours share most of
    its rows; many in a row are an alarm.
    """
    edges = np.flatnonzero(np.diff(np.r_[0, unlikely.astype(int), 0]))
    runs = edges.reshape(-1, 2)
    return [(first, end - 1) for first, end in runs if end - first >= UNLIKELY_IN_A_ROW]


def main(url: str) -> None:
    """Train on the first week, watch the second one on a board, list the alarms."""
    with open(CSV, newline="") as file:
        table = list(csv.DictReader(file))
    stream = np.array([[float(row[name]) for name in CHANNELS] for row in table])

    # Each window becomes six numbers a channel, such as its mean, slope and mean change from row to
    # row. All values of a sick pump may be usual ones: what is unusual is the vibration for this
    # current, a vibration that never changes, or the warmth for this load.
    windows = tensorspin.WindowFeatures(WINDOW, step_length=STEP)
    # `contamination` is the share of training windows that lie below the threshold.
    detector = tensorspin.MPSAnomalyDetector(contamination=0.01, random_state=0)
    pipeline = make_pipeline(windows, detector).fit(stream[:TRAINING_ROWS])
    # Windows are described on the host; the board is sent 18 bytes for each, and answers with its
    # likelihood.
    with tensorspin.deploy(pipeline, url) as on_board:
        likelihood = on_board.score_samples(stream)
    threshold = detector.offset_

    time = np.array([row["time"] for row in table], dtype="datetime64[m]")
    spans = windows.window_spans(stream)
    later = spans.stop > TRAINING_ROWS
    for first, last in alarms((likelihood < threshold) & later):
        rows = slice(spans.start[first], spans.stop[last])
        known = {row["event"] for row in table[rows]} - {""}
        print(
            f"alarm {time[spans.stop[first] - 1]} to {time[spans.stop[last] - 1]}:",
            ", ".join(known) or "no known event",
        )

    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(10, 5), layout="constrained")
    above.plot(time, stream[:, 1], linewidth=0.6)
    above.set_ylabel("vibration in mm/s")
    # The likelihood of a row is the mean of those of the windows that it is in.
    below.plot(time, windows.to_samples(likelihood, stream), linewidth=0.8)
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
