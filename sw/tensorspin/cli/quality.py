"""How good predictions are: lines of a report for classes, numbers and outliers."""

from __future__ import annotations

import numpy as np

from .report import Line

_INLIERS = ("normal", "inlier", "ok", "good", "benign", "nominal", "regular", "healthy")
"""Words, in lower case, with which data sets of anomalies label what is none."""


def class_lines(predictions, y, of: str = "") -> list[Line]:
    """Report the share of classes that are right.

    Parameters
    ----------
    predictions, y : array-like of shape (n_samples,)
        Predicted and true classes.
    of : str
        Which predictions these are, such as ``quantised``; it is added to the names of lines.

    Returns
    -------
    list of Line
        The accuracy.
    """
    accuracy = np.mean(np.asarray(predictions) == y)
    return [Line(_named("accuracy", of), accuracy, f"{accuracy:.2%}")]


def number_lines(predictions, y, of: str = "") -> list[Line]:
    """Report how far numbers are from the true ones.

    Parameters
    ----------
    predictions, y : array-like of float of shape (n_samples,)
        Predicted and true numbers.
    of : str
        Which predictions these are; it is added to the names of lines.

    Returns
    -------
    list of Line
        Root mean square error in the unit of the target, and R^2.
    """
    y = np.asarray(y, dtype=np.float64)
    squares, spread = np.mean((np.asarray(predictions) - y) ** 2), np.var(y)
    # R^2 is the share of the targets' variance that the predictions explain; targets that are all
    # the same have no variance.
    explained = 1 - squares / spread if spread > 0 else None
    root = np.sqrt(squares)
    key = f"r2_{of}" if of else "r2"
    return [
        Line(_named("root mean square error", of), root, f"{root:.6g}"),
        Line(_named("R^2", of), explained, "-" if explained is None else f"{explained:.4f}", key),
    ]


def outlier_lines(likelihoods, offset: float, y, of: str = "") -> list[Line]:
    """Report the share of outliers and, if samples are labelled, whether they are the right ones.

    Parameters
    ----------
    likelihoods : array-like of float of shape (n_samples,)
        Log-likelihood of each sample.
    offset : float
        Log-likelihood below which a sample is an outlier.
    y : array-like of shape (n_samples,) or (0,)
        Labels, if there are any.
    of : str
        Which predictions these are; it is added to the names of lines.

    Returns
    -------
    list of Line
        The share; the area under the ROC curve, and how many outliers are found.
    """
    likelihoods, y = np.asarray(likelihoods), np.asarray(y)
    outliers = likelihoods < offset
    share = np.mean(outliers)
    lines = [Line(_named("outliers", of), share, f"{share:.2%}")]
    if not len(y):
        return lines
    from sklearn.metrics import roc_auc_score

    inlier = inlier_label(y)
    true = y != inlier
    area = roc_auc_score(true, -likelihoods) if 0 < true.sum() < len(true) else None
    found, alarms = int(np.sum(outliers & true)), int(np.sum(outliers & ~true))
    key = f"outliers_found_{of}" if of else "outliers_found"
    return [
        *lines,
        Line(_named("AUC", of), area, "-" if area is None else f"{area:.4f}"),
        Line(
            _named("outliers found", of),
            {"found": found, "labelled": int(true.sum()), "false_alarms": alarms},
            f"{found} of {true.sum()}, {alarms} false alarms (inliers are labelled {inlier!r})",
            key,
        ),
    ]


def inlier_label(y: np.ndarray):
    """Return the label of what is no outlier.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels, at least one.

    Returns
    -------
    object
        A word such as "normal" if it is among the labels; 1 of the labels 1 and -1, as in
        scikit-learn; 0 of 0 and 1; otherwise the most frequent label.
    """
    labels, counts = np.unique(y, return_counts=True)
    values = labels.tolist()
    for value in values:
        if str(value).lower() in _INLIERS:
            return value
    if labels.dtype.kind in "biuf":
        if set(values) <= {-1, 1}:
            return 1
        if set(values) <= {0, 1}:
            return 0
    return values[int(np.argmax(counts))]


def as_numbers(y, where: str) -> np.ndarray:
    """Return targets as numbers.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Targets.
    where : str
        Where they are, for the message.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
        The numbers.

    Raises
    ------
    ValueError
        If they are no numbers.
    """
    from ..data.reading import as_number

    y = np.asarray(y)
    if y.dtype.kind == "U":
        for text in y.tolist():
            if as_number(text) is None:
                raise ValueError(
                    f"{where}: no number is {text!r}; choose another column with --target"
                )
    return y.astype(np.float64)


def _named(name: str, of: str) -> str:
    return f"{name}, {of}" if of else name


def match_labels(classes, y, source: str) -> np.ndarray:
    """Refuse data with labels that are none of the classes, of which each answer would be wrong.

    Parameters
    ----------
    classes : array-like of shape (n_classes,)
        Classes that can be predicted.
    y : array-like of shape (n_samples,)
        Label of each sample.
    source : str
        Name or file of the data, for the message.

    Returns
    -------
    ndarray of shape (n_samples,)
        The labels, of the type of the classes. Numbers are compared as text if the others are
        text: a file of which one label is a word has text labels, a part of it may have numbers.

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    classes, y = np.asarray(classes), np.asarray(y)
    known, labels = classes, y
    if (known.dtype.kind in "SU") != (labels.dtype.kind in "SU"):
        known, labels = known.astype(str), labels.astype(str)
    places = {label: place for place, label in enumerate(known.tolist())}
    unknown = np.unique(y[[label not in places for label in labels.tolist()]])
    if len(unknown):
        raise ValueError(
            f"{source}: the classes to predict are {_listed(np.unique(classes))}, the labels are "
            f"{_listed(np.unique(y))}; rename or remove {_listed(unknown)}, or train with data "
            f"that are labelled like these"
        )
    return classes[[places[label] for label in labels.tolist()]]


def _listed(labels: np.ndarray) -> str:
    """List the first ten labels; text is quoted, so that it differs from numbers."""
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    return ", ".join(map(repr, labels[:10].tolist())) + more
