"""Files that dimod's binary quadratic models write of themselves.

dimod's own reader trusts them: it takes memory for variables that only a damaged number names, or
writes beyond the memory that it has, which ends the process without an exception.
"""

from __future__ import annotations

import io
from itertools import pairwise

import dimod
import numpy as np
from dimod.binary.binary_quadratic_model import BQM_MAGIC_PREFIX
from dimod.serialization.fileview import read_header

from .errors import DataError
from .limits import check_variables

PREFIX = BQM_MAGIC_PREFIX
"""First bytes of every file that dimod.BinaryQuadraticModel.to_file writes."""

_DTYPES = {"dtype": "f", "itype": "iu", "ntype": "iu"}
"""Types that a header names, of coefficients, of variables and of places of their neighbours, and
the kinds of NumPy type that each of them may have."""


def read_dimod(path: object, content: bytes) -> dimod.BinaryQuadraticModel:
    """Read what dimod.BinaryQuadraticModel.to_file writes, after a check of all its numbers.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    content : bytes
        Its content.

    Returns
    -------
    dimod.BinaryQuadraticModel
        The model.

    Raises
    ------
    DataError
        If the content is damaged, or something else.

    Examples
    --------
    >>> import dimod
    >>> bqm = dimod.BinaryQuadraticModel.from_ising({"a": 1.0}, {("a", "b"): -1.0})
    >>> read_dimod("model.bqm", bqm.to_file().read()) == bqm
    True
    """
    # Files of dimod's other models are archives, which dimod expands without a limit.
    if not content.startswith(PREFIX):
        raise DataError(f"{path} is no binary quadratic model that dimod has written")
    try:
        _check(path, content)
        return dimod.BinaryQuadraticModel.from_file(content)
    except DataError:
        raise
    except Exception as error:
        # A damaged file makes numpy, json or dimod raise one of many exceptions that have no base
        # class in common.
        raise DataError(f"{path} is no model of dimod: {error}") from error


def _check(path: object, content: bytes) -> None:
    """Refuse a file whose lists of neighbours are not those of a model of its size."""
    file = io.BytesIO(content)
    header = read_header(file, PREFIX).data
    variables, interactions = (_count(each) for each in header["shape"])
    bias, outer, place = (np.dtype(header[name]) for name in _DTYPES)
    for found, (name, kinds) in zip((bias, outer, place), _DTYPES.items()):
        if found.kind not in kinds:
            raise ValueError(f"its {name} is {found}")
    first = file.tell() + bias.itemsize  # behind the offset
    # Each variable has a row, so a file that really has them is large enough for its variables.
    linear = np.dtype([("place", place), ("bias", bias)])
    rows = np.frombuffer(content, linear, variables, first)
    check_variables(path, variables, max(interactions, variables))
    neighbours = np.dtype([("variable", outer), ("bias", bias)])
    table = np.frombuffer(content, neighbours, 2 * interactions, first + rows.nbytes)
    # Numbers without a sign are compared as they are: as signed ones they might become negative.
    begins = [*rows["place"].tolist(), 2 * interactions]
    if variables and begins[0] != 0 or any(end < begin for begin, end in pairwise(begins)):
        raise ValueError("its lists of neighbours do not follow each other")
    others = table["variable"]
    if len(others) and not (0 <= int(others.min()) and int(others.max()) < variables):
        raise ValueError(f"it names a variable that is none of its {variables}")
    # dimod finds the variables before each one by bisection, and adds them in this order.
    lengths = [end - begin for begin, end in pairwise(begins)]
    owner = np.repeat(np.arange(variables), lengths)
    same = owner[1:] == owner[:-1]
    wide = others.astype(np.int64)
    if np.any(same & (wide[1:] <= wide[:-1])) or np.any(wide == owner):
        raise ValueError("its lists of neighbours are not in order")


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"its size is {value!r}")
    return value
