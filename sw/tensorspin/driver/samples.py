"""Samples on their way to an engine that gives scores, and its replies."""

from __future__ import annotations

import numpy as np

from ..contract.contractor.results import ContractorResults
from ..contract.fixed import LEVEL
from ..contract.wire.packets import RESULT
from ..errors import LinkError

_RESULT_FIELDS = ("exponent", "class", "cycles")
"""Names for the fields of `RESULT`, in its order."""


def check_levels(levels: np.ndarray, features: int) -> np.ndarray:
    """Return levels as a contiguous array of uint8.

    Parameters
    ----------
    levels : ndarray of int
        Levels as a user gives them.
    features : int
        Features of a sample.

    Returns
    -------
    ndarray of uint8 of shape (n_samples, features)
        The levels.

    Raises
    ------
    ValueError, TypeError
        If they have another shape, type or range.
    """
    levels = np.asarray(levels)
    if levels.ndim != 2 or levels.shape[1] != features:
        advice = "; for one sample, levels[np.newaxis]" if levels.shape == (features,) else ""
        raise ValueError(
            f"levels must have shape (n, {features}), one column a feature of the program, not "
            f"{levels.shape}{advice}"
        )
    if levels.dtype != np.uint8:
        if not np.issubdtype(levels.dtype, np.integer):
            raise TypeError(
                f"levels must be integers {LEVEL.minimum}..{LEVEL.maximum}, not {levels.dtype}"
            )
        outside = (levels < LEVEL.minimum) | (levels > LEVEL.maximum)
        if outside.any():
            sample, feature = np.argwhere(outside)[0]
            raise ValueError(
                f"levels must be {LEVEL.minimum}..{LEVEL.maximum}; sample {sample}, feature "
                f"{feature} has {levels[sample, feature]}"
            )
    return np.ascontiguousarray(levels, dtype=np.uint8)


def unpack_results(replies: np.ndarray, outputs: int) -> ContractorResults:
    """Split replies, as `tensorspin.contract.wire.packets.PacketType.RUN` lays them out.

    Parameters
    ----------
    replies : ndarray of uint8 of shape (n_samples, reply_bytes)
        Payloads of the replies after the status byte.
    outputs : int
        Number of scores of a sample.

    Returns
    -------
    ContractorResults
        What the replies say.
    """
    codes = RESULT.format
    layout = np.dtype(
        [("scores", "<i2", (outputs,))]
        + [(name, codes[0] + code) for name, code in zip(_RESULT_FIELDS, codes[1:])]
    )
    # A view reads all replies at once: they are packed records of this layout.
    fields = replies.view(layout)[:, 0]
    return ContractorResults(
        fields["scores"].astype(np.int16),
        fields["exponent"].astype(np.uint16),
        fields["class"].astype(np.int64),
        fields["cycles"].astype(np.int64),
    )


def check_classes(results: ContractorResults, url: str) -> None:
    """Refuse results whose scores contradict what the device says of them.

    Parameters
    ----------
    results : ContractorResults
        The results.
    url : str
        The device, for the message.

    Raises
    ------
    LinkError
        If the device says of another score than the greatest that it is the greatest.
    """
    wrong = np.flatnonzero(results.classes != results.scores.argmax(axis=1))
    if not len(wrong):
        return
    sample = int(wrong[0])
    raise LinkError(
        f"the device at {url} says that score {results.classes[sample]} of sample {sample} is the "
        f"greatest of {results.scores[sample].tolist()}; does its bitstream belong to this driver?"
    )
