"""Steps whose sweeps the replicas share: which devices and which jobs have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace, space_bytes
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import START, AnnealerSize, Exchange, Moving
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.tempering import ladder
from tensorspin.contract.device.boards import BOARDS
from tensorspin.contract.device.description import DeviceDescription

PLAIN = AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8)
SIZE = replace(PLAIN, shared_sweeps=1)


def job(size=SIZE, shared=True, states=None):
    problem = IsingProblem(size, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
    steps = schedule([4.0, 2.0, 1.0], 3, size)
    return AnnealJob(problem, steps, 1, initial_states=states, shared_sweeps=shared)


@pytest.mark.parametrize("states", [None, -np.ones((10, 2))], ids=["no states", "states"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("flips", [1, 2])
def test_a_job_is_read_from_the_memories_as_it_was_packed(flips, shared, states):
    packed = job(replace(SIZE, flips=flips), shared, states).fit(replace(SIZE, flips=flips))
    memories = {}
    for space in AnnealerSpace:
        words = packed.images().get(space, [b"\0"])
        stride = 1 << (len(words[0]) - 1).bit_length()
        image = b"".join(word.ljust(stride, b"\0") for word in words)
        memories[space] = image.ljust(space_bytes(packed.problem.size, space), b"\0")
    found = AnnealJob.unpack(packed.problem.size, packed.run_image(), memories)
    assert found.shared_sweeps == shared
    assert (found.initial_states is None) == (states is None)


def test_other_devices_do_not_look_at_the_flag():
    run = job().run_image()
    memories = {space: bytes(space_bytes(SIZE, space)) for space in AnnealerSpace}
    for space, words in job().images().items():
        stride = 1 << (len(words[0]) - 1).bit_length()
        image = b"".join(word.ljust(stride, b"\0") for word in words)
        memories[space] = image.ljust(space_bytes(SIZE, space), b"\0")
    found = AnnealJob.unpack(PLAIN, run, memories)
    assert not found.shared_sweeps and found.initial_states is None


def test_all_steps_but_the_last_are_shared():
    assert (job().shared_steps, job(shared=False).shared_steps) == (2, 0)


def test_jobs_that_cannot_share():
    with pytest.raises(ValueError, match="shared_sweeps must be False, the device has no such"):
        job(PLAIN).fit(PLAIN)
    steps = list(job().steps)
    steps[1] = replace(steps[1], moving=Moving.ODD)
    with pytest.raises(ValueError, match="all replicas move and none exchanges .* see step 1"):
        replace(job(), steps=steps).fit(SIZE)
    size = replace(SIZE, tempering=1)
    steps[1] = replace(steps[1], moving=Moving.ALL, exchange=Exchange.EVEN)
    rungs = ladder(np.geomspace(8.0, 1.0, 10), size)
    with pytest.raises(ValueError, match="see step 1"):
        replace(job(size), steps=steps, ladder=rungs).fit(size)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"shared_sweeps": 2}, "shared_sweeps must be 0 to 1, not 2"),
        (
            {"shared_sweeps": 1, "spins": 64, "window": 8, "ring": 0},
            "shared_sweeps must be 0 with a window",
        ),
    ],
)
def test_sizes_that_cannot_be_built(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **changes)


def test_least_cycles_have_one_round_more_than_sweeps_but_for_the_last_step():
    """All sweeps of one turn: 6 shared ones and 3, each part with a round in which it ends."""
    shared = job()
    rounds = (6 + 1) + (3 + 1)
    assert shared.least_cycles == START + SIZE.replicas * (shared.fill_rounds + rounds)
    assert shared.least_cycles < job(shared=False).least_cycles
    assert shared.most_cycles == job(shared=False).most_cycles


@pytest.mark.parametrize("flips", [1, 2])
def test_a_device_tells_that_it_can(flips):
    row = BOARDS["ulx3s_25f_annealer"]
    size = replace(row.annealer, flips=flips, spins=flips * (row.annealer.spins // flips))
    packed = {}
    for shared in (0, 1):
        own = replace(size, shared_sweeps=shared)
        packed[shared] = replace(row, engines=row.engines.with_sizes(own)).description(bytes(8))
        assert DeviceDescription.unpack(packed[shared].pack()).annealer == own
    assert len(packed[1].pack()) > len(packed[0].pack())


def test_a_device_that_cannot_says_nothing_of_it():
    """Devices that were built before there were shared sweeps are described as ever."""
    for name, row in BOARDS.items():
        if row.annealer is None or row.annealer.window or row.annealer.shared_sweeps:
            continue
        sharing = replace(row.annealer, shared_sweeps=1)
        packed = row.description(bytes(8)).pack()
        more = replace(row, engines=row.engines.with_sizes(sharing)).description(bytes(8)).pack()
        assert len(more) > len(packed), name
        assert DeviceDescription.unpack(packed).annealer == row.annealer
