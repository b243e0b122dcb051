"""The samples of ``tensorspin train``: what the files hold, and what suits the task."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .quality import as_numbers, match_labels
from .reading_options import reading_of

if TYPE_CHECKING:
    from ..data.datasets import Dataset


def training_data(options, task: str) -> Dataset:
    """Read the samples to train and to test with, with targets that suit the task.

    Parameters
    ----------
    options : argparse.Namespace
        The options of the command line.
    task : str
        What is to be learnt: one of `tensorspin.data.reading.TASKS`.

    Returns
    -------
    Dataset
        The samples.

    Raises
    ------
    ValueError
        If they can't be read, or don't suit the task.
    """
    from sklearn.utils.multiclass import type_of_target

    from ..data.datasets import Dataset, load_dataset, load_samples
    from ..data.text_lines import STANDARD_INPUT

    if options.data == options.test == STANDARD_INPUT:
        raise ValueError("standard input can be read only once: name a file for --test")
    reading = reading_of(options, task)
    if options.test is None:
        data = load_dataset(options.data, reading=reading)
    else:
        train, test = load_samples(options.data, reading=reading), _test(options, reading)
        if test.X.shape[1] != train.X.shape[1]:
            raise ValueError(
                f"{options.data} has {train.X.shape[1]} features a sample, {options.test} "
                f"{test.X.shape[1]}"
            )
        X_test = test.X
        if train.feature_names and test.feature_names and test.feature_names != train.feature_names:
            if sorted(test.feature_names) != sorted(train.feature_names):
                raise ValueError(f"{options.data} and {options.test} have different columns")
            X_test = X_test[:, [test.feature_names.index(name) for name in train.feature_names]]
        data = Dataset(
            train.X,
            train.y,
            X_test,
            test.y,
            train.feature_range,
            train.feature_names,
            train.target,
            train.categorical,
        )
    y_train, y_test = data.y_train, data.y_test
    if task == "numbers":
        place = data.target or options.data
        y_train = as_numbers(y_train, f"--estimator regressor predicts numbers, not {place}")
        y_test = as_numbers(y_test, f"--estimator regressor predicts numbers, not {place}")
    elif task == "classes":
        if type_of_target(y_train).startswith("continuous"):
            number = next(value for value in y_train.tolist() if value % 1)
            raise ValueError(
                f"Unknown label type: continuous; {data.target or options.data} has numbers such "
                f"as {number:g}, which are no classes: use --estimator regressor, or choose the "
                f"class with --target"
            )
        # A file's own held-out samples may be labelled otherwise.
        y_test = match_labels(np.unique(y_train), y_test, options.test or options.data)
    _check_words(data, options.missing == "level", options.test)
    return replace(data, y_train=y_train, y_test=y_test)


def _check_words(data: Dataset, may_be_unknown: bool, test: str | None) -> None:
    """Refuse a column of more words than there are levels, or of new ones to test with, by name."""
    from ..compiler.categories import MOST_CATEGORIES
    from ..data.errors import DataError

    for feature in range(data.X_train.shape[1]):
        given = feature in data.categorical
        if data.X_train.dtype != object and not given:
            continue
        words, tested = _names_in(data.X_train[:, feature], data.X_test[:, feature], given)
        name = f" ({data.feature_names[feature]!r})" if data.feature_names else ""
        if len(words) > MOST_CATEGORIES:
            what = "values" if given else "words"
            raise DataError(
                f"feature {feature}{name} has {len(words)} different {what}, such as "
                f"{min(words)!r}; at most {MOST_CATEGORIES} have a level: leave it out with --drop"
            )
        new = tested - words
        if words and new and not may_be_unknown:
            raise DataError(
                f"feature {feature}{name} is {min(new)!r} in {test or 'a sample'} to test with, "
                f"and in none to train with: use --missing level, which takes such words as "
                f"missing, leave the column out with --drop, or choose the samples to test with by "
                f"--test"
            )


def _names_in(train: np.ndarray, test: np.ndarray, given: bool) -> tuple[set[str], set[str]]:
    """Return the words in a column, or all its values if it is given as one of categories."""
    from ..data.reading import as_number

    def texts(column: np.ndarray) -> set[str]:
        values = [cell for cell in column.tolist() if cell is not None and cell == cell]
        return {str(value) for value in values if given or isinstance(value, str)}

    def plain(text: str) -> str:
        number = as_number(text)
        return text if number is None else str(number).removesuffix(".0")

    words, tested = texts(train), texts(test)
    if given and all(as_number(word) is not None for word in words):
        # Numbers are the same however they are written.
        return set(map(plain, words)), set(map(plain, tested))
    return words, tested


def _test(options, reading):
    """Read the samples to test with: of an archive, those that it holds out, if it does."""
    from ..data.datasets import load_samples

    samples = load_samples(options.test, reading=reading)
    if samples.held_out is None:
        return samples
    X, y = samples.held_out
    return replace(samples, X=X, y=y)
