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


class SplitError(DataError):
    """Samples are too few to hold some of them out, or too few of one class.

    Parameters
    ----------
    reason : str
        What is wrong, with the name of the samples.
    hint : str
        What to do about it when a model is trained; empty if there is nothing to say.

    Attributes
    ----------
    reason : str
        As given: what is wrong, for those who have other advice to give.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(f"{reason}; {hint}" if hint else reason)
        self.reason = reason
