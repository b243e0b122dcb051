"""Two programs that contract the same samples, on a contractor that holds both."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from ..contract.contractor.resident import BOTH_OUTPUTS
from ..contract.wire.packets import RESULT
from .link.requests import SCORE_BYTES

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram


def pair_digest(digests: tuple[int, int]) -> int:
    """Give the number by which a device tells two programs together from one of them.

    Parameters
    ----------
    digests : (int, int)
        The numbers by which it tells each.

    Returns
    -------
    int
        Their CRC-32.

    Examples
    --------
    >>> pair_digest((1, 2)) == pair_digest((2, 1))
    False
    """
    return zlib.crc32(struct.pack("<II", *digests))


def split_replies(replies: np.ndarray, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Take the replies to samples apart that two programs have contracted.

    Parameters
    ----------
    replies : ndarray of uint8 of shape (n_samples, reply_bytes)
        Payloads of the replies after the status byte.
    outputs : int
        Scores of the program that came first.

    Returns
    -------
    tuple of ndarray of uint8
        The replies of each program, as if it were alone.
    """
    place = first_words(outputs) * SCORE_BYTES
    first, second = np.split(replies, [place], axis=1)
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


def first_words(outputs: int) -> int:
    """Count the words of the first of two results, which are as large as scores.

    Parameters
    ----------
    outputs : int
        Its scores.

    Returns
    -------
    int
        The words.

    Examples
    --------
    >>> first_words(10)
    14
    """
    return outputs + RESULT.size // SCORE_BYTES


def pair_refusal(first: NetworkProgram, second: NetworkProgram) -> str | None:
    """Tell why two programs cannot contract the same samples.

    Parameters
    ----------
    first, second : NetworkProgram
        The programs.

    Returns
    -------
    str or None
        The reason; None if they can.
    """
    features = first.n_features, second.n_features
    if features[0] != features[1]:
        return f"the two programs have {features[0]} and {features[1]} features"
    outputs = max(first.n_outputs, second.n_outputs)
    if outputs > BOTH_OUTPUTS:
        return f"one of the two programs has {outputs} scores, and {BOTH_OUTPUTS} fit the reply"
    return None
