"""The contractor's RTL against its golden model."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import find_board
from tensorspin_gateware.contractor import Contractor
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.primitives.program_memory import SPRAM_WORDS
from tests.gateware.bench import NETLIST_BOARDS, family_of, run_bench
from tests.support.selection import long_after, slow_but

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
    "shared": ContractorSize(
        lanes=8,
        program_words=1024,
        features=8,
        components=4,
        slots=4,
        slot_entries=16,
        groups=3,
        single_drain=2,
    ),
    "shared by five": ContractorSize(
        lanes=8,
        program_words=1024,
        features=8,
        components=8,
        slots=16,
        slot_entries=32,
        groups=5,
        single_drain=4,
    ),
    "shared lanes": ContractorSize(
        lanes=24,
        program_words=1024,
        features=4,
        components=2,
        slots=2,
        slot_entries=8,
        groups=2,
        single_drain=8,
    ),
}
SIZES |= {f"{name}, long": replace(SIZES[name], pipeline=1) for name in ("least", "groups")}
SIZES |= {
    f"{name}, signed": replace(SIZES[name], signature=1, table_parity=int(name != "wide"))
    for name in ("least, long", "least", "wide", "groups")
}
SIZES |= {
    f"{name}, protected": replace(SIZES[name], protected=1)
    for name in ("least", "least, long", "wide", "groups", "least, signed", "wide, signed")
}
SIZES |= {
    f"{name}, resident": replace(SIZES[name], resident=1)
    for name in ("least, long, signed", "groups")
}
SIZES["least, long, signed, protected"] = replace(SIZES["least, long, signed"], protected=1)
UNPROTECTED = [name for name, size in SIZES.items() if not size.protected]
PROTECTED = ["groups, protected", "least, long, signed, protected"]
PROTECTED += [name for name in SIZES if name not in {*UNPROTECTED, *PROTECTED}]
MINUTES = ["wide, signed", "groups, signed", "shared by five"]
MINUTES += ["groups, resident", "least, long, signed, resident"]
"""Sizes that take minutes, and whose parts other sizes have, too."""


def check(
    size: ContractorSize,
    netlist: str | None,
    programs: int,
    bench: str = "bench_contractor",
    **parameters,
) -> None:
    run_bench(
        Contractor(size, family_of(netlist)),
        f"tests.gateware.contractor.{bench}",
        netlist=netlist,
        size=asdict(size),
        seed=1,
        programs=programs,
        # Enough for runs of all groups and of some, and for both halves of the feature memories.
        samples=4 * size.groups,
        most_bytes=6000,
        garbage=4,
        flips=10,
        **parameters,
    )


@pytest.mark.parametrize(
    "name",
    [
        *slow_but(
            ["groups", "least, long, signed", "shared"],
            [name for name in UNPROTECTED if name not in MINUTES],
        ),
        *long_after(0, [*PROTECTED, *MINUTES]),
    ],
)
def test_equals_golden_model(name):
    # Programs that fill the whole memory take long, unless it is small.
    whole_memory = name.startswith("least") or name == "shared"
    check(SIZES[name], None, programs=15, whole_memory=whole_memory)


@pytest.mark.parametrize("name", long_after(1, PROTECTED))
def test_changed_bits_are_corrected(name):
    check(SIZES[name], None, programs=8, bench="bench_protected", whole_memory=False)


@pytest.mark.long
@pytest.mark.parametrize(
    ("netlist", "size"),
    [
        ("icebreaker", replace(SIZES["least, long, protected"], program_words=SPRAM_WORDS)),
        ("ulx3s_25f", SIZES["groups, protected"]),
    ],
    ids=str,
)
def test_netlist_corrects_changed_bits(netlist, size):
    check(size, netlist, programs=3, bench="bench_protected", whole_memory=False)


@pytest.mark.long
@pytest.mark.parametrize(
    ("netlist", "size"),
    [
        ("icebreaker", replace(SIZES["least"], program_words=SPRAM_WORDS)),
        (
            "icebreaker",
            replace(SIZES["least, long, signed, resident"], program_words=SPRAM_WORDS // 2),
        ),
        ("ulx3s_25f", SIZES["groups"]),
        *((name, find_board(name).contractor) for name in NETLIST_BOARDS),
    ],
    ids=str,
)
def test_netlist_equals_golden_model(netlist, size):
    check(size, netlist, programs=5, whole_memory=False)


def test_too_few_lanes():
    size = ContractorSize(4, 2048, 4, 2, 2, 8)
    with pytest.raises(ValueError, match="a header needs 8 lanes, not 4"):
        Contractor(size)


def test_banks_do_not_stand_by():
    with pytest.raises(ValueError, match="a program memory of banks, .* can't stand by"):
        Contractor(SIZES["shared"], Family.BEHAVIOURAL, standby=True)
