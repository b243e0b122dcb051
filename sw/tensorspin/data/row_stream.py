"""Samples one after the other, from a table of any length, for a program that was trained before.

A batch is made of what has arrived: where rows come slowly, as from a sensor, each gets its answer
at once; where they come fast, as from a file, batches are as large as the consumer allows.
"""

from __future__ import annotations

import csv
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import isfinite, nan, prod
from pathlib import Path

import numpy as np

from ..archives import read_arrays
from .checks import is_missing
from .column_names import described
from .columns import Columns
from .csv_files import has_header, names_of_columns
from .datasets import FEATURE_RANGES, NAMES, load_named
from .errors import DataError
from .known_columns import Known, check_categorical, match_columns
from .npz_files import MOST_BYTES
from .reading import (
    Numbers,
    Reading,
    as_number,
    is_number,
    leading_comments,
    recognise_separator,
    separator_line,
    split_lines,
)
from .text_lines import STANDARD_INPUT, TextLines, open_lines

_logger = logging.getLogger(__name__)

MOST_ROWS = 4096
"""Most samples of a batch, whatever the consumer allows."""

_SAMPLE_LINES = 64
"""Lines by which separator, names and columns are recognised, if so many have arrived."""

_ARRAYS = ("X", "X_train", "X_test", "arr_0")
"""Arrays of an archive that may hold samples: ``X`` or the only one of numpy.savez, or else those
of a data set to train with, one after the other."""


@dataclass(frozen=True)
class Batch:
    """Some samples.

    Parameters
    ----------
    first : int
        Number of the first sample in the source, from 0.
    X : ndarray of float64 or object of shape (n_samples, n_features)
        The samples, at least one: float64, or objects if some features hold words.
    places : list of str
        Where each sample stands in the source, for messages.
    """

    first: int
    X: np.ndarray
    places: list[str]


class RowStream:
    """Iterates over batches of samples.

    Parameters
    ----------
    rows : iterator of (str, list of float)
        Where each sample stands, and its features. An error ends the batch before it, and is
        raised after that.
    more : callable
        Tells whether the next sample is there without waiting.
    words : bool
        Whether some features hold words.

    Attributes
    ----------
    most : int
        Most samples of the next batch; the consumer may change it.
    """

    def __init__(self, rows, more, words: bool = False) -> None:
        self.most = MOST_ROWS
        self._kind = object if words else np.float64
        self._rows = rows
        self._more = more

    def __iter__(self) -> Iterator[Batch]:
        count = 0
        failure: Exception | None = None
        ended = False
        while not ended:
            places: list[str] = []
            samples: list[list[float]] = []
            while len(samples) < min(self.most, MOST_ROWS):
                try:
                    place, sample = next(self._rows)
                except StopIteration:
                    ended = True
                    break
                except (DataError, OSError) as error:
                    ended, failure = True, error
                    break
                places.append(place)
                samples.append(sample)
                if not self._more():
                    break
            if samples:
                yield Batch(count, np.array(samples, dtype=self._kind), places)
                count += len(samples)
        if failure is not None:
            raise failure


@contextmanager
def open_rows(source: str, reading: Reading, known: Known) -> Iterator[RowStream]:
    """Open the samples of a source, labelled or not.

    Parameters
    ----------
    source : str
        A name of `tensorspin.data.datasets.NAMES`, a ``.npz`` or ``.npy`` file, a table of text, or
        ``-`` for a table on standard input.
    reading : Reading
        What the user says of a table of text.
    known : Known
        What the program expects.

    Yields
    ------
    RowStream
        The samples, in their order.

    Raises
    ------
    DataError
        If the source cannot be read, or lacks features. A sample that cannot be read raises it
        when those before it have been given.
    """
    path = Path(source)
    if source in NAMES or (source != STANDARD_INPUT and path.suffix in (".npz", ".npy")):
        for name, value in reading.given().items():
            raise ValueError(f"{name} {value!r} is for .csv files, not for {source!r}")
        X = load_named(source)[0] if source in FEATURE_RANGES or source in NAMES else _array(path)
        if X.shape[1] != known.features:
            raise DataError(
                f"{source} has {X.shape[1]} features a sample; the program needs {known.features}"
            )
        check_categorical(source, None, range(known.features), known.features, known, reading)
        yield RowStream(_array_rows(source, X, known), lambda: True)
        return
    if source != STANDARD_INPUT and not path.exists():
        raise DataError(
            f"{source!r} is neither a .npz, .npy or .csv file nor one of {', '.join(NAMES)}"
        )
    try:
        with open_lines(source) as lines:
            rows = _text_rows(lines, reading, known)
            next(rows)  # it begins with what may be wrong with the table as a whole
            yield RowStream(rows, lambda: lines.waiting, words=bool(known.words))
    except OSError as error:
        if error.filename is None:
            raise
        raise DataError(f"{source} can't be read: {error.strerror}") from error


