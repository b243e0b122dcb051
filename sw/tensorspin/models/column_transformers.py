"""Fold a `ColumnTransformer` and an `OrdinalEncoder` at the beginning of a pipeline.

An encoder's table becomes the program's table of categories. What other transformers do to their
columns becomes layers: in each, every column passes one step or none.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.utils.validation import check_is_fitted

from ..compiler.categories import Categories, CategoryColumn
from .foldable import Step


@dataclass(frozen=True)
class Front:
    """What the first step of a pipeline does.

    Parameters
    ----------
    categories : Categories, optional
        The columns of words that it makes numbers of; None if there are none.
    steps : list of Step
        What it does to numbers.
    """

    categories: Categories | None
    steps: list[Step]


class Arrangement(Step):
    """A step that gives columns in another order, some of them perhaps more than once or never.

    Parameters
    ----------
    name : str
        Name for messages.
    kept : ndarray of int
        The columns that it gives.
    n_columns : int
        Number of columns that it takes.
    """

    accepts_nan = accepts_infinity = True

    def __init__(self, name: str, kept: np.ndarray, n_columns: int) -> None:
        self.name, self.kept, self.n_columns = name, kept, n_columns

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return the columns."""
        return X[:, self.kept]


class Layer(Step):
    """Steps side by side, each for some of the columns; other columns pass as they are.

    Parameters
    ----------
    name : str
        Name for messages.
    parts : sequence of (ndarray of int, Step)
        The columns of each step, and the step.
    n_columns : int
        Number of all columns.
    """

    kept = None

    def __init__(self, name: str, parts: Sequence[tuple[np.ndarray, Step]], n_columns: int) -> None:
        self.name, self.n_columns, self._parts = name, n_columns, parts
        self.accepts_nan, self.accepts_infinity, self.fills = (
            np.full(n_columns, value) for value in (True, True, False)
        )
        for columns, step in parts:
            self.accepts_nan[columns] = step.accepts_nan
            self.accepts_infinity[columns] = step.accepts_infinity
            self.fills[columns] = step.fills

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Transform all columns."""
        X = X.copy()
        for columns, step in self._parts:
            X[:, columns] = step(X[:, columns])
        return X

    def narrowed(self, columns: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return what the layer makes of some of its columns alone."""
        parts = []
        for taken, step in self._parts:
            places = {column: place for place, column in enumerate(taken.tolist())}
            here = np.array([place for place, each in enumerate(columns) if each in places], int)
            if len(here):
                inside = np.array([places[each] for each in columns[here].tolist()])
                parts.append((here, step.narrowed(inside)))

        def narrow(X: np.ndarray) -> np.ndarray:
            X = X.copy()
            for here, step in parts:
                X[:, here] = step(X[:, here])
            return X

        return narrow


def is_front(transformer: object) -> bool:
    """Tell whether a transformer is folded by this module, as the first step of a pipeline.

    Parameters
    ----------
    transformer : object
        A fitted transformer.

    Returns
    -------
    bool
        Whether it is a `ColumnTransformer` or an `OrdinalEncoder`.
    """
    return type(transformer) in (ColumnTransformer, OrdinalEncoder)


