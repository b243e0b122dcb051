"""The annealer's RTL against its golden model."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tensorspin.contract.annealer import MIN_REPLICAS, AnnealerSize
from tensorspin_gateware.annealer import Annealer
from tests.gateware.bench import run_bench

SIZES = {
    "least": AnnealerSize(8, 2, 6, MIN_REPLICAS, (1,) * 4, 12, 4),
    "uneven": AnnealerSize(27, 4, 9, 11, (2, 1, 3, 1, 1, 2), 16, 8),
    "many groups": AnnealerSize(150, 3, 10, 16, (1,) * 7, 20, 8),
}


@pytest.mark.parametrize("name", SIZES)
def test_equals_golden_model(name):
    run_bench(
        Annealer(SIZES[name]),
        "tests.gateware.annealer.bench_annealer",
        size=asdict(SIZES[name]),
        seed=1,
        runs=5,
    )
