"""The trainings of an ensemble: to validate its networks, and of those that are kept."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone

from ..errors import CapacityWarning
from ..progress import progress_over
from .classifier import NetworkClassifier
from .ensemble_validation import Validation
from .weighting import Samples

REFIT_SAMPLES = 3000
"""Most samples with which the networks that are kept are trained anew with all of them. With more,
those that were held out would add little, and the training would take nearly twice the time."""


@dataclass(frozen=True)
class TrainingData:
    """Samples that train and validate an ensemble.

    Parameters
    ----------
    samples : Samples
        The samples as the networks are given them.
    classes : ndarray of shape (n_classes,)
        The class labels, sorted.
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's class.
    weights : None or ndarray of float64 of shape (n_samples,)
        How much each sample counts, its class included.
    """

    samples: Samples
    classes: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None


@dataclass
class EnsembleTraining:
    """Trains the networks of an ensemble.

    Parameters
    ----------
    candidates : mapping of str to NetworkClassifier
        The networks by name, not fitted; they stay so.
    data : TrainingData
        The samples.
    parts : sequence of ndarray of bool of shape (n_samples,)
        The samples that are held out, one part after the other, see `validation_parts`.
    coded : object
        The categories of the columns, as each network gets them.
    verbose : bool
        Whether to show a progress bar.

    Attributes
    ----------
    fitted : dict of str to NetworkClassifier
        The networks of the last training.
    failures : dict of str to str
        Why the trainings of others diverged.
    """

    candidates: Mapping[str, NetworkClassifier]
    data: TrainingData
    parts: Sequence[np.ndarray]
    coded: object
    verbose: bool
    fitted: dict[str, NetworkClassifier] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._refits = bool(self.parts) and len(self.data.samples) <= REFIT_SAMPLES
        rounds = max(len(self.parts), 1) + self._refits
        trainings = range(len(self.candidates) * rounds)
        self._progress: Iterator[int] = iter(
            progress_over(trainings, "training", "network") if self.verbose else trainings
        )

    @property
    def temperature(self) -> float:
        """Mean temperature of the fitted networks."""
        return float(np.mean([member.temperature_ for member in self.fitted.values()]))

    def validate(self) -> Validation | None:
        """Train all networks without the samples that are held out, and let them predict these.

        Returns
        -------
        Validation or None
            What they predicted; None if no samples are held out: the networks are then trained
            with all.

        Raises
        ------
        FloatingPointError
            If all trainings diverge.
        """
        samples = self.data.samples
        if not self.parts:
            self._fit(self.candidates, samples)
            return None
        shape = len(samples), len(self.data.classes)
        logits = {name: np.zeros(shape) for name in self.candidates}
        for held in self.parts:
            # What has diverged once is not tried again.
            left = {name: self.candidates[name] for name in self.fitted or self.candidates}
            self._fit(left, samples.take(~held))
            for name, member in self.fitted.items():
                logits[name][held] = member._logits(samples.X[held])
        seen = np.any(self.parts, axis=0)
        weights = self.data.weights
        return Validation(
            {name: logits[name][seen] for name in self.fitted},
            self.data.labels[seen],
            None if weights is None else weights[seen],
            self.temperature,
        )

    def finish(self, names: Sequence[str]) -> list[str]:
        """Train those networks anew that are kept, if the samples are few.

        Parameters
        ----------
        names : sequence of str
            The networks that are kept.

        Returns
        -------
        list of str
            Those of them whose training did not diverge.
        """
        if self._refits:
            self._fit({name: self.candidates[name] for name in names}, self.data.samples)
        for _ in self._progress:  # networks that were not kept need no second training
            pass
        return [name for name in names if name in self.fitted]

    def _fit(self, candidates: Mapping[str, NetworkClassifier], samples: Samples) -> None:
        """Train networks; those whose training diverges are left out."""
        self.fitted, failure = {}, None
        for name, member in candidates.items():
            next(self._progress)
            try:
                with warnings.catch_warnings():
                    # Whether the ensemble fits is another question than whether a member does.
                    warnings.simplefilter("ignore", CapacityWarning)
                    network = clone(member)
                    network._coded = self.coded
                    self.fitted[name] = network.fit(samples.X, samples.y, samples.weights)
            except FloatingPointError as error:
                failure = error
                self.failures[name] = str(error)
        if failure is not None and not self.fitted:
            raise failure
