"""Write pump.csv: two weeks of a water pump's sensors, a row every ten minutes.

    python examples/data/make_pump.py

The pump follows the demand for water, which has a daily rhythm. Its current follows the load, its
vibration follows the current, and its bearing warms up slowly behind the load. In the second week
three things go wrong, named in the column `event`:

========== ==================================================================================
event      what happens
========== ==================================================================================
cavitation air in the pump: the vibration jumps about, at times far above the usual
stuck      the vibration sensor repeats one plausible value, so that no limit is ever crossed
friction   a bearing runs dry: it is warmer than this load explains, yet not hotter than usual
========== ==================================================================================

The file is made up, with a fixed seed, so that it can be written again and be the same.
"""

from pathlib import Path

import numpy as np

ROWS_PER_DAY = 144
DAYS = 14
EVENTS = {  # first row, number of rows
    "cavitation": (int(8.3 * ROWS_PER_DAY), 30),
    "stuck": (int(10.4 * ROWS_PER_DAY), 40),
    "friction": (int(12.1 * ROWS_PER_DAY), 36),
}
CSV = Path(__file__).with_name("pump.csv")


def rows() -> list[str]:
    """Lines of the file, without line ends."""
    rng = np.random.default_rng(2024)
    count = DAYS * ROWS_PER_DAY
    hour = np.arange(count) % ROWS_PER_DAY / ROWS_PER_DAY * 24
    # People use water in the morning and in the evening.
    demand = (
        0.35 + 0.4 * np.exp(-(((hour - 7.5) / 2) ** 2)) + 0.5 * np.exp(-(((hour - 19) / 3) ** 2))
    )
    demand = demand * (1 + 0.05 * rng.standard_normal(count))
    current = 2 + 6 * demand + 0.1 * rng.standard_normal(count)
    vibration = 0.6 + 0.22 * current + 0.08 * rng.standard_normal(count)
    # The bearing's temperature follows the current with a time constant of an hour.
    temperature = np.empty(count)
    warmth = 35.0
    for row in range(count):
        warmth += (22 + 4.2 * current[row] - warmth) / 6
        temperature[row] = warmth + 0.2 * rng.standard_normal()

    event = np.full(count, "", dtype="<U10")
    for name, (first, length) in EVENTS.items():
        event[first : first + length] = name
    vibration[event == "cavitation"] += np.abs(rng.standard_normal(EVENTS["cavitation"][1])) * 1.2
    vibration[event == "stuck"] = vibration[EVENTS["stuck"][0]]
    temperature[event == "friction"] += 6

    lines = ["time,current_a,vibration_mm_s,temperature_c,event"]
    start = np.datetime64("2024-03-04T00:00")
    for row in range(count):
        time = start + np.timedelta64(10 * row, "m")
        values = f"{current[row]:.2f},{vibration[row]:.2f},{temperature[row]:.1f}"
        lines.append(f"{time},{values},{event[row]}")
    return lines


if __name__ == "__main__":
    CSV.write_text("\n".join(rows()) + "\n")
