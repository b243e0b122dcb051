"""What is written turns one content of a memory into the other, however packets are cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.contract.annealer.image import AnnealerSpace, space_bytes
from tensorspin.contract.wire.packets import MEMORY, PacketType, unpack_memory
from tensorspin.driver.link.changes import UNKNOWN, coupling_changes, dense_changes, line_bytes
from tensorspin.driver.link.requests import MAX_DATA, Script, Write
from tensorspin.golden.annealer.device import DeviceAnnealer

from ..support.anneals import SIZE

LENGTH = space_bytes(SIZE, AnnealerSpace.COUPLINGS)


def written(held, requests, limit):
    """The couplings after requests in pieces of at most `limit` bytes of data."""
    device = DeviceAnnealer(SIZE)
    couplings = device.memories[AnnealerSpace.COUPLINGS]
    couplings[: len(held)] = held.astype(np.uint8).tobytes()
    for request in requests:
        for piece in request.split(limit):
            ((kind, payload),) = piece.parts(limit)
            assert kind is PacketType.WRITE
            assert 0 < len(payload) - MEMORY.size <= limit
            space, address = unpack_memory(payload)
            device.write(AnnealerSpace(space), address, payload[MEMORY.size :])
    return np.frombuffer(bytes(couplings[: len(held)]), dtype=np.uint8)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 0.003, 0.02, 0.2, 1]),
    st.sampled_from([16, 17, 100, MAX_DATA]),
)
@settings(max_examples=60, deadline=None)
def test_changes_arrive(seed, density, limit):
    rng = np.random.default_rng(seed)
    held = rng.integers(0, 256, LENGTH).astype(np.int16)
    wanted = np.where(rng.random(LENGTH) < density, rng.integers(0, 256, LENGTH), held)
    dense = dense_changes(AnnealerSpace.COUPLINGS, held, wanted)
    best = coupling_changes(held, wanted)
    for requests in (dense, best):
        np.testing.assert_array_equal(written(held, requests, limit), wanted)
    assert line_bytes(best) <= line_bytes(dense)
    assert bool(best) == bool((held != wanted).any())


def test_few_bytes_far_apart_are_a_script_and_many_are_not():
    held = np.zeros(LENGTH, dtype=np.int16)
    few, many = held.copy(), held.copy()
    few[::40] = 1
    many[:] = 1
    assert {type(request) for request in coupling_changes(held, few)} == {Script}
    assert {type(request) for request in coupling_changes(held, many)} == {Write}


def test_distant_bytes_get_scripts_of_their_own():
    held = np.zeros(1 << 16, dtype=np.int16)
    wanted = held.copy()
    wanted[np.concatenate([np.arange(0, 200, 40), 60_000 + np.arange(0, 200, 40)])] = 1
    scripts = coupling_changes(held, wanted)
    assert [script.entries[0][0] for script in scripts] == [0, 60_000]


@pytest.mark.parametrize("known", [0, 50])
def test_unknown_bytes_are_written(known):
    held = np.full(100, UNKNOWN, dtype=np.int16)
    held[:known] = 3
    wanted = np.full(100, 3, dtype=np.int16)
    (write,) = dense_changes(AnnealerSpace.STEPS, held, wanted)
    assert (write.address, write.data) == (known, b"\3" * (100 - known))
