"""Two programs at a time: the halves of a contractor's memories.

Where `ContractorSize.resident` is 1, the program memory and the feature table are two halves each:
the top bit of an address says which. Each half holds a program with its own feature table, and is
to that program what the memories of a contractor for one program are, `half_size`: a run reads the
words of its half alone, and one that goes past the half's end begins anew with the half's first
word, and has no scores.

A run uses the half that the last ACTIVATE has chosen (`packets.SECOND`). The device keeps for each
half one bit, whether it holds a whole model: an ACTIVATE sets it, with `packets.STANDBY` also for
the half that does not run; a WRITE to the half clears it, and so does a run that finds the half's
program corrupt. What else the device must know of a program, an ACTIVATE tells it: the number of
features, whether the program is signed, its digest. So an ACTIVATE is all that it takes to go from
one program to the other, and with `packets.SWAP` it is refused if the other half has lost its
program.

A WRITE leaves the other half's model alone. So while samples are run with one half, a new program
can be written to the other: requests are executed in their order, the WRITEs between the runs, and
no sample is refused meanwhile.

A sample whose levels are the same to both programs, such as one for a classifier and for the
detector that guards it, need not be sent twice. After an ACTIVATE with `packets.BOTH` the samples
of each run stay where they are when the half has contracted them, and are contracted by the other
half; the reply to a RUN has both results, in this order. The two programs are then one model: they
have as many features, and both are signed or neither is, as that ACTIVATE says; a run without
scores of one of the two gives none of the other; a WRITE to either half makes the model inactive;
and if a run finds one program corrupt, neither half counts as whole any more. Each program has at
most `BOTH_OUTPUTS` scores, or there are none.
"""

from __future__ import annotations

from dataclasses import replace

from ..wire.packets import RESULT
from .memory import MANTISSA_BYTES, MemorySpace
from .program import MAX_OUTPUTS
from .size import ContractorSize

BOTH_OUTPUTS = MAX_OUTPUTS // 2
"""Scores that a program may have where the reply to a RUN has those of both: the results of two
programs take the place of one's."""


def both_reply_bytes(outputs: tuple[int, int]) -> int:
    """Give the length of the reply to a RUN that both halves contract.

    Parameters
    ----------
    outputs : (int, int)
        Scores of the program that comes first, and of the other one.

    Returns
    -------
    int
        Bytes of the payload, with the status.

    Examples
    --------
    >>> both_reply_bytes((10, 1))
    39
    """
    return 1 + sum(MANTISSA_BYTES * each + RESULT.size for each in outputs)


def half_size(size: ContractorSize) -> ContractorSize:
    """Give the size of a contractor that has what one program can use, and no more.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the contractor.

    Returns
    -------
    ContractorSize
        The same, for one program.

    Examples
    --------
    >>> from tensorspin.contract.contractor import ContractorSize, MemorySpace
    >>> size = ContractorSize(8, 512, 16, 2, 4, 8, resident=1)
    >>> [each.space_bytes(MemorySpace.PROGRAM) for each in (size, half_size(size))]
    [8192, 4096]
    """
    return replace(size, resident=0)


def half_base(size: ContractorSize, space: MemorySpace, half: int) -> int:
    """Give the first byte address of a half.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the contractor.
    space : MemorySpace
        The memory.
    half : int
        0 or 1; only 0 if there are no halves.

    Returns
    -------
    int
        The address.

    Examples
    --------
    >>> from tensorspin.contract.contractor import ContractorSize, MemorySpace
    >>> half_base(ContractorSize(8, 512, 16, 2, 4, 8, resident=1), MemorySpace.PROGRAM, 1)
    4096
    """
    return half * half_size(size).space_bytes(space)


def half_bit(size: ContractorSize, space: MemorySpace) -> int:
    """Give the bit of a byte address that says which half it is in.

    Parameters
    ----------
    size : ContractorSize
        Parameters of a contractor whose memories have halves.
    space : MemorySpace
        The memory.

    Returns
    -------
    int
        The bit's number. With `ContractorSize.table_parity` the feature table's addresses have a
        bit above it (`tensorspin.contract.contractor.memory`).
    """
    return half_base(size, space, 1).bit_length() - 1
