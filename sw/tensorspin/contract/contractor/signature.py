"""The signature of a run: a checksum over the words of the program that a contractor has read.

A run reads each word of its program once, in order. A contractor with `ContractorSize.signature`
computes the signature of these words meanwhile (`tensorspin.contract.signature`).

The signature that is expected stands behind the program: in the low bits of the word that a run has
before it when the last weight has been taken. So it takes no cycle to read it, and no register to
keep it. It stands there with its halves swapped, so that no bit is compared with one that may have
changed together with its neighbour in the word before. An ACTIVATE with
`tensorspin.contract.wire.packets.SIGNED` says that it stands there.

Of a protected program (`protection`) the signature covers what a run uses of the words, `used`: the
corrected headers without their checks, and the corrected weights without theirs. So a change that
is corrected is none for the signature, and any other is found. The signature itself stands
there in protected form, so that a changed bit of it is corrected, too.

Bits of a word that are a multiple of 32 apart, of which a signature may miss a pair, stand in
different blocks of memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..signature import SIGNATURE_BITS, START, fold, signature
from .memory import word_stride_bits
from .program import HEADER_BYTES, Node, is_protected
from .protection import DECODED_WEIGHTS, correct_header, protect_number, read_number


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
