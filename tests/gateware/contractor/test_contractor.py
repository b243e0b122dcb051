"""The contractor's RTL against its golden model."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tensorspin.contract.device import ContractorSize
from tensorspin_gateware.contractor import Contractor
from tests.gateware.bench import run_bench

SIZES = {
    "least": ContractorSize(
        lanes=8, program_words=1024, features=4, components=2, slots=2, slot_entries=8
    ),
    "wide": ContractorSize(
        lanes=24, program_words=4096, features=16, components=8, slots=4, slot_entries=32
    ),
    "groups": ContractorSize(
        lanes=8, program_words=2048, features=8, components=4, slots=4, slot_entries=16, groups=3
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_equals_golden_model(name):
    run_bench(
        Contractor(SIZES[name]),
        "tests.gateware.contractor.bench_contractor",
        size=asdict(SIZES[name]),
        seed=1,
        programs=15,
        # Enough for whole runs, parts of runs, and both halves of the feature memories.
        samples=4 * SIZES[name].groups,
        most_bytes=6000,
        garbage=4,
        # Takes walks through all of the memory.
        whole_memory=name == "least",
    )


def test_too_few_lanes():
    size = ContractorSize(4, 2048, 4, 2, 2, 8)
    with pytest.raises(ValueError, match="a header needs 8 lanes, not 4"):
        Contractor(size)