def _text_rows(lines: TextLines, reading: Reading, known: Known) -> Iterator[tuple[str, list]]:
    """Give nothing once the columns are known, then the place and features of each sample."""
    first = [line for line in lines.look(_SAMPLE_LINES) if line.strip()]
    if not first:
        yield "", []
        deque(lines, maxlen=0)  # blank lines, and the fault of the text if it has one
        return
    separator = reading.separator
    said = separator_line(first[0])
    if said is not None:
        while separator_line(next(lines)) is None:
            pass  # a blank line
        separator = separator or said
        first = [line for line in lines.look(_SAMPLE_LINES) if line.strip()] or [""]
    if separator is None:
        expected = () if known.names else (known.features, known.features + 1)
        table = [line for line in first if not line.startswith("#")]
        separator = recognise_separator(table or first, expected)
    rows = _numbered_rows(lines, separator)
    comments = leading_comments(row for row in _split(first, separator) if any(row))
    if comments:
        deque(islice(rows, comments), maxlen=0)
        first = [line for line in lines.look(_SAMPLE_LINES) if line.strip()]
    names = None
    header = _header(lines.name, first, separator, reading, known)
    if header:
        names = next(rows)[1]
        first = [line for line in lines.look(_SAMPLE_LINES) if line.strip()]
    sampled = [row for row in _split(first, separator) if any(row)]
    if not sampled:
        yield "", []
        return
    sampled = [row for row in sampled if len(row) == len(sampled[0])]
    columns = len(sampled[0])
    if names is not None:
        names = names_of_columns(lines.name, (1, names), [(0, row) for row in sampled], columns)
    chosen = match_columns(lines.name, names, sampled, known, reading)
    _tell(lines.name, chosen, names, columns, known)
    yield "", []
    numbers = Numbers(reading.decimal, separator)
    for line, cells in rows:
        place = f"{lines.name}, line {line}"
        if len(cells) != columns:
            raise DataError(f"{place}: it has {len(cells)} columns, not {columns}")
        yield (
            place,
            [
                _value(cells[column], feature, known, numbers, place, column, names)
                for feature, column in enumerate(chosen.features)
            ],
        )


def _value(
    cell: str,
    feature: int,
    known: Known,
    numbers: Numbers,
    place: str,
    column: int,
    names: list[str] | None,
) -> float | str | None:
    """Read the cell of a feature: a number, or a word; None or NaN if it may be missing."""
    words = feature in known.words
    if is_missing(cell):
        if feature in known.gaps:
            return None if words else nan
    elif words:
        return cell
    number = None if words else numbers.read(cell)
    if number is None or not isfinite(number):
        what = "a finite number" if number is not None else "a word" if words else "a number"
        hint = numbers.advice(cell)
        if is_missing(cell):
            hint = "; fill it in or remove the line, or train with --missing level"
        name = f" {names[column]!r}" if names is not None else ""
        raise DataError(f"{place}: column {column}{name} is {cell!r}, not {what}{hint}")
    return number


