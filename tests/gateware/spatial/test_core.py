"""The spatial core's RTL against its golden model."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tensorspin_gateware.spatial import SpatialCore, SpatialStream
from tests.gateware.bench import family_of, run_bench
from tests.support.selection import slow_but
from tests.support.spatial import CROOKED, SIZES


def check(size, netlist=None, networks=3, samples=150) -> None:
    run_bench(
        SpatialCore(size, family_of(netlist)),
        "tests.gateware.spatial.bench_core",
        netlist=netlist,
        size=asdict(size),
        seed=1,
        networks=networks,
        samples=samples,
    )


@pytest.mark.parametrize("name", slow_but(["crooked"], SIZES))
def test_equals_golden_model(name):
    check(SIZES[name])


@pytest.mark.long
@pytest.mark.parametrize("name", SIZES)
def test_netlist_equals_golden_model(name):
    check(SIZES[name], "ulx3s_85f", networks=2, samples=60)


@pytest.mark.slow
def test_streams():
    run_bench(
        SpatialStream(CROOKED),
        "tests.gateware.spatial.bench_stream",
        size=asdict(CROOKED),
        seed=3,
        samples=200,
    )
