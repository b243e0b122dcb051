"""The exception for files and names that hold no usable data."""

from __future__ import annotations

from ..errors import TensorspinError


class DataError(TensorspinError):
    """A data set or a model file cannot be read, or its content cannot be used.

    The message names the file, and where possible the sample, line or entry that is wrong.

    Examples
    --------
    >>> from tensorspin.data import DataError, load_samples
    >>> try:
    ...     load_samples("missing.csv")
    ... except DataError as error:
    ...     print(error)
    missing.csv can't be read: No such file or directory
    """
