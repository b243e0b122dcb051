"""A classifier and its guard as programs and in a file, and how both refuse."""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
import zipfile
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..compiler.outputs import Classification, OutlierDetection
from ..compiler.program_file import ProgramFileError
from ..files import binary_file, readable_file
from .guard import GuardLimits

VERSION = 1
"""Version of the file's form."""

_PARTS = ("classifier.npz", "detector.npz")
_MOST_PART = 1 << 27
"""Most bytes of a program in a file of guarded programs."""


def checked_label(label: Any, classes: np.ndarray) -> Any:
    """Return what stands for a refusal.

    Parameters
    ----------
    label : object
        The parameter `refused_label`.
    classes : ndarray of shape (n_classes,)
        The classes.

    Returns
    -------
    object
        The label; of "auto" -1 where classes are numbers, and "refused" where they are texts.

    Raises
    ------
    ValueError
        If it is one of the classes.
    """
    texts = classes.dtype.kind in "USO"
    if isinstance(label, str) and label == "auto":
        label = "refused" if texts else -1
    if label in classes.tolist():
        raise ValueError(
            f"refused_label must be none of the classes, not {label!r}: give another one"
        )
    return label


class Refusing:
    """The methods of a classifier that refuses, by `limits_` and `_answers`."""

    limits_: GuardLimits
    refused_label_: Any

    @abstractmethod
    def quantize(self) -> GuardedProgram:
        """Return both programs and the limits."""

    @abstractmethod
    def _answers(self, X) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return classes, their probabilities and log-likelihoods of samples, of all of them."""

    def score_samples(self, X) -> np.ndarray:
        """Measure how usual samples are, by both limits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            0 at the limit, about 1 for a usual sample; what is below 0 is refused.
        """
        _, confidence, likelihood = self._answers(X)
        return self.limits_.margins(confidence, likelihood)

    def accepts(self, X) -> np.ndarray:
        """Tell which samples are answered.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of bool of shape (n_samples,)
            False for those that are refused.
        """
        return self.score_samples(X) >= 0

    def predict(self, X) -> np.ndarray:
        """Predict the class of each sample, or refuse.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels, and `refused_label_` for samples that are refused. ``score`` counts these
            as wrong.
        """
        labels, confidence, likelihood = self._answers(X)
        accepted = self.limits_.margins(confidence, likelihood) >= 0
        # A longer text or another kind of number may need another type.
        kind = np.result_type(labels.dtype, np.asarray(self.refused_label_).dtype)
        if labels.dtype.kind in "OU" and kind.kind != "U":
            kind = np.dtype(object)
        return np.where(accepted, labels.astype(kind), np.array(self.refused_label_, dtype=kind))


@dataclass(frozen=True, eq=False)
class GuardedProgram:
    """The programs of a classifier and of the detector that guards it.

    Parameters
    ----------
    classifier : NetworkProgram
        The program for `Classification`.
    detector : NetworkProgram
        The program for `OutlierDetection`, of the same columns.
    limits : GuardLimits
        What is accepted.
    refused_label : int, float or str
        What stands for a refusal.

    Raises
    ------
    ValueError
        If a program is for another task, or their columns differ.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import GuardedClassifier, MPSAnomalyDetector, MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> parts = MPSClassifier(4, epochs=5), MPSAnomalyDetector(4, epochs=5)
    >>> program = GuardedClassifier(*parts, random_state=0).fit(X, y).quantize()
    >>> program.classifier.n_outputs, program.detector.n_outputs
    (3, 1)
    """

    classifier: NetworkProgram
    detector: NetworkProgram
    limits: GuardLimits
    refused_label: Any

    def __post_init__(self) -> None:
        for name, kind in (("classifier", Classification), ("detector", OutlierDetection)):
            task = getattr(self, name).task
            if not isinstance(task, kind):
                raise ValueError(
                    f"{name} must be a program for {kind.__name__}, not {type(task).__name__}"
                )
        columns = self.classifier.n_features_in_, self.detector.n_features_in_
        if columns[0] != columns[1]:
            raise ValueError(
                f"detector must have the classifier's {columns[0]} columns, not {columns[1]}"
            )

    def save(self, path: str | Path) -> None:
        """Write both programs and the limits to one file.

        Parameters
        ----------
        path : str or Path
            File to write; customarily it ends in ``.zip``.
        """
        label = self.refused_label
        entry = {
            "version": VERSION,
            "limits": dataclasses.asdict(self.limits),
            "refused_label": label.item() if isinstance(label, np.generic) else label,
        }
        with tempfile.TemporaryDirectory() as folder, binary_file(path) as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, program in zip(_PARTS, (self.classifier, self.detector)):
                    program.save(Path(folder) / name)
                    archive.write(Path(folder) / name, name)
                archive.writestr("guard.json", json.dumps(entry))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        GuardedProgram
            The same as before.

        Raises
        ------
        OSError
            If it can't be read.
        ProgramFileError
            If it is damaged, is something else, or was written by a later version.
        """
        with readable_file(path) as file:
            content = io.BytesIO(file.read())
        try:
            return cls(*_read(content, path))
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
            raise ProgramFileError(
                f"{path} is no file of a guarded classifier that GuardedProgram.save has written: "
                f"{error}"
            ) from error


def _read(content: io.BytesIO, path) -> tuple[NetworkProgram, NetworkProgram, GuardLimits, Any]:
    programs = []
    with zipfile.ZipFile(content) as archive, tempfile.TemporaryDirectory() as folder:
        for name in (*_PARTS, "guard.json"):
            if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{name} is compressed")
            if archive.getinfo(name).file_size > _MOST_PART:
                raise ValueError(f"{name} has more than {_MOST_PART} bytes")
        entry = json.loads(archive.read("guard.json"))
        if entry["version"] > VERSION:
            raise ValueError(
                f"it has version {entry['version']}, of which this version of tensorspin knows "
                f"{VERSION}: update tensorspin"
            )
        for name in _PARTS:
            part = Path(folder) / name
            part.write_bytes(archive.read(name))
            programs.append(NetworkProgram.load(part))
    limits = GuardLimits(**{name: float(value) for name, value in entry["limits"].items()})
    label = entry["refused_label"]
    if not isinstance(label, int | float | str):
        raise ValueError(f"refused_label must be a number or a text, not {label!r}")
    return programs[0], programs[1], limits, checked_label(label, programs[0].classes)