def front_of(name: str, transformer: Any) -> Front:
    """Take the first step of a pipeline apart.

    Parameters
    ----------
    name : str
        Its name in the pipeline, for messages.
    transformer : ColumnTransformer or OrdinalEncoder
        The fitted step.

    Returns
    -------
    Front
        What it does.

    Raises
    ------
    ValueError
        If it can't be folded; the message names the transformer.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.
    """
    check_is_fitted(transformer)
    n_columns = int(transformer.n_features_in_)
    described = f"step {name!r} ({type(transformer).__name__})"
    if isinstance(transformer, OrdinalEncoder):
        every = np.arange(n_columns)
        columns = _encoded(described, [transformer], every)
        return Front(Categories(n_columns, columns), [Arrangement(described, every, n_columns)])
    if transformer.transformer_weights is not None:
        raise ValueError(f"{described} can't be folded with transformer_weights")
    encoded: dict[int, CategoryColumn] = {}
    plain: set[int] = set()
    order: list[int] = []
    layers: list[list[tuple[np.ndarray, Step]]] = []
    for inner, branch, _ in transformer.transformers_:
        taken = transformer._transformer_to_input_indices[inner]
        if isinstance(branch, str) and branch == "drop" or not len(taken):
            continue
        places = np.arange(len(order), len(order) + len(taken))
        order += taken
        head, rest = _split(_steps_of(branch))
        label = f"{name}__{inner}"
        if head:
            found = _encoded(f"step {label!r}", head, np.array(taken))
            if (plain | encoded.keys()) & found.keys():
                raise ValueError(
                    f"step {label!r} (OrdinalEncoder) can't be folded: another transformer reads "
                    f"one of its columns, too"
                )
            encoded |= found
        elif encoded.keys() & set(taken):
            raise ValueError(
                f"step {label!r} can't be folded: an OrdinalEncoder reads one of its columns, too"
            )
        else:
            plain |= set(taken)
        for depth, each in enumerate(rest):
            step = Step(label, each)
            if step.kept is not None:
                raise ValueError(
                    f"{step.name} can't be folded inside of a ColumnTransformer: it selects columns"
                )
            layers += [[]] * (depth + 1 - len(layers))
            layers[depth] = [*layers[depth], (places, step)]
    steps: list[Step] = [Arrangement(described, np.array(order, dtype=int), n_columns)]
    steps += [Layer(described, layer, len(order)) for layer in layers]
    ignored = frozenset(range(n_columns)) - frozenset(order)
    categories = Categories(n_columns, encoded, ignored) if encoded or ignored else None
    return Front(categories, steps)


def _steps_of(branch: Any) -> list[Any]:
    """Return the steps of a branch that do something."""
    if isinstance(branch, Pipeline):
        return [step for _, each in branch.steps for step in _steps_of(each)]
    if branch is None or (isinstance(branch, str) and branch == "passthrough"):
        return []
    if type(branch) is FunctionTransformer and branch.func is None:
        return []
    return [branch]


def _split(steps: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the steps up to an encoder, if there is one behind imputers alone, and the others."""
    for place, step in enumerate(steps):
        if type(step) is OrdinalEncoder:
            return steps[: place + 1], steps[place + 1 :]
        if type(step) is not SimpleImputer or step.add_indicator:
            break
    return [], steps


def _encoded(name: str, head: list[Any], columns: np.ndarray) -> dict[int, CategoryColumn]:
    """Return the categories of an encoder's columns, and the number that stands for each."""
    encoder = head[-1]

    def numbers(rows: list[list[Any]]) -> np.ndarray:
        values: Any = np.array(rows, dtype=object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names, and of what is unknown
            for step in head:
                values = np.asarray(step.transform(values))
        return values.astype(np.float64)

    def number(row: list[Any], place: int, value: Any) -> float | None:
        try:
            return float(numbers([[*row[:place], value, *row[place + 1 :]]])[0, place])
        except (ValueError, TypeError):
            return None

    known = [
        [value for value in categories.tolist() if value is not None and value == value]
        for categories in encoder.categories_
    ]
    if not all(known):
        raise ValueError(f"{name} (OrdinalEncoder) can't be folded: a column has no categories")
    first = [values[0] for values in known]
    found = {}
    for place, (column, values) in enumerate(zip(columns.tolist(), known)):
        rows = [[*first[:place], value, *first[place + 1 :]] for value in values]
        texts = all(isinstance(value, str) for value in values)
        # No text of a user is that long, and no category infinite.
        strange = "\0" * 64 if texts else float(np.finfo(np.float64).max)
        try:
            found[column] = CategoryColumn(
                tuple(values if texts else map(float, values)),
                numbers(rows)[:, place],
                unknown=number(first, place, strange),
                missing=number(first, place, np.nan),
            )
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{name} (OrdinalEncoder) can't be folded: its column {place}: {error}"
            ) from error
    return found
