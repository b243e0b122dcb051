"""A program as a classifier of the Adversarial Robustness Toolbox, which cross-checks attacks."""

from __future__ import annotations

import numpy as np
from art.estimators import BaseEstimator, LossGradientsMixin
from art.estimators.classification import ClassifierMixin

from tensorspin.trust.subject import Subject


class ProgramClassifier(ClassifierMixin, LossGradientsMixin, BaseEstimator):
    """The smooth function of a program, of samples whose columns are scaled to 0 to 1."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(model=subject.program, clip_values=(0.0, 1.0))
        self._subject = subject
        self.nb_classes = subject.program.n_outputs

    @property
    def input_shape(self):
        return (len(self._subject.span),)

    def fit(self, x, y, **kwargs):
        raise NotImplementedError

    def _scores(self, x):
        subject = self._subject
        X = np.clip(np.asarray(x, dtype=np.float64), 0, 1) * subject.span + subject.lower
        gradient, scores = subject.program.input_gradient(X, return_scores=True)
        norm = np.linalg.norm(scores, axis=1, keepdims=True)
        unit = scores / norm
        across = gradient - np.einsum("so,sp,spf->sof", unit, unit, gradient)
        return unit, across / norm[:, :, None] * subject.span

    def predict(self, x, batch_size=128, **kwargs):
        unit, _ = self._scores(x)
        logits = np.exp(5 * unit)
        return logits / logits.sum(axis=1, keepdims=True)

    def loss_gradient(self, x, y, **kwargs):
        """Derivative of the cross entropy."""
        _, gradient = self._scores(x)
        wrong = self.predict(x) - y
        return (5 * np.einsum("so,sof->sf", wrong, gradient)).astype(np.float32)
