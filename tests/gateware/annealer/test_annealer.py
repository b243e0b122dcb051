"""The annealer's RTL against its golden model."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.device.boards import find_board
from tensorspin_gateware.annealer import create_annealer
from tests.gateware.bench import family_of, run_bench
from tests.support.annealer_sizes import SIZES
from tests.support.selection import long_after, slow_but

FEW = 2
"""With so few offset rows in the memory, some of the bench's random problems need more."""


QUICK = (
    "uneven",
    "tempering",
    "shared sweeps",
    "two offset rows",
    "windows, one offset row",
    "many windows",
)
"""Sizes that `make test` goes through: each kind of engine has one, and windows have two."""

LONG = (
    "many groups",
    "three flips, tempering",
    *(name for name in SIZES if name.startswith("signature")),
)
"""Sizes whose parts other sizes have, too, or the whole device of `test_accelerator`."""


def check(size: AnnealerSize, netlist: str | None, runs: int) -> None:
    run_bench(
        create_annealer(size, family_of(netlist)),
        "tests.gateware.annealer.bench_annealer",
        netlist=netlist,
        size=asdict(size),
        seed=1,
        runs=runs,
        wraps=size.offset_rows <= FEW,
    )


@pytest.mark.parametrize(
    "name",
    [
        *slow_but(QUICK, [name for name in SIZES if name not in LONG]),
        *long_after(0, LONG),
    ],
)
def test_equals_golden_model(name):
    check(SIZES[name], None, runs=5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("netlist", "size"),
    [
        ("icebreaker", SIZES["least"]),
        ("icebreaker_annealer", SIZES["wide windows"]),
        ("hx8k_evn_annealer", SIZES["many windows"]),
        ("ulx3s_25f_both", SIZES["uneven"]),
        ("ulx3s_25f_both", SIZES["tempering on a ring"]),
        ("ulx3s_25f_both", SIZES["shared sweeps"]),
        *(
            (name, find_board(name).annealer)
            for name in (
                "icebreaker_annealer",
                "icebreaker_annealer_8bit",
                "hx8k_evn_annealer",
                "ulx3s_25f_both",
            )
        ),
    ],
    ids=str,
)
def test_netlist_equals_golden_model(netlist, size):
    check(size, netlist, runs=3)
