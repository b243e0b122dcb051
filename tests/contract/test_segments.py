"""Builds that flip several spins in a turn: where variables and rows of couplings are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace, coupling_rows, space_bytes
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.segments import (
    bank_rows,
    bank_stride,
    memory_rows,
    offset_places,
    segment_bounds,
    spin_rows,
    variable_spins,
)
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.device.boards import BOARDS
from tensorspin.contract.device.description import DeviceDescription
from tests.support.annealer_sizes import SIZES

SIZES = [size for size in SIZES.values() if size.flips > 1]
ONE = AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8)


def job(size, variables, together=True, states=False, seed=0):
    rng = np.random.default_rng([seed, variables])
    couplings = np.triu(rng.integers(-1, 2, (variables, variables)), 1)
    couplings *= rng.random(couplings.shape) < 4 / variables
    problem = IsingProblem(size, couplings + couplings.T, rng.integers(-1, 2, variables))
    initial = rng.choice([-1, 1], (size.replicas, variables)) if states else None
    flips = size.flips if together else 1
    return AnnealJob(problem, schedule([3.0], 2, size), 1, 0, initial, None, flips).fit(size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.flips)
def test_variables_are_divided_evenly(size):
    for variables in range(1, size.spins + 1):
        spins = variable_spins(size, variables)
        assert len(set(spins.tolist())) == variables and np.all(np.diff(spins) > 0)
        counts = np.bincount(spins // size.segment, minlength=size.flips)
        assert np.ptp(counts) <= 1
        assert np.diff(segment_bounds(size, variables)).tolist() == counts.tolist()
        # The last spins of each segment: from its first variable on, all of them.
        for segment in range(size.flips):
            own = spins[spins // size.segment == segment] % size.segment
            assert own.tolist() == list(range(size.segment - len(own), size.segment))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.flips)
def test_no_row_has_two_uses_and_one_of_each_bank_has_none(size):
    rng = np.random.default_rng(1)
    for variables in rng.integers(1, size.spins + 1, 20):
        most = size.offset_rows + (size.spins - int(variables)) // size.flips * size.flips
        rows = spin_rows(size, variable_spins(size, int(variables))).tolist()
        rows += offset_places(size, most)
        assert len(set(rows)) == len(rows)
        assert max(rows) < memory_rows(size)
        assert all(row % bank_stride(size) < bank_rows(size) < bank_stride(size) for row in rows)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.flips)
def test_a_job_is_read_from_the_memories_as_it_was_packed(size, together):
    for variables in (1, 2, size.flips + 1, size.spins - 1, size.spins):
        packed = job(size, variables, together, states=variables % 2 == 0)
        memories = {}
        for space, words in packed.images().items():
            stride = 1 << (len(words[0]) - 1).bit_length()
            image = b"".join(word.ljust(stride, b"\0") for word in words)
            memories[space] = image.ljust(space_bytes(size, space), b"\0")
        memories.setdefault(AnnealerSpace.LADDER, bytes(space_bytes(size, AnnealerSpace.LADDER)))
        found = AnnealJob.unpack(size, packed.run_image(), memories)
        assert np.array_equal(found.problem.couplings, packed.problem.couplings)
        assert np.array_equal(found.problem.linear, packed.problem.linear)
        assert np.array_equal(found.start_states, packed.start_states)
        assert found.flips == packed.flips


def test_rows_of_a_bank_are_those_of_its_segment():
    size = replace(ONE, flips=2)
    packed = job(size, 15)
    rows = coupling_rows(packed.problem)
    # Variables 0 to 6 are in the first segment, spins 5 to 11; the others in spins 16 to 23.
    assert packed.problem.spins.tolist() == [*range(5, 12), *range(16, 24)]
    assert np.array_equal(rows[5:12][:, packed.problem.spins], packed.problem.couplings[:7])
    assert np.array_equal(
        rows[32 + 4 : 32 + 12][:, packed.problem.spins], packed.problem.couplings[7:]
    )


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"flips": 5}, "flips must be 1 to 4, not 5"),
        ({"flips": 0}, "flips must be 1 to 4, not 0"),
        ({"flips": 3, "spins": 25}, "spins must be a multiple of flips, which are 3, not 25"),
        ({"flips": 3}, "offset_rows must be a multiple of flips, which are 3, not 16"),
        ({"flips": 2, "spins": 64, "window": 8, "ring": 0}, "flips must be 1 with a window, not 2"),
    ],
)
def test_sizes_that_cannot_be_built(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(ONE, **changes)


@pytest.mark.parametrize("size, known", [(ONE, "1"), (replace(ONE, flips=4), "1 or 4")])
def test_a_job_flips_as_many_as_the_device_can_or_one(size, known):
    plain = job(size, 8)
    for flips in (0, 2, 3, 5):
        with pytest.raises(ValueError, match=f"flips must be {known} on this device, not {flips}"):
            replace(plain, flips=flips).fit(size)


def test_more_flips_than_one_make_the_longest_run_shorter():
    size = replace(ONE, flips=4)
    alone, together = (job(size, 24, several, states=True) for several in (False, True))
    assert together.most_cycles < alone.most_cycles
    assert together.least_cycles == alone.least_cycles
    assert together.fill_rounds == together.problem.offset_rows + 24 // 4 + 1


def test_a_device_with_one_flip_says_nothing_of_flips():
    """Devices that were built before there were flips are read, and described, as ever."""
    for name, row in BOARDS.items():
        if row.annealer and row.annealer.flips == 1 and not row.annealer.shared_sweeps:
            packed = row.description(bytes(8)).pack()
            more = replace(row, engines=row.engines.with_sizes(_several(row.annealer)))
            assert len(more.description(bytes(8)).pack()) == len(packed) + 4, name
            assert DeviceDescription.unpack(packed).annealer == row.annealer


def _several(size):
    """The size with two flips; its other numbers need not fit them."""
    other = replace(size)
    object.__setattr__(other, "flips", 2)
    return other


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.flips)
def test_a_device_with_several_flips_says_so(size):
    row = BOARDS["ulx3s_25f_annealer"]
    row = replace(row, engines=row.engines.with_sizes(size))
    assert DeviceDescription.unpack(row.description(bytes(8)).pack()).annealer == size
