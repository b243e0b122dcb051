"""Results that a problem does not use do not travel."""

from __future__ import annotations

from dataclasses import replace

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer.image import result_bytes, stride_bits
from tensorspin.contract.annealer.segments import variable_spins
from tensorspin.contract.device.boards import find_board
from tensorspin.driver.board import Board
from tensorspin.driver.results import GAP, result_ranges
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.sampling import BoardSampler

SIZES = [
    replace(find_board(f"ulx3s_{name}_annealer").require_annealer(), flips=flips, offset_rows=24)
    for name, flips in (("25f", 1), ("85f", 1), ("85f", 2), ("85f", 4))
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_all_used_bytes_are_in_the_ranges_and_gaps_pay(size, share):
    variables = size.spins - int(share * size.spins)
    ranges = result_ranges(size, variables)
    assert all(before[1] + GAP < after[0] for before, after in zip(ranges, ranges[1:]))
    read = {place for begin, end in ranges for place in range(begin, end)}
    block, header = 1 << stride_bits(result_bytes(size)), 13
    state = (result_bytes(size) - header) // 2
    for replica in range(size.replicas):
        used = list(range(header))
        for begin in (header, header + state):
            used += [begin + spin // 8 for spin in variable_spins(size, variables)]
        assert {replica * block + place for place in used} <= read
    assert max(read) < size.replicas * block


class CountingTransport(GoldenTransport):
    """Counts the bytes on the line from the device."""

    received = 0

    def read(self, timeout):
        data = super().read(timeout)
        self.received += len(data)
        return data


@pytest.mark.parametrize("size, most", zip(SIZES[:3], (920, 920, 1230)))
def test_a_small_model_is_read_in_few_bytes(size, most):
    """Whole blocks are 1,478 bytes on the line on the 25F, and 4,614 on the 85F.

    With two segments each state has its used bytes in two places.
    """
    row = find_board("ulx3s_25f_annealer")
    transport = CountingTransport(replace(row, engines=row.engines.with_sizes(size)))
    with Board.over(transport) as board:
        sampler, bqm = BoardSampler(board), dimod.generators.ran_r(1, 32, seed=1)
        options = {"num_sweeps": 20, "num_restarts": 1, "refine": None}
        sampler.sample(bqm, seed=1, **options)
        before = transport.received
        sampler.sample(bqm, seed=2, **options)
        assert 700 < transport.received - before <= most


@pytest.mark.parametrize("count", [2, 31, 32, 33, 250, 256])
def test_states_come_back_whatever_the_number_of_variables(count):
    """Their energies are checked by the driver, against those that the device states."""
    with Board.over(GoldenTransport(find_board("ulx3s_25f_annealer"))) as board:
        bqm = dimod.BinaryQuadraticModel({}, {(i, i + 1): -1.0 for i in range(count - 1)}, "SPIN")
        found = BoardSampler(board).sample(bqm, num_sweeps=5, seed=1, refine=None, num_reads=16)
    assert len(np.unique(found.record.sample, axis=0)) > 1
