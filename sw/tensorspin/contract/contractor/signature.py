"""The signature of a run: a checksum over the words of the program that a contractor has read.

A run reads each word of its program once, in order. A contractor with `ContractorSize.signature`
computes a signature of these words meanwhile, in a register of multiple inputs: a *cellular
automaton* of `SIGNATURE_BITS` cells, into which each word is added. The next state of a cell is the
sum modulo 2 of its two neighbours (rule 90), where `RULES` has a bit also of its own state (rule
150), and of the bits of the word whose number modulo 32 is its own. The cells beyond both ends are
0. Hortensius, McLeod and Card describe such automata in "Cellular automata-based signature analysis
for built-in self-test", IEEE Transactions on Computers 39 (1990).

The signature that is expected stands behind the program: in the low bits of the word that a run has
before it when the last weight has been taken. So it takes no cycle to read it, and no register to
keep it. It stands there with its halves swapped, so that no bit is compared with one that may have
changed together with its neighbour in the word before. An ACTIVATE with
`tensorspin.contract.wire.packets.SIGNED` says that it stands there.

Of a protected program (`protection`) the signature covers what a run uses of the words, `used`: the
corrected headers without their checks, and the corrected weights without theirs. So a change that
is corrected is none for the signature, and any other is found as above. The signature itself stands
there in protected form, so that a changed bit of it is corrected, too.

What the signature finds follows from the automaton, and `tests/contract/test_signature.py` computes
it: each change of one bit; each change of two bits in different words of a program, if none of them
lie more than 16,384 words apart; each change of two bits in one word, but for those that are a
multiple of 32 bits apart, which stand in different blocks of memory; and of all other changes all
but one of 2**32. The polynomial of the automaton is primitive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .memory import word_stride_bits
from .program import HEADER_BYTES, Node, is_protected
from .protection import DECODED_WEIGHTS, correct_header, protect_number, read_number

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


def swap_halves(value: int) -> int:
    """Swap the halves of a signature, as it stands behind a program, and back.

    Parameters
    ----------
    value : int
        `SIGNATURE_BITS` bits.

    Returns
    -------
    int
        The same with its halves swapped.

    Examples
    --------
    >>> hex(swap_halves(0x12345678))
    '0x56781234'
    """
    half = SIGNATURE_BITS // 2
    return (value << half | value >> half) & START


def used(words: np.ndarray, nodes: Sequence[Node]) -> np.ndarray:
    """Give what a run uses of the words of a protected program.

    Parameters
    ----------
    words : ndarray of uint8 of shape (n_words, lanes)
        The words, in the order in which they are read.
    nodes : sequence of Node
        The nodes whose headers and weights they are.

    Returns
    -------
    ndarray of uint8 of shape (n_words, lanes)
        The same, corrected and without checks.
    """
    found = words.copy()
    word = 0

    def header(index: int) -> None:
        nonlocal word
        if index < len(nodes):
            bits, _ = correct_header(int.from_bytes(words[word, :HEADER_BYTES].tobytes(), "little"))
            stored = bits.to_bytes(HEADER_BYTES, "little")
            found[word, :HEADER_BYTES] = np.frombuffer(stored, dtype=np.uint8)
            word += 1

    header(0)
    header(1)
    for index, node in enumerate(nodes):
        end = word + node.words(words.shape[1]) - 1
        if node.protected:
            found[word:end] = DECODED_WEIGHTS[words[word:end]].view(np.uint8)
        word = end
        header(index + 2)
    return found


def signature_word(image: bytes, lanes: int, nodes: Sequence[Node] = ()) -> bytes:
    """Make the word that stands behind a program.

    Parameters
    ----------
    image : bytes
        The program as `tensorspin.contract.contractor.image.program_image` lays it out.
    lanes : int
        Multiply-accumulators that work on one sample, and bytes of a word.
    nodes : sequence of Node
        The program. Needed only if it is protected.

    Returns
    -------
    bytes
        The word, with the unused addresses behind it.
    """
    stride = 1 << word_stride_bits(lanes)
    words = np.frombuffer(image, dtype=np.uint8).reshape(-1, stride)[:, :lanes]
    size = SIGNATURE_BITS // 8
    if is_protected(nodes):
        stored = swap_halves(signature(fold(used(words, nodes)).tolist()))
        return protect_number(stored, size).ljust(stride, b"\0")
    stored = swap_halves(signature(fold(words).tolist()))
    return stored.to_bytes(size, "little").ljust(stride, b"\0")


def stored_signature(word: np.ndarray, protected: bool = False) -> int:
    """Read the signature that stands behind a program.

    Parameters
    ----------
    word : ndarray of uint8 of shape (lanes,)
        The word.
    protected : bool, default=False
        Whether the program is protected.

    Returns
    -------
    int
        The signature.
    """
    size = SIGNATURE_BITS // 8
    if protected:
        return swap_halves(read_number(word[: 2 * size].tobytes()))
    return swap_halves(int.from_bytes(word[:size].tobytes(), "little"))
