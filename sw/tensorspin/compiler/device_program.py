"""The part of a program that a device holds: how large it is, and the bytes that are uploaded."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from ..contract.contractor.image import program_image
from ..contract.contractor.latency import SHORT, Pipeline
from ..contract.contractor.program import Node, is_protected
from ..contract.contractor.signature import signature_word
from ..contract.contractor.size import ContractorSize
from ..errors import CapacityError
from ..golden.contractor.cycles import cycle_count, multiply_accumulates
from ..golden.contractor.single import single_cycle_count
from .capacity import Demand, demands, program_words
from .once import computed_once


@dataclass(frozen=True, eq=False)  # arrays have no single answer; `digest` compares
class DeviceProgram:
    """Nodes, their weights and the feature table, which together are what a device is given.

    `tensorspin.compiler.NetworkProgram` adds to it what the host alone needs: how samples become
    levels, and what the scores mean.

    Parameters
    ----------
    nodes : tuple of Node
        The bilinear operations, in the order of their execution.
    weights : tuple of ndarray of int8 of shape (outputs, left.size, right.size)
        Weight tensor of each node.
    names : tuple of str
        Name of each node, for messages.
    table : ndarray of int16 of shape (components, 256)
        Feature table: the mantissas of each component for each level.
    """

    nodes: tuple[Node, ...] = field(repr=False)
    weights: tuple[np.ndarray, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    table: np.ndarray = field(repr=False)

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of features of a sample: the bytes that a device is sent for it."""

    @property
    def n_outputs(self) -> int:
        """Number of scores of a sample."""
        return self.nodes[-1].outputs

    @property
    def protected(self) -> bool:
        """Whether changed bits of its weights and headers are corrected on the way.

        Then it needs a device with `ContractorSize.protected`.
        """
        return is_protected(self.nodes)

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications by a weight that one sample needs."""
        return multiply_accumulates(self.nodes)

    @computed_once
    def words(self, lanes: int) -> int:
        """Count the words of program memory that the program takes.

        Parameters
        ----------
        lanes : int
            Lanes of the contractor: the multipliers that work on one sample. A word has a byte for
            each of them.

        Returns
        -------
        int
            Words of `lanes` bytes each.
        """
        return program_words(self.nodes, lanes)

    @computed_once
    def cycles(self, lanes: int, pipeline: Pipeline = SHORT) -> int:
        """Count the clock cycles of one sample.

        Parameters
        ----------
        lanes : int
            Lanes of the contractor.
        pipeline : Pipeline, default=SHORT
            Latencies of the contractor, `ContractorSize.latencies`.

        Returns
        -------
        int
            Cycles from the first read of the program to the last score; exact.
        """
        return cycle_count(self.nodes, lanes, pipeline)

    @computed_once
    def single_cycles(self, size: ContractorSize) -> int:
        """Count the clock cycles of one sample in single mode, where all groups work on it.

        Parameters
        ----------
        size : ContractorSize
            Size of the device's contractor, one that has the mode (`ContractorSize.single_drain`).

        Returns
        -------
        int
            Cycles from the first read of the program to the last score; exact.

        Raises
        ------
        ValueError
            If the contractor does not have the mode.
        """
        return single_cycle_count(self.nodes, size)

    def demands(self, size: ContractorSize) -> list[Demand]:
        """Compare what the program needs with what a device has.

        Parameters
        ----------
        size : ContractorSize
            Size of the device's contractor.

        Returns
        -------
        list of Demand
            One for each quantity of which a device has only so much.
        """
        return demands(self.nodes, self.names, self.n_features, len(self.table), size)

    @computed_once
    def check(self, size: ContractorSize) -> None:
        """Refuse a device that is too small.

        Parameters
        ----------
        size : ContractorSize
            Size of the device's contractor.

        Raises
        ------
        CapacityError
            With the quantity of which there is too little, the number needed and the limit.
        """
        for demand in self.demands(size):
            if not demand.fits:
                raise CapacityError(demand.what, demand.needed, demand.limit, demand.advice)

    @computed_once
    def image(self, lanes: int, signed: bool = False) -> bytes:
        """Lay the nodes out for the program memory.

        Parameters
        ----------
        lanes : int
            Lanes of the contractor, on which the order of the weights depends.
        signed : bool, default=False
            Whether the program's signature follows, in a word of its own, for a contractor with
            `ContractorSize.signature`.

        Returns
        -------
        bytes
            Content of `MemorySpace.PROGRAM` from address 0 on.
        """
        if signed:
            image = self.image(lanes)
            return image + signature_word(image, lanes, self.nodes)
        return program_image(self.nodes, self.weights, lanes)

    @computed_once
    def table_bytes(self) -> bytes:
        """Lay the feature table out for its memory.

        Returns
        -------
        bytes
            Content of `MemorySpace.TABLE` from address 0 on.
        """
        return self.table.astype("<i2").tobytes()

    @computed_once
    def digest(self, lanes: int, signed: bool = False) -> int:
        """Compute the number by which a device tells this program from another.

        Parameters
        ----------
        lanes : int
            Lanes of the contractor.
        signed : bool, default=False
            Whether the program is uploaded with its signature, as for `image`.

        Returns
        -------
        int
            CRC-32 of all that is uploaded.
        """
        features = self.n_features.to_bytes(2, "little")
        return zlib.crc32(self.image(lanes, signed) + self.table_bytes() + features)
