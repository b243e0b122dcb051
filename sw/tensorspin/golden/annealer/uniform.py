"""Uniform random numbers of several runs, each of which takes its own as it needs them.

Most numbers are only compared with a limit. `UniformNumbers.samples` compares them as they come out
of the generators, with the bits of 64 cycles in one word, which takes a fraction of the time that
it takes to put numbers together first. `UniformNumbers.words` gives the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...contract.annealer.size import AnnealerSize
from ...contract.annealer.thresholds import WORDS, generators
from .generators import APART, BLOCK, COLUMNS, GoldenGenerator, words_of


class Digit(NamedTuple):
    """A binary digit that is 1 if a uniform number is below a limit.

    Parameters
    ----------
    place : int
        Place of the digit: its value is ``1 << place``.
    first : int
        The first number of a cycle that is compared with the limit.
    limit : int
        The limit.

    Examples
    --------
    >>> Digit(place=3, first=6, limit=1 << 15).place
    3
    """

    place: int
    first: int
    limit: int


class UniformNumbers:
    """Uniform numbers of several runs, of all generators of a build.

    Numbers are computed in blocks, of which only those are kept that some run has yet to use.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer. `AnnealerSize.samples` numbers are used of each cycle.
    seeds : ndarray of uint8 of shape (runs, generators, SEED_BYTES)
        Seeds of the generators.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> from tensorspin.contract.annealer.job import expand_seed
    >>> size = AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8)
    >>> numbers = UniformNumbers(size, expand_seed(1, size)[None])
    >>> begins = numbers.advance(np.array([10]))
    >>> numbers.words(begins, 10).shape
    (1, 10, 7)
    """

    def __init__(self, size: AnnealerSize, seeds: np.ndarray) -> None:
        self.runs = len(seeds)
        self._numbers = size.samples
        self._dtype = np.min_scalar_type((1 << len(size.sequences)) - 1)
        self._sources = [GoldenGenerator(i, seeds[:, i]) for i in range(generators(size))]
        self._blocks: list[_Block] = []
        self._version = 0  # changes whenever the blocks do
        self._place = np.zeros(self.runs, dtype=np.int64)
        # What has been computed of all blocks: by name, with key and version.
        self._joined: dict[Any, tuple[Any, np.ndarray]] = {}

    def advance(self, cycles: np.ndarray) -> np.ndarray:
        """Take the numbers of some cycles.

        Parameters
        ----------
        cycles : ndarray of int of shape (runs,)
            Number of cycles that each run takes.

        Returns
        -------
        ndarray of int of shape (runs,)
            First of the cycles, for `samples` and `words`; valid until `advance` is called again.
        """
        done = int(self._place.min()) // BLOCK
        if done:
            del self._blocks[:done]
            self._place -= done * BLOCK
            self._version += 1
        # As many are shown of each run as the one takes that takes most.
        while self._place.max() + cycles.max() > len(self._blocks) * BLOCK:
            self._blocks.append(_Block(self._draw()))
            self._version += 1
        begins = self._place.copy()
        self._place += cycles
        return begins

    def words(self, begins: np.ndarray, cycles: int) -> np.ndarray:
        """Show the numbers of some cycles.

        Parameters
        ----------
        begins : ndarray of int of shape (runs,)
            First cycle of each run, as `advance` gave it.
        cycles : int
            Number of cycles, of the run that has taken most of them.

        Returns
        -------
        ndarray of int32 of shape (runs, cycles, numbers)
            Uniform numbers of `WORD_BITS` bits.
        """
        return self._part("words", None, words_of, begins, cycles)

    def samples(
        self, stride: int, digits: Sequence[Digit], begins: np.ndarray, cycles: int
    ) -> np.ndarray:
        """Compare numbers of some cycles with limits.

        Parameters
        ----------
        stride : int
            Numbers of a cycle that are compared with each limit.
        digits : sequence of Digit
            The limits, and which numbers are compared with each.
        begins, cycles
            As for `words`.

        Returns
        -------
        ndarray of unsigned int of shape (runs, cycles, stride)
            Sums of the digits' values, for the first number of each digit, the second, and so on.
        """
        key = tuple(digits)

        def compare(bits: np.ndarray) -> np.ndarray:
            return _samples(bits, stride, key, self._dtype)

        return self._part(stride, key, compare, begins, cycles)

    def _draw(self) -> np.ndarray:
        """Compute the bits of the next block, with the numbers of all generators in a row."""
        parts = []
        for first, source in zip(range(0, self._numbers, WORDS), self._sources, strict=True):
            parts.append(source.bits(min(WORDS, self._numbers - first)))
        return np.concatenate(parts, axis=2)

    def _part(
        self,
        name: Any,
        key: Any,
        compute: Callable[[np.ndarray], np.ndarray],
        begins: np.ndarray,
        cycles: int,
    ) -> np.ndarray:
        """Cut some cycles out of what is computed of each block, once for a name and a key."""
        known, values = self._joined.get(name, (None, None))
        if values is None or known != (key, self._version):
            values = np.concatenate(
                [block.value(name, key, compute) for block in self._blocks], axis=1
            )
            self._joined[name] = (key, self._version), values
        _, length, numbers = values.shape
        places = (begins + np.arange(self.runs) * length) * numbers
        return cut(values, places, cycles * numbers).reshape(self.runs, cycles, numbers)


class _Block:
    """The bits of all numbers of `BLOCK` cycles, as `GoldenGenerator.bits` gives them."""

    def __init__(self, bits: np.ndarray) -> None:
        self._bits = bits
        self._values: dict[Any, tuple[Any, np.ndarray]] = {}

    def value(self, name: Any, key: Any, compute: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Give what a function makes of the bits; of each name, the last value is kept."""
        if name not in self._values or self._values[name][0] != key:
            self._values[name] = key, compute(self._bits)
        return self._values[name][1]


