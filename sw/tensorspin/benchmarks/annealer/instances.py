"""Problems to measure with, from files or random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dimod
import numpy as np

from ...data.errors import DataError
from ...data.model_files import TABLE, KnownValue, Model, find_known_value, read_model

SMALL = 100
"""Variables up to which all files are solved to their proven optimum."""

GSET = ("G1.txt", "G6.txt", "G43.txt", "G14.txt", "G11.txt")

FOLDERS = ("biqmac", "qubo")
"""Where the small files are."""

COMPLETE = (128, 512, 800)
"""Spins of the random fully connected problems."""


@dataclass(frozen=True)
class Instance:
    """A model, and what is known of it.

    Attributes
    ----------
    model : Model
    known : KnownValue or None
    betas : (float, float) or None
        First and last inverse temperature; None for the sampler's default.
    """

    model: Model
    known: KnownValue | None
    betas: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """Of the model."""
        return self.model.name

    @property
    def variables(self) -> int:
        """Number of variables."""
        return self.model.bqm.num_variables


def gset_instances(
    folder: Path, names: Sequence[str] | None = None, betas: tuple[float, float] | None = None
) -> list[Instance]:
    """Files of the G-set in ``folder/gset``, by default those of `GSET` that are there.

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
    """Files of `FOLDERS` with at most `SMALL` variables and a proven optimum."""
    for name in FOLDERS:
        for path in sorted((folder / name).glob("*")):
            known = find_known_value(path, folder)
            if known is not None and known.status.startswith("proven"):
                instance = _instance(path, folder)
                if instance.variables <= SMALL:
                    yield instance


def complete_instance(spins: int, seed: int = 0) -> Instance:
    """Couplings of +1 and -1 between all pairs of spins; the cut is what is maximised.

    Its optimum is not known; `speed` takes the best that any solver finds.
    """
    rng = np.random.default_rng([spins, seed])
    rows, columns = np.triu_indices(spins, 1)
    weights = rng.choice([-1.0, 1.0], len(rows))
    bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(spins), (rows, columns, weights), 0.0, dimod.SPIN
    )
    return Instance(Model(f"complete {spins}", bqm, "max cut", float(weights.sum())), None)


def check_folder(folder: Path) -> None:
    """Raise DataError if the folder has no table of known values."""
    if not (folder / TABLE).is_file():
        raise DataError(f"there is no {TABLE} in {folder}: give the folder of the instances")


def _instance(path: Path, folder: Path) -> Instance:
    model, known = read_model(path), find_known_value(path, folder)
    if known is not None and known.objective != model.objective:
        raise DataError(f"{path}: the table has a {known.objective}, the file a {model.objective}")
    return Instance(model, known)
