"""Which bits a program uses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.contractor.image import read_image
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import HEADER_BYTES
from tensorspin.trust.memory_map import MemoryMap, Region

from ..support.loaded_programs import chain_program


def narrowed(program):
    """The same program with every other node of 4 bits."""
    nodes = tuple(
        dataclasses.replace(node, narrow=bool(place % 2))
        for place, node in enumerate(program.nodes)
    )
    weights = tuple(
        (weight // 16 * 16).astype(np.int8) if node.narrow else weight
        for node, weight in zip(nodes, program.weights)
    )
    return dataclasses.replace(program, nodes=nodes, weights=weights)


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("change", [lambda program: program, narrowed])
def test_every_byte_belongs_to_what_it_changes(lanes, change):
    program = change(chain_program(5, 3, 9))
    image = program.image(lanes)
    used = MemoryMap.of(program, lanes)
    nodes, weights = read_image(image, lanes)
    assert len(used.headers) == HEADER_BYTES * len(nodes)
    addresses = [*used.headers.tolist(), *used.weights.tolist()]
    assert len(set(addresses)) == len(addresses)
    owner = dict(zip(used.weights.tolist(), used.owners.tolist()))
    for address in range(len(image)):
        if address in set(used.headers.tolist()):
            continue
        flipped = bytearray(image)
        flipped[address] ^= 0x88
        _, changed = read_image(bytes(flipped), lanes)
        touched = [k for k, (a, b) in enumerate(zip(weights, changed)) if (a != b).any()]
        assert touched == ([owner[address]] if address in owner else [])


def test_bits_are_drawn_from_their_region_and_none_twice():
    program = chain_program(4, 3, 4)
    used = MemoryMap.of(program, 8)
    assert used.bits == sum(map(used.count, Region))
    every = used.faults(10**9, np.random.default_rng(0))
    assert len(set(every)) == len(every) == used.bits
    for region in Region:
        found = used.faults(30, np.random.default_rng(0), region)
        assert len(set(found)) == 30
        spaces = {fault.space for fault in found}
        table = region is Region.TABLE
        assert spaces == {MemorySpace.TABLE if table else MemorySpace.PROGRAM}
        if not table:
            places = used.headers if region is Region.HEADERS else used.weights
            assert {fault.address for fault in found} <= set(places.tolist())