def _header(where: str, first: list[str], separator: str, reading: Reading, known: Known) -> bool:
    """Decide whether the first line holds names, by the lines that have arrived."""
    rows = [(1, row) for row in _split(first, separator) if any(row)]
    if not rows:
        return False
    cells = rows[0][1]
    if reading.header == "auto":
        named = {cells[0].removeprefix("#").strip(), *cells}
        if known.names is not None and set(known.names) <= named:
            return True
        words = [cell for cell in cells if not is_number(cell)]
        classes = known.classes or ()
        if len(rows) == 1 and len(words) == 1 and words[0] == cells[-1] and len(cells) > 2:
            running = [as_number(cell) for cell in cells[:-1]]
            if running in (list(range(len(running))), list(range(1, len(running) + 1))):
                if words[0] not in classes:
                    raise DataError(
                        f"{where}: line 1 may hold numbers of columns or a sample; say which: "
                        f"--header yes or --header no"
                    )
    return has_header(where, rows, reading.header, labelled=len(cells) != known.features)


def _tell(where: str, chosen: Columns, names: list[str] | None, columns: int, known: Known) -> None:
    by_name = names is not None and known.names is not None
    if known.names is not None and names is None:
        _logger.info("%s has no names of columns; features are taken by their places", where)
    ignored = sorted(set(range(columns)) - set(chosen.features))
    _logger.debug(
        "%s: features are columns %s, by %s", where, chosen.features, "name" if by_name else "place"
    )
    if ignored:
        shown = "; ".join(described(place, names, columns) for place in ignored[:5])
        more = f" and {len(ignored) - 5} more" if len(ignored) > 5 else ""
        _logger.info("%s: not used: %s%s", where, shown, more)


def _split(lines: list[str], separator: str) -> list[list[str]]:
    rows = []
    try:
        for row in split_lines(lines, separator):
            rows.append(row)
    except csv.Error:
        pass  # it is reported when the line is read
    return rows


def _numbered_rows(lines: TextLines, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Give the cells of each line that is not blank, with its number."""
    line = lines.number + 1
    try:
        for cells in split_lines(lines, separator):
            if any(cells) or (len(cells) > 1 and separator != " "):
                yield line, cells
            line = lines.number + 1
    except csv.Error as error:
        raise DataError(
            f"{lines.name}, line {line}: {error}; is a quotation mark never closed?"
        ) from error


def _array_rows(source: str, X: np.ndarray, known: Known) -> Iterator[tuple[str, np.ndarray]]:
    for number, row in enumerate(X):
        row = np.asarray(row, dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(row))
        if len(bad) and known.gaps:
            bad = bad[[each not in known.gaps or not np.isnan(row[each]) for each in bad]]
        if len(bad):
            raise DataError(
                f"{source}, row {number}: feature {bad[0]} is {row[bad[0]]}; fill in or remove "
                f"what is missing"
            )
        yield f"{source}, row {number}", row


def _array(path: Path) -> np.ndarray:
    """Return the samples of an archive or of a single array; images become rows of pixels."""
    try:
        if path.suffix == ".npy":
            # The file is mapped, not read, so that it may be larger than the memory.
            found = {"": np.load(path, mmap_mode="r", allow_pickle=False)}
        else:
            with open(path, "rb") as file:
                found = read_arrays(file, _ARRAYS, MOST_BYTES)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error
    except Exception as error:
        # A damaged archive makes numpy, zipfile or zlib raise one of many exceptions.
        raise DataError(f"{path} can't be read: {error}") from error
    arrays = [found.get(name) for name in ("", "X", "arr_0") if name in found]
    arrays = arrays[:1] or [found[name] for name in ("X_train", "X_test") if name in found]
    if not arrays:
        raise DataError(f"{path} has none of the arrays {', '.join(_ARRAYS)}, which hold samples")
    rows = []
    for X in arrays:
        if X is None or X.ndim < 2 or X.dtype.kind not in "biuf":
            shape = None if X is None else (X.shape, str(X.dtype))
            raise DataError(f"{path} must hold real numbers in rows, not {shape}")
        rows.append(X.reshape(len(X), prod(X.shape[1:])))  # -1 is not known of no samples
    if len({X.shape[1] for X in rows}) > 1:
        raise DataError(f"{path}: X_train and X_test have different numbers of features")
    return rows[0] if len(rows) == 1 else np.concatenate(rows)
