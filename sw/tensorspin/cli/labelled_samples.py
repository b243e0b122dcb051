"""Samples for commands that look at outliers, too, and which of them are outliers."""

from __future__ import annotations

import logging
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from .given_files import SAMPLES, kind_of_file
from .quality import inlier_label
from .reading_options import known_of, reading_of
from .report import Line
from .run import chosen_samples

_logger = logging.getLogger(__name__)


def add_inlier_option(parser) -> None:
    """Add ``--inlier`` to a command's parser; `outliers_of` reads it."""
    parser.add_argument(
        "--inlier",
        metavar="LABEL",
        help="label of samples that are no outliers; by default recognised, as tensorspin run does",
    )


def samples_of(program, options) -> tuple[np.ndarray, np.ndarray, list[Line]]:
    """Read samples; arrays without targets are taken whole, as by ``tensorspin predict``.

    Parameters
    ----------
    program : NetworkProgram
        The program, which tells what columns there must be.
    options : argparse.Namespace
        ``data``, ``all``, ``samples``, and the options of `add_reading_options`.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,) or (0,)
        Targets, if there are any.
    lines : list of Line
        Which samples they are.
    """
    from ..compiler.outputs import OutlierDetection
    from ..data.row_stream import open_rows

    path = Path(options.data)
    alone = path.suffix == ".npy" and path.exists()
    if path.suffix == ".npz" and path.exists() and isinstance(program.task, OutlierDetection):
        if kind_of_file(path) == SAMPLES:
            with ZipFile(path) as archive:
                alone = not {"y.npy", "y_train.npy"} & set(archive.namelist())
    if not alone:
        return chosen_samples(program, options)
    with open_rows(options.data, reading_of(options), known_of(program)) as rows:
        X = np.concatenate([batch.X for batch in rows])
    return X, np.empty(0), [Line("rows", {"used": f"all {len(X)}", "numbers": None})]


def outliers_of(y: np.ndarray, inlier: str | None) -> np.ndarray | None:
    """Tell from labels which samples are outliers.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (0,)
        Labels, if there are any.
    inlier : str or None
        What ``--inlier`` says.

    Returns
    -------
    ndarray of bool of shape (n_samples,) or None
        Whether each sample is an outlier; None if there are no labels.

    Raises
    ------
    ValueError
        If the label of inliers is none of the labels.
    """
    if not len(y):
        if inlier is not None:
            raise ValueError(f"--inlier {inlier} is given, and the data have no labels")
        return None
    if inlier is None:
        found = inlier_label(y)
        _logger.info("inliers are taken to be labelled %r; --inlier names another label", found)
        return y != found
    texts = np.array([str(label) for label in y.tolist()])
    numbers = np.array([_number(text) for text in texts])
    same = (texts == inlier) | (numbers == _number(inlier))
    if not same.any():
        known = ", ".join(sorted(set(texts.tolist()))[:10])
        raise ValueError(f"--inlier must be one of the labels, {known}, not {inlier!r}")
    return ~same


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
