"""Accuracy with changed bits in the weights, for each form of storage: ``make bench-upsets``.

A matrix product state of the handwritten digits is trained once for real numbers and once for
weights of 4 bits. Bits of its weights in the program memory, checks included, are flipped at
random, and the golden model, which computes as boards do, classifies held-out images.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from ...compiler.network_program import NetworkProgram
from ...contract.contractor.image import read_image
from ...files import check_writable
from ...golden.contractor import contract
from ...models import MPSClassifier
from ...progress import progress_bar
from ...trust.memory_map import MemoryMap

LANES = 8
"""Lanes of the contractor; they decide the order of weights, and no answer."""

FLIPS = (1, 10, 30, 100, 300, 1000, 3000)
"""Numbers of bits that are flipped."""


@dataclass(frozen=True)
class Row:
    """Accuracies of one form of storage.

    Parameters
    ----------
    storage : str
        The form.
    bits : int
        Bits of weights in the program memory, of which some are flipped.
    flips : int
        How many.
    mean, worst : float
        Share of the images that are classified rightly: over all trials, and in the worst.
    """

    storage: str
    bits: int
    flips: int
    mean: float
    worst: float


def programs(bond_dim: int, epochs: int, seed: int, data) -> dict[str, NetworkProgram]:
    """Train the networks and store them in each form.

    Parameters
    ----------
    bond_dim, epochs, seed : int
        Parameters of the networks.
    data : (ndarray, ndarray)
        Training images and their classes.

    Returns
    -------
    dict of str to NetworkProgram
        Programs by the form of their weights.
    """
    options = {"epochs": epochs, "feature_range": (0, 16), "random_state": seed}
    exact = MPSClassifier(bond_dim, **options).fit(*data)
    rounded = MPSClassifier(bond_dim, weight_bits=4, **options).fit(*data)
    return {
        "8 bits": exact.quantize(weight_bits=8),
        "4 bits": rounded.quantize(weight_bits=4),
        "protected": rounded.quantize(weight_bits=4, protect=True),
    }


def accuracy(program: NetworkProgram, image: np.ndarray, X: np.ndarray, y: np.ndarray) -> float:
    """Classify images with what stands in the program memory.

    Parameters
    ----------
    program : NetworkProgram
        The program that was loaded.
    image : ndarray of uint8 of shape (n_bytes,)
        What has become of it.
    X : ndarray of shape (n_samples, n_features)
        Images.
    y : ndarray of shape (n_samples,)
        Their classes.

    Returns
    -------
    float
        Share that is right.
    """
    nodes, weights = read_image(image.tobytes(), LANES, program.protected)
    results = contract(nodes, weights, program.table, program.levels(X), LANES)
    return float(np.mean(program.classes[results.classes] == y))


def flipped(image: np.ndarray, places: np.ndarray, count: int, rng) -> np.ndarray:
    """Flip bits of some bytes, each at most once.

    Parameters
    ----------
    image : ndarray of uint8 of shape (n_bytes,)
        The program memory.
    places : ndarray of int of shape (n_places,)
        Addresses of the bytes.
    count : int
        Number of bits.
    rng : numpy.random.Generator
        Where they come from.

    Returns
    -------
    ndarray of uint8 of shape (n_bytes,)
        A copy with these bits changed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> changed = flipped(np.zeros(4, dtype=np.uint8), np.array([1, 3]), 5, rng)
    >>> changed[[0, 2]].tolist(), int(np.bitwise_count(changed).sum())
    ([0, 0], 5)
    """
    chosen = rng.choice(8 * len(places), count, replace=False)
    changed = image.copy()
    np.bitwise_xor.at(changed, places[chosen // 8], (1 << chosen % 8).astype(np.uint8))
    return changed


def measure(bond_dim: int, epochs: int, trials: int, seed: int) -> list[Row]:
    """Measure the accuracies.

    Parameters
    ----------
    bond_dim, epochs : int
        Parameters of the networks.
    trials : int
        How often so many bits are flipped.
    seed : int
        Seed of training and flips.

    Returns
    -------
    list of Row
        A row for each form and number of flips, beginning with none.
    """
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=seed
    )
    rows = []
    stored = programs(bond_dim, epochs, seed, (X_train, y_train))
    total = len(stored) * len(FLIPS) * trials
    with progress_bar("flipped bits", "trial") as progress:
        done = 0
        for number, (name, program) in enumerate(stored.items()):
            image = np.frombuffer(program.image(LANES), dtype=np.uint8)
            places = MemoryMap.of(program, LANES).weights
            bits = 8 * len(places)
            clean = accuracy(program, image, X_test, y_test)
            rows.append(Row(name, bits, 0, clean, clean))
            for count in FLIPS:
                found = []
                for trial in range(trials):
                    rng = np.random.default_rng([seed, number, count, trial])
                    changed = flipped(image, places, min(count, bits), rng)
                    found.append(accuracy(program, changed, X_test, y_test))
                    done += 1
                    progress(done, total)
                rows.append(Row(name, bits, count, float(np.mean(found)), min(found)))
    return rows


def markdown(rows: list[Row]) -> str:
    """Make a table of the rows.

    Parameters
    ----------
    rows : list of Row
        What `measure` returned.

    Returns
    -------
    str
        A table in Markdown, with mean and worst accuracy in percent.

    Examples
    --------
    >>> print(markdown([Row("8 bits", 64, 0, 0.5, 0.5), Row("8 bits", 64, 1, 0.5, 0.25)]))
    | flips | 8 bits (64 bits) |
    |---|---|
    | 0 | 50.0 / 50.0 |
    | 1 | 50.0 / 25.0 |
    """
    names = {row.storage: row.bits for row in rows}
    lines = ["| flips | " + " | ".join(f"{name} ({bits:,} bits)" for name, bits in names.items())]
    lines = [lines[0] + " |", "|---|" + "---|" * len(names)]
    for flips in dict.fromkeys(row.flips for row in rows):
        cells = (f"{row.mean:.1%} / {row.worst:.1%}" for row in rows if row.flips == flips)
        lines.append(f"| {flips:,} | " + " | ".join(cells).replace("%", "") + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print the table.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line, without the program's name. By default those of this process.

    Returns
    -------
    int
        Exit status, 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.contractor.upsets",
        description="How accurate digits are classified with changed bits in the weights.",
    )
    parser.add_argument("--bond-dim", type=int, default=16, help="by default %(default)s")
    parser.add_argument("--epochs", type=int, default=100, help="by default %(default)s")
    parser.add_argument("--trials", type=int, default=12, help="by default %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="by default %(default)s")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write JSON to this file")
    options = parser.parse_args(arguments)
    if options.output is not None:
        check_writable(options.output)
    rows = measure(options.bond_dim, options.epochs, options.trials, options.seed)
    print(markdown(rows))
    if options.output is not None:
        options.output.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
