"""The annealer's RTL against its golden model."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tensorspin.contract.annealer import AnnealerSize
from tensorspin_gateware.annealer import Annealer
from tests.gateware.bench import run_bench

SIZES = {
    "least": AnnealerSize(8, 2, 6, 8, (1,) * 4, 12, 4, ring=0),
    "uneven": AnnealerSize(27, 4, 9, 12, (2, 1, 3, 1, 1, 2), 16, 8),
    "many replicas": AnnealerSize(32, 3, 8, 16, (1,) * 7, 20, 8),
    "tempering": AnnealerSize(19, 3, 8, 9, (3, 1, 2, 1, 1, 2, 1), 20, 8, ring=0, tempering=1),
    "tempering on a ring": AnnealerSize(16, 3, 8, 8, (2,) * 6, 20, 8, tempering=1),
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
