"""Replies to samples that both halves of a contractor's memories contract."""

from __future__ import annotations

from collections.abc import Sequence

from ...contract.wire.packets import Status
from ..engine import LateReply


def joined(first: Sequence[LateReply], second: Sequence[LateReply]) -> list[LateReply]:
    """Make one reply of two: there are no scores of one half alone.

    Parameters
    ----------
    first, second : sequence of LateReply
        Replies of the half that comes first and of the other one, each as if it were alone.

    Returns
    -------
    list of LateReply
        A reply for each sample. From the first one on that has no scores, none has any.

    Examples
    --------
    >>> right, wrong = LateReply(Status.OK, b"ab", 100), LateReply(Status.CORRUPT, b"", 90)
    >>> [each.payload for each in joined([right, right, right], [right, wrong, right])]
    [b'abab', b'', b'']
    """
    status, replies = Status.OK, []
    for each, other in zip(first, second):
        if status is Status.OK:
            status = other.status if each.status is Status.OK else each.status
        scores = each.payload + other.payload if status is Status.OK else b""
        replies.append(LateReply(status, scores, each.cycles + other.cycles))
    return replies
