"""Which bits of a device's memories a program uses, and for what."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..contract.contractor.memory import MemorySpace, word_stride_bits
from ..contract.contractor.program import HEADER_BYTES
from .faults import Fault


class Region(enum.StrEnum):
    """What a byte of a memory is for."""

    HEADERS = "headers"
    """Sizes, places and order of the nodes."""
    WEIGHTS = "weights"
    """Weights of the nodes."""
    TABLE = "feature table"
    """Vectors of the levels of features."""


@dataclass(frozen=True)
class MemoryMap:
    """The bytes that a program uses.

    Parameters
    ----------
    headers, weights : ndarray of int of shape (n_bytes,)
        Addresses in the program memory.
    owners : ndarray of int of shape (n_weight_bytes,)
        The node to which each byte of `weights` belongs, from 0.
    table_bytes : int
        Bytes of the feature table, from address 0 on.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.trust.memory_map import MemoryMap, Region
    >>> model = MPSClassifier(4, epochs=1, random_state=0).fit(*load_iris(return_X_y=True))
    >>> used = MemoryMap.of(model.quantize(), lanes=8)
    >>> used.bits == sum(map(used.count, Region))
    True
    """

    headers: np.ndarray
    weights: np.ndarray
    owners: np.ndarray
    table_bytes: int

    @classmethod
    def of(cls, program: NetworkProgram, lanes: int) -> MemoryMap:
        """Find the bytes of a program.

        Parameters
        ----------
        program : NetworkProgram
            The program.
        lanes : int
            Lanes of the contractor, ``board.info.contractor.lanes``.

        Returns
        -------
        MemoryMap
            Its bytes. Lanes that hold no weight of an output are left out.
        """
        stride = 1 << word_stride_bits(lanes)
        nodes = program.nodes
        headers, weights, owners = [], [], []
        word = 0

        def header(index: int) -> None:
            nonlocal word
            if index < len(nodes):
                headers.append(word * stride + np.arange(HEADER_BYTES))
                word += 1

        header(0)
        header(1)
        for index, node in enumerate(nodes):
            for outputs in node.blocks(lanes):
                rows = word + np.arange(node.block_words)
                places = rows[:, None] * stride + np.arange(outputs)
                weights.append(places.ravel())
                owners.append(np.full(places.size, index))
                word += node.block_words
            header(index + 2)
        joined = [np.concatenate(each) for each in (headers, weights, owners)]
        return cls(joined[0], joined[1], joined[2], len(program.table_bytes()))

    @property
    def bits(self) -> int:
        """Number of bits in use, of both memories."""
        return 8 * (len(self.headers) + len(self.weights) + self.table_bytes)

    def count(self, region: Region) -> int:
        """Count the bits of a region."""
        if region is Region.TABLE:
            return 8 * self.table_bytes
        return 8 * len(self.headers if region is Region.HEADERS else self.weights)

    def faults(
        self, n_faults: int, rng: np.random.Generator, region: Region | None = None
    ) -> list[Fault]:
        """Draw bits, each with the same probability, none twice.

        Parameters
        ----------
        n_faults : int
            Number of bits; no more than there are bits are drawn.
        rng : Generator
            Where they come from.
        region : Region, optional
            Where they are; by default anywhere.

        Returns
        -------
        list of Fault
            The bits.
        """
        regions = list(Region) if region is None else [region]
        counts = np.cumsum([self.count(each) for each in regions])
        total = int(counts[-1])
        places = rng.choice(total, min(n_faults, total), replace=False)
        found = []
        for place in places.tolist():
            which = int(np.searchsorted(counts, place, side="right"))
            offset = place - (int(counts[which - 1]) if which else 0)
            found.append(self._fault(regions[which], *divmod(offset, 8)))
        return found

    def _fault(self, region: Region, byte: int, bit: int) -> Fault:
        if region is Region.TABLE:
            return Fault(MemorySpace.TABLE, byte, bit)
        addresses = self.headers if region is Region.HEADERS else self.weights
        return Fault(MemorySpace.PROGRAM, int(addresses[byte]), bit)