def _samples(bits: np.ndarray, stride: int, digits: Sequence[Digit], dtype: np.dtype) -> np.ndarray:
    """Compare the numbers of a block, as `UniformNumbers.samples` describes."""
    runs = bits.shape[-1]
    samples = np.zeros((APART, stride, runs, COLUMNS), dtype=dtype)
    for place, first, limit in digits:
        if limit > 0:
            less = below(bits[:, :, first : first + stride], limit)
            ones = np.unpackbits(less.view(np.uint8), axis=-1).reshape(samples.shape)
            samples |= np.left_shift(ones, place, dtype=dtype)
    # A column's cycles follow each other.
    return samples.transpose(2, 3, 0, 1).reshape(runs, BLOCK, stride)


def below(bits: np.ndarray, limit: int) -> np.ndarray:
    """Compare many numbers with a limit, bit by bit.

    Parameters
    ----------
    bits : ndarray of uint64 of shape (WORD_BITS, ...)
        Bit by bit, the lowest first, 64 numbers in each word.
    limit : int
        The limit.

    Returns
    -------
    ndarray of uint64 of shape (...)
        Whether each number is below the limit.

    Examples
    --------
    >>> bits = np.zeros((17, 1), dtype=np.uint64)
    >>> bits[0] = 0b10  # the numbers 0, 1, 0, 0, ...
    >>> [bin(~int(below(bits, limit)[0]) & 0b11) for limit in (0, 1, 2)]
    ['0b11', '0b10', '0b0']
    """
    if limit >> len(bits):  # greater than all numbers
        return np.full(bits.shape[1:], ~np.uint64(0))
    # Whether the bits seen so far, as a number, are at least those of the limit. A higher bit
    # decides if it differs from the limit's.
    reaches = np.full(bits.shape[1:], ~np.uint64(0))
    for place, bit in enumerate(bits):
        if limit >> place & 1:
            reaches &= bit
        else:
            reaches |= bit
    return ~reaches


def cut(values: np.ndarray, begins: np.ndarray, length: int) -> np.ndarray:
    """Copy parts of one length out of an array.

    Parameters
    ----------
    values : ndarray
        The array, which is contiguous.
    begins : ndarray of int of shape (parts,)
        First element of each part, in the flat array.
    length : int
        Number of elements of a part.

    Returns
    -------
    ndarray of shape (parts, length)
        The parts.

    Examples
    --------
    >>> cut(np.arange(9), np.array([0, 6]), 3).tolist()
    [[0, 1, 2], [6, 7, 8]]
    """
    parts, step = values.size - length + 1, values.itemsize
    every = np.lib.stride_tricks.as_strided(values, (parts, length), (step, step), writeable=False)
    return every[begins]
