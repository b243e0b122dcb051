"""Signatures: checksums over words that an engine reads, which host and gateware compute alike.

A signature is the state of a register of multiple inputs: a *cellular automaton* of
`SIGNATURE_BITS` cells, into which each word is added. The next state of a cell is the sum modulo 2
of its two neighbours (rule 90), where `RULES` has a bit also of its own state (rule 150), and of
the bits of the word whose number modulo 32 is its own. The cells beyond both ends are 0.
Hortensius, McLeod and Card describe such automata in "Cellular automata-based signature analysis
for built-in self-test", IEEE Transactions on Computers 39 (1990).

What a signature finds follows from the automaton, and `tests/contract/test_signature.py` computes
it: each change of one bit; each change of two bits in different words, if none of them lie more
than 16,384 words apart; each change of two bits in one word, but for those that are a multiple of
32 bits apart; and of all other changes all but one of 2**32. The polynomial of the automaton is
primitive.

`tensorspin.contract.contractor.signature` has what a run of the contractor reads, and
`tensorspin.contract.annealer.signature` what is checked after a run of the annealer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

SIGNATURE_BITS = 32
"""Bits of a signature."""

START = (1 << SIGNATURE_BITS) - 1
"""State before the first word."""

RULES = 0x80080011
"""Cells whose own state counts, a bit each."""


def next_state(state: int, word: int) -> int:
    """Compute the signature of one word more.

    Parameters
    ----------
    state : int
        Signature of the words before.
    word : int
        The word, folded to `SIGNATURE_BITS` bits.

    Returns
    -------
    int
        The signature.

    Examples
    --------
    >>> hex(next_state(START, 0))
    '0x80010'
    """
    return (state << 1 ^ state >> 1 ^ state & RULES) & START ^ word


def fold(words: np.ndarray) -> np.ndarray:
    """Add the parts of `SIGNATURE_BITS` bits of each word, modulo 2.

    Parameters
    ----------
    words : ndarray of uint8 of shape (n_words, lanes)
        Words of the program memory.

    Returns
    -------
    ndarray of uint32 of shape (n_words,)
        The folded words.

    Examples
    --------
    >>> fold(np.array([[1, 0, 0, 0, 3, 0, 0, 128, 4]], dtype=np.uint8))
    array([2147483654], dtype=uint32)
    """
    part = SIGNATURE_BITS // 8
    padded = np.zeros((len(words), -(-words.shape[1] // part) * part), dtype=np.uint8)
    padded[:, : words.shape[1]] = words
    return np.bitwise_xor.reduce(padded.view("<u4"), axis=1).astype(np.uint32)


def signature(folded: Iterable[int]) -> int:
    """Compute the signature of words that are read in this order.

    Parameters
    ----------
    folded : iterable of int
        The words, as `fold` gives them.

    Returns
    -------
    int
        The signature.

    Examples
    --------
    >>> hex(signature([])), hex(signature([1, 2]))
    ('0xffffffff', '0x1c0039')
    """
    state = START
    for word in folded:
        state = next_state(state, word)
    return state
