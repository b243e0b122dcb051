"""How large a model in a file may be, checked before memory is taken for it.

A file's first line announces how many variables its model has, and each of them takes memory, named
by an entry or not. A damaged file, or one that somebody has made for this purpose, announces any
number in a few bytes.
"""

from __future__ import annotations

from .errors import DataError

MOST_VARIABLES = 1_000_000
"""Greatest number of variables of a model in a file. So many take about 600 MB as a dimod model."""

MOST_ISOLATED = 100_000
"""Greatest number of variables that no entry of a file needs to name. Beyond it, the memory that a
model takes is in proportion to the file's entries; up to it, it is about 60 MB at most."""

NAMED = 2
"""Greatest number of variables that one entry of a file names."""


def check_variables(source: object, variables: int, entries: int) -> None:
    """Refuse a number of variables before anything is allocated for them.

    Parameters
    ----------
    source : str or Path
        The file, for the message.
    variables : int
        Number of variables that the file announces.
    entries : int
        Number of entries that the file really has, not only announces: couplings, linear terms or
        edges, each of which names `NAMED` variables at most.

    Raises
    ------
    DataError
        If there are more variables than `MOST_VARIABLES`, or more than `MOST_ISOLATED` beyond those
        that the entries can name; the message names the number and the limit.

    Examples
    --------
    >>> check_variables("model.txt", variables=100_000, entries=1)
    >>> check_variables("model.txt", variables=999_999, entries=1)
    Traceback (most recent call last):
        ...
    tensorspin.data.errors.DataError: model.txt announces 999999 variables, but its 1 entries name \
2 at most, and 100000 more are the limit; number the variables without gaps
    """
    if variables > MOST_VARIABLES:
        raise DataError(f"{source} announces {variables} variables; {MOST_VARIABLES} are the limit")
    if variables > MOST_ISOLATED + NAMED * entries:
        raise DataError(
            f"{source} announces {variables} variables, but its {entries} entries name "
            f"{NAMED * entries} at most, and {MOST_ISOLATED} more are the limit; number the "
            f"variables without gaps"
        )
