"""From the cells of a table to features: numbers, words and what is missing."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from .checks import check_finite, is_missing
from .column_names import described
from .columns import FEWEST_ROWS, Columns
from .errors import DataError
from .known_columns import Known
from .reading import Numbers, Reading, is_number, looks_like_number

_logger = logging.getLogger(__name__)


def read_features(
    path: Path,
    rows: list[tuple[int, list[str]]],
    columns: Columns,
    names: list[str] | None,
    numbers: Numbers,
    reading: Reading,
    known: Known | None,
) -> np.ndarray:
    """Read the features of all samples.

    Parameters
    ----------
    path : Path
        The file, for messages.
    rows : list of (int, list of str)
        Number of the line and cells of each sample.
    columns : Columns
        The column of each feature, and which features hold names, even if these are numbers.
    names : list of str, optional
        Names of the columns.
    numbers : Numbers
        Reads cells that hold numbers.
    reading : Reading
        Whether columns of words may be features, and whether features may be missing.
    known : Known, optional
        What a program that was trained before expects, which decides instead of `reading`.

    Returns
    -------
    ndarray of float64 or object of shape (n_samples, n_features)
        float64, with NaN for what is missing; or objects if some features hold words, with None
        where a word is missing.

    Raises
    ------
    DataError
        If a cell is not what its feature must be; the message names line and column.
    """
    places = columns.features
    features = range(len(places))
    if known is None:
        cells = [[row[place] for _, row in rows] for place in places]
        words = {each for each in features if reading.words and _are_words(cells[each])}
        words |= {each for each in features if places[each] in columns.categorical}
        gaps = set(features) if reading.missing else set()
        for feature in words:
            _tell_of_names(path, cells[feature], places[feature], names, len(rows[0][1]))
    else:
        words, gaps = set(known.words), set(known.gaps)
    X = np.empty((len(rows), len(places)), object if words else np.float64)
    for sample, (line, row) in enumerate(rows):
        for feature, place in enumerate(places):
            cell = row[place]
            if is_missing(cell) and feature in gaps:
                X[sample, feature] = None if feature in words else np.nan
                continue
            value: str | float | None = None
            if feature not in words:
                value = numbers.read(cell)
            elif not is_missing(cell):
                value = cell
            X[sample, feature] = value
            if value is None or (gaps and value != value):
                which = f"feature {feature} of sample {sample}"
                if place != feature or names is not None:
                    which += f" (line {line}, {described(place, names, len(row))})"
                hint = _advice(cell, place, rows, numbers, names, reading, known, sample)
                kind = "a word" if feature in words else "a number"
                kind = "a category" if place in columns.categorical else kind
                raise DataError(f"{path}: {which} is {cell!r}, not {kind}{hint}")
    alone = X if not words else np.zeros(X.shape)
    for feature in features:
        if words and feature not in words:
            alone[:, feature] = X[:, feature]
    # NaN in a feature that may have none was refused above, as a cell that is no number.
    check_finite(alone, str(path), missing=bool(gaps))
    return X


def _are_words(cells: list[str]) -> bool:
    """Tell whether a column holds words: nothing in it is a number, but something is there."""
    present = [cell for cell in cells if not is_missing(cell)]
    return bool(present) and not any(map(looks_like_number, present))


def _tell_of_names(
    path: Path, cells: list[str], place: int, names: list[str] | None, columns: int
) -> None:
    """Warn of a column of words that are all different: they may be names of the samples."""
    if len(cells) >= FEWEST_ROWS and len(set(cells)) == len(cells):
        _logger.warning(
            "%s: %s holds another word in each row, and is used as a feature; leave it out with "
            "--drop %d",
            path,
            described(place, names, columns),
            place,
        )


def _advice(
    cell: str,
    place: int,
    rows: list[tuple[int, list[str]]],
    numbers: Numbers,
    names: list[str] | None,
    reading: Reading,
    known: Known | None,
    sample: int,
) -> str:
    """Say what to do about a cell that is not what its feature must be."""
    if is_missing(cell):
        if known is not None:
            return "; fill it in, or train with --missing level"
        return "; fill it in, or use --missing level" if reading.words else ""
    hint = numbers.advice(cell)
    if hint or known is not None:
        return hint
    if all(not is_number(row[place]) for _, row in rows) and len(rows) > 1:
        return f"; if it is the class, use --target {place}, else --drop {place}"
    if sample == 0 and names is None:
        return "; if this line holds names, use --header yes"
    words = sum(not is_number(row[place]) for _, row in rows)
    if reading.words and 2 * words > len(rows):
        other = next(row[place] for _, row in rows if is_number(row[place]))
        return (
            f"; the column mixes words with numbers such as {other!r}: write all alike, or leave "
            f"it out with --drop {place}"
        )
    return ""
