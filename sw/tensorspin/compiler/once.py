"""Objects that never change: their methods compute results once, their arrays are read-only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

_RESULTS = "_computed_once"
"""Name of the attribute in which an object keeps the results, by method and arguments."""

_Object = TypeVar("_Object")
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def computed_once(
    method: Callable[Concatenate[_Object, _Parameters], _Result],
) -> Callable[Concatenate[_Object, _Parameters], _Result]:
    """Make a method keep its result for each set of arguments.

    The object keeps the results in one further attribute. Copies and pickles should not carry it;
    `attributes_alone` leaves it out. An error is not kept.

    Parameters
    ----------
    method : callable
        A method whose result depends on nothing but its arguments, all hashable, and on what never
        changes in its object.

    Returns
    -------
    callable
        The method that keeps its results.
    """

    @wraps(method)
    def kept(self: _Object, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        results = vars(self).setdefault(_RESULTS, {})
        key = (method.__qualname__, args, *kwargs.items())
        if key not in results:
            results[key] = method(self, *args, **kwargs)
        return results[key]

    return kept


def attributes_alone(thing: object) -> dict[str, Any]:
    """Return an object's attributes without the results that it keeps, for ``__getstate__``."""
    return {name: value for name, value in vars(thing).items() if name != _RESULTS}


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a read-only copy of an array: nobody holds one through which it could be changed."""
    fixed = array.copy()
    fixed.flags.writeable = False
    return fixed
