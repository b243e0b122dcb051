"""Learn which columns hold categories, and the order of their levels.

A network is a smooth function of each feature's level, so neighbouring levels should mean about the
same: categories are ordered by the target's mean among the samples that have them. For one number
to predict, or two classes, no other order lets one threshold divide them better (Breiman et al.
1984, Classification and Regression Trees, theorem 4.5).
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..compiler.categories import MOST_CATEGORIES, Categories, CategoryColumn
from ..compiler.values import Column, is_gap, is_mark, is_real, named_column, table_columns

SMOOTHING = 10.0
"""Samples with the mean target of all that are added to those of each category: the mean of few
samples says little, and rare categories are put in the middle."""


def learn_categories(
    X, names: Sequence[str] | None, missing: bool, places: Collection[int] = ()
) -> tuple[Categories | None, dict[int, Column]]:
    """Find the columns of categories in the samples of a training, and the categories.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        A data frame, an array or a list of rows.
    names : sequence of str, optional
        Names of the columns, for messages.
    missing : bool
        Whether missing values, and categories that are not known here, have a level.
    places : collection of int
        Columns, by number from 0, that hold categories even if these are numbers.

    Returns
    -------
    categories : None or Categories
        The columns of categories; None if there are none. Categories have the numbers 0, 1 and so
        on in the order of the alphabet or of numbers, or in the order that the column declares.
    columns : dict of int to Column
        These columns, without their values: whether they declare their categories, and an order
        that means something and is to stay.

    Raises
    ------
    ValueError
        If a column mixes words and numbers, holds something else, or has too many categories: the
        message names it.
    """
    columns, kinds = {}, {}
    found = table_columns(X)
    otherwise = np.nan if missing else None
    for place, column in enumerate(found):
        values = _categories(column, named_column(place, names), place in places)
        if values is not None:
            numbers = np.arange(len(values), dtype=np.float64)
            columns[place] = CategoryColumn(tuple(values), numbers, otherwise, otherwise)
            kinds[place] = replace(column, values=column.values[:0])
    return (Categories(len(found), columns) if columns else None), kinds


def categorical_places(given: Any, n_columns: int, names: Sequence[str] | None) -> frozenset[int]:
    """Return the columns that the parameter `categorical_features` names.

    Parameters
    ----------
    given : None or array-like of int, str or bool
        Numbers from 0 or names of columns, or a mask with a bool for each.
    n_columns : int
        Number of columns.
    names : sequence of str, optional
        Names of the columns.

    Returns
    -------
    frozenset of int
        Their numbers.

    Raises
    ------
    ValueError
        If there is no such column, or `given` is none of these.
    """
    if given is None:
        return frozenset()
    wanted = np.asarray(given)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "biuOU"):
        raise ValueError(
            f"categorical_features must be a list of numbers or names of columns, or a mask, not "
            f"{reprlib.repr(given)}"
        )
    if wanted.dtype.kind == "b":
        if len(wanted) != n_columns:
            raise ValueError(
                f"categorical_features is a mask of {len(wanted)} columns, X has {n_columns}"
            )
        return frozenset(np.flatnonzero(wanted).tolist())
    return frozenset(_place(each, n_columns, names) for each in wanted.tolist())


def _place(wanted: object, n_columns: int, names: Sequence[str] | None) -> int:
    """Return the number of a column by its number or name."""
    if isinstance(wanted, str):
        if names is None or wanted not in names:
            known = "which has no names of columns" if names is None else f"which has {names}"
            raise ValueError(f"categorical_features names {wanted!r}, no column of X, {known}")
        return list(names).index(wanted)
    if type(wanted) is not int or not 0 <= wanted < n_columns:
        raise ValueError(
            f"categorical_features must name columns 0 to {n_columns - 1} of X, not {wanted!r}"
        )
    return wanted


def _categories(column: Column, place: str, given: bool) -> list | None:
    """Return the categories of a column in a first order; None if it holds numbers."""
    found: list
    if column.declared is not None:
        found = _declared(column, place)
    elif column.values.dtype.kind in "OUT":
        found = _of_objects(column, place, given)
    elif given and column.values.dtype.kind in "biuf":
        found = _of_numbers(column.values.tolist(), place)
    else:
        return None
    if len(found) > MOST_CATEGORIES:
        some = ", ".join(map(repr, found[:3]))
        raise ValueError(
            f"{place} has {len(found)} categories, such as {some}; at most {MOST_CATEGORIES} have "
            f"a level: leave the column out, or join rare categories"
        )
    return found or None


def _of_objects(column: Column, place: str, given: bool) -> list:
    """Return the categories of a column of objects or text; none if it holds numbers."""
    # The text "nan" is how NumPy and pandas write a missing value among words.
    present = [value for value in column.values.tolist() if not is_gap(value)]
    texts = dict.fromkeys(value for value in present if isinstance(value, str))
    words = sorted(text for text in texts if not is_real(text))
    others: list = [value for value in present if not isinstance(value, str)]
    if given and words and not others:
        return sorted(texts)  # such as the codes 7 and 7a
    others += [text for text in texts if is_real(text)]
    if words and others:
        raise ValueError(
            f"{place} mixes words such as {reprlib.repr(words[0])} with numbers such as "
            f"{reprlib.repr(others[0])}; write all of them alike, or convert the column by "
            f'astype(str).astype("category") if all of them are names'
        )
    # Numbers that are written as text are numbers. What is no number is refused as one.
    as_names = given and all(map(is_real, others))
    return _of_numbers(list(map(float, others)), place) if as_names and not words else words


def _of_numbers(values: list, place: str) -> list[float]:
    """Return the different numbers of a column whose numbers are names, in ascending order."""
    found = sorted({float(value) for value in values if value == value})
    if found and np.isinf([found[0], found[-1]]).any():
        raise ValueError(f"{place} has an infinity; a category must be finite")
    return found


def _declared(column: Column, place: str) -> list:
    """Return the categories that a column declares; of too many, those that it holds."""
    found = list(column.declared or ())
    if len(found) > MOST_CATEGORIES:
        seen = {value for value in column.values.tolist() if not is_mark(value)}
        found = [value for value in found if value in seen]
    if all(isinstance(value, str) for value in found):
        return found
    wrong = [value for value in found if isinstance(value, str) or not is_real(value)]
    if wrong:
        raise ValueError(
            f"{place} has the category {reprlib.repr(wrong[0])}; all must be words, or all numbers"
        )
    return [float(value) for value in found]


def category_order(
    codes: np.ndarray, count: int, targets: np.ndarray | None, weights: np.ndarray | None
) -> np.ndarray:
    """Order the categories of a column by the targets of its samples.

    Parameters
    ----------
    codes : ndarray of float of shape (n_samples,)
        The category of each sample, 0 to ``count - 1``; NaN where it is missing.
    count : int
        Number of categories.
    targets : None or ndarray of float of shape (n_samples, n_targets)
        What a sample's target is, in numbers. None: there is none, and frequent categories come
        first.
    weights : None or ndarray of float of shape (n_samples,)
        How much each sample counts; None: all the same.

    Returns
    -------
    ndarray of int of shape (count,)
        The categories, in their order. With more than one target they are ordered along the first
        principal component of their means.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.categories import category_order
    >>> codes = np.repeat([0.0, 1.0, 2.0], 20)
    >>> category_order(codes, 3, np.repeat([[5.0], [9.0], [1.0]], 20, axis=0), None).tolist()
    [2, 0, 1]
    """
    present = ~np.isnan(codes)
    places = codes[present].astype(np.intp)
    shares = np.ones(len(codes)) if weights is None else weights / weights.mean()
    shares = shares[present]
    counts = np.bincount(places, shares, minlength=count)
    if targets is None or not present.any():
        return np.argsort(-counts, kind="stable")
    targets = targets[present] - np.average(targets[present], axis=0, weights=shares)
    sums = np.stack(
        [np.bincount(places, shares * target, minlength=count) for target in targets.T], axis=1
    )
    means = sums / (counts + SMOOTHING)[:, None]
    scores = means[:, 0]
    if means.shape[1] > 1:
        axis = np.linalg.svd(means * np.sqrt(counts)[:, None], full_matrices=False)[2][0]
        # Either sign is a principal component.
        scores = means @ (axis * np.sign(axis[np.abs(axis).argmax()]))
    # Means that differ by rounding alone keep the order of the alphabet.
    return np.argsort(np.round(scores / max(np.abs(scores).max(), 1e-300), 12), kind="stable")
