"""Problems (instances) to measure with, from files or random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dimod
import numpy as np

from ...data.errors import DataError
from ...data.model_files import TABLE, KnownValue, Model, find_known_value, read_model

SMALL = 100
"""Largest number of variables of a small instance, which is solved to its proven optimum."""

GSET = ("G1.txt", "G6.txt", "G43.txt", "G14.txt", "G11.txt")
"""Graphs of the G-set that are solved by default.

They are of different kinds: random with weights of 1, random with weights of 1 and -1, random with
fewer edges per node, a union of planar graphs, and a torus with weights of 1 and -1.
"""

FOLDERS = ("biqmac", "qubo")
"""Folders of the small instances."""

COMPLETE = (128, 512, 800)
"""Numbers of spins of the random fully connected problems."""


@dataclass(frozen=True)
class Instance:
    """A model to solve, and what is known of it.

    Parameters
    ----------
    model : Model
        The model, with its objective.
    known : KnownValue or None
        The best value known, if there is one.
    betas : tuple of (float, float), optional
        First and last inverse temperature, in units of the model; None for the sampler's default.
    """

    model: Model
    known: KnownValue | None
    betas: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    @property
    def variables(self) -> int:
        """Number of variables."""
        return self.model.bqm.num_variables


def gset_instances(
    folder: Path, names: Sequence[str] | None = None, betas: tuple[float, float] | None = None
) -> list[Instance]:
    """Read graphs of the G-set.

    Parameters
    ----------
    folder : Path
        Folder of all instances; the graphs are in its folder ``gset``.
    names : sequence of str, optional
        Names of the files. By default those of `GSET` that are there.
    betas : tuple of (float, float), optional
        First and last inverse temperature for all of them.

    Returns
    -------
    list of Instance
        The graphs.

    Raises
    ------
    DataError
        If a file that was asked for is missing.
    """
    paths = [folder / "gset" / name for name in names or GSET]
    if names is None:
        paths = [path for path in paths if path.is_file()]
    for path in paths:
        if not path.is_file():
            raise DataError(f"there is no {path.name} in {path.parent}")
    return [replace(_instance(path, folder), betas=betas) for path in paths]


def small_instances(folder: Path) -> Iterator[Instance]:
    """Read the files of `FOLDERS` with at most `SMALL` variables and a proven optimum."""
    for name in FOLDERS:
        for path in sorted((folder / name).glob("*")):
            known = find_known_value(path, folder)
            if known is not None and known.status.startswith("proven"):
                instance = _instance(path, folder)
                if instance.variables <= SMALL:
                    yield instance


def complete_instance(spins: int, seed: int = 0) -> Instance:
    """Make a random problem with a coupling of +1 or -1 between every pair of spins.

    The objective is the largest cut. The optimum is not known, so `speed` compares with the best
    value that any solver finds.

    Parameters
    ----------
    spins : int
        Number of spins.
    seed : int
        Seed of the random couplings: the same seed gives the same problem.

    Returns
    -------
    Instance
        The problem.
    """
    rng = np.random.default_rng([spins, seed])
    rows, columns = np.triu_indices(spins, 1)
    weights = rng.choice([-1.0, 1.0], len(rows))
    bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(spins), (rows, columns, weights), 0.0, dimod.SPIN
    )
    return Instance(Model(f"complete {spins}", bqm, "max cut", float(weights.sum())), None)


def check_folder(folder: Path) -> None:
    """Refuse a folder that has no table of best values known.

    Raises
    ------
    DataError
        If there is no such table: then it is no folder of instances.
    """
    if not (folder / TABLE).is_file():
        raise DataError(f"there is no {TABLE} in {folder}: give the folder of the instances")


def _instance(path: Path, folder: Path) -> Instance:
    model, known = read_model(path), find_known_value(path, folder)
    if known is not None and known.objective != model.objective:
        raise DataError(f"{path}: the table has a {known.objective}, the file a {model.objective}")
    return Instance(model, known)
