"""Solve a QUBO on a board's annealer: give radio transmitters one of two channels each.

    python examples/channel_assignment.py [URL of a board with an annealer]

Two transmitters on the same channel disturb each other, the more the nearer they are. The best
assignment is a maximum cut of the graph of disturbances, here written as a QUBO: a quadratic
function of variables that are 0 or 1, whose minimum is wanted. With 18 transmitters all 262,144
assignments can be tried, so that the annealer's answer can be compared with the true optimum.
"""

import sys

import dimod
import numpy as np
from matplotlib import pyplot as plt

from tensorspin import BoardSampler

URL = "golden://ulx3s_25f_annealer"
PICTURE = "channel_assignment.png"
TRANSMITTERS = 18


def main(url: str) -> None:
    """Make the model, solve it on the board and by trying everything, draw the assignment."""
    rng = np.random.default_rng(3)
    places = rng.random((TRANSMITTERS, 2)) * 10  # kilometres
    pairs = [(i, j) for i in range(TRANSMITTERS) for j in range(i)]
    distance = {(i, j): float(np.linalg.norm(places[i] - places[j])) for i, j in pairs}
    # The board's couplings are small integers. Disturbances in five classes fit exactly; finer ones
    # would be rounded, and `info` would tell by how much.
    disturbance = {pair: 5 - int(far) for pair, far in distance.items() if far < 5}

    # x_i is the channel of transmitter i. The disturbance of a pair counts when both are equal:
    # x_i x_j + (1 - x_i)(1 - x_j) is then 1, and else 0.
    bqm = dimod.BinaryQuadraticModel(dimod.BINARY)
    for (i, j), strength in disturbance.items():
        bqm.add_quadratic(i, j, 2 * strength)
        bqm.add_linear(i, -strength)
        bqm.add_linear(j, -strength)
        bqm.offset += strength

    with BoardSampler(url) as sampler:
        samples = sampler.sample(bqm, num_sweeps=300, seed=1)
    found = samples.first

    reads, error = len(samples), samples.info["quantization_error"]["relative_error"]
    print(f"coefficients are rounded by {error:.1%}")
    print(f"{reads} reads took {samples.info['device_time'] * 1e6:.0f} microseconds on the board")

    optimum = dimod.ExactSolver().sample(bqm).first.energy
    best = int((samples.record.energy == optimum).sum())
    print(f"disturbance on one channel alone: {sum(disturbance.values())}")
    print(f"found: {found.energy:g}, optimum of all assignments: {optimum:g}, in {best} reads")

    figure, panel = plt.subplots(figsize=(5, 5), layout="constrained")
    for (i, j), strength in disturbance.items():
        colour = "C3" if found.sample[i] == found.sample[j] else "0.85"
        panel.plot(*places[[i, j]].T, color=colour, linewidth=0.6 * strength)
    colours = ["C0" if found.sample[i] else "C1" for i in range(TRANSMITTERS)]
    panel.scatter(*places.T, color=colours, s=120, zorder=2)
    panel.set_title("Red pairs, on the same channel, still disturb each other")
    panel.set_xlabel("kilometres")
    figure.savefig(PICTURE, dpi=150)
    print(f"picture: {PICTURE}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else URL)
