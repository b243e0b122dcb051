"""Engine sizes that fill an FPGA, as fields of a `BoardSpec`; boards with the same FPGA share them.

What runs out first limits a size, and it is never the same. A contractor's group takes 9
multipliers of an ECP5 (one for each of its 8 lanes, and one for the product that the lanes share)
and block RAM for features and vectors; one of these two runs out before the look-up tables (LUTs)
do. An annealer that holds its spins in registers takes LUTs. The annealer of an iCE40 holds its
spins in block RAM, one for each bit of the fields, states and thresholds of 16 spins, and runs out
of block RAM.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from ..annealer.size import AnnealerSize
from ..contractor.latency import LONG, PIPELINES
from ..contractor.size import ContractorSize
from .engines import Engines


class FpgaSizes(TypedDict):
    """The fields of a `BoardSpec` that the FPGA's size decides; `BoardSpec` describes them."""

    receive_bytes: int
    engines: Engines


UP5K: FpgaSizes = {
    "receive_bytes": 1024,
    "engines": Engines(
        ContractorSize(
            lanes=8,
            program_words=16384,
            features=1024,
            components=4,
            slots=8,
            slot_entries=32,
            pipeline=PIPELINES.index(LONG),
            signature=1,
            table_parity=1,
        )
    ),
}
"""Lattice iCE40 UP5K, contractor only, with checks of what a run reads. The program memory is the
whole SPRAM; the parity of the feature table takes four block RAMs."""

UP5K_LOCKED: FpgaSizes = {
    "receive_bytes": UP5K["receive_bytes"],
    "engines": UP5K["engines"].with_sizes(
        replace(
            UP5K["engines"].require(ContractorSize),
            signature=0,
            table_parity=0,
            lock=1,
        )
    ),
}
"""The same with a lock instead of checks: there is no room for both."""

UP5K_LOCKED_HZ = 33_000_000
"""Clock of a locked UP5K in Hz. More than nine tenths of its look-up tables are used, and what is
so full is placed less well."""

UP5K_ANNEALER: FpgaSizes = {
    "receive_bytes": 256,
    "engines": Engines(
        AnnealerSize(
            spins=256,
            coupling_bits=4,
            field_bits=12,
            replicas=16,
            strides=(2,) * 8,
            offset_rows=256,
            steps=16,
            ring=0,
            window=16,
        )
    ),
}
"""Lattice iCE40 UP5K, annealer only: couplings take half of the SPRAM's depth, a window of 16
spins takes its whole width of 64 bits, and all 30 block RAMs are used."""

UP5K_ANNEALER_8BIT: FpgaSizes = {
    "receive_bytes": 256,
    "engines": Engines(
        AnnealerSize(
            spins=128,
            coupling_bits=8,
            field_bits=16,
            replicas=16,
            strides=(1,) * 13,
            offset_rows=128,
            steps=16,
            ring=0,
            window=8,
        )
    ),
}
"""The same with couplings of 8 bits: 8 of them take the whole width of the SPRAM. Thresholds of 13
bits hold the temperatures that fields of 16 bits need."""

HX8K_ANNEALER: FpgaSizes = {
    "receive_bytes": 256,
    "engines": Engines(
        AnnealerSize(
            spins=128,
            coupling_bits=2,
            field_bits=10,
            replicas=16,
            strides=(1,) * 7,
            offset_rows=64,
            steps=32,
            ring=0,
            window=8,
        )
    ),
}
"""Lattice iCE40 HX8K, annealer only: all 32 block RAMs are used, 12 of them for couplings, since
this FPGA has no SPRAM."""

_ECP5_GROUP = ContractorSize(
    lanes=8, program_words=8192, features=1024, components=8, slots=16, slot_entries=32
)
"""A contractor with one group; each ECP5 gets as many groups as its multipliers and RAM allow."""

ECP5_25: FpgaSizes = {
    "receive_bytes": 4096,
    "engines": Engines(replace(_ECP5_GROUP, groups=3)),
}
"""Lattice ECP5 25F, contractor only. The 12F is the same die, and the open tools use all of it."""

ECP5_25_SINGLE: FpgaSizes = {
    "receive_bytes": ECP5_25["receive_bytes"],
    "engines": Engines(replace(_ECP5_GROUP, groups=3, single_drain=2)),
}
"""The same, with groups that can share a sample."""

ECP5_25_LOCKED: FpgaSizes = {
    "receive_bytes": ECP5_25["receive_bytes"],
    "engines": Engines(replace(_ECP5_GROUP, groups=2, lock=1)),
}
"""The same with a lock. Three groups fill all block RAMs, and the lock's microcode takes one."""

ECP5_25_SINGLE_LOCKED: FpgaSizes = {
    "receive_bytes": ECP5_25["receive_bytes"],
    "engines": Engines(replace(_ECP5_GROUP, groups=2, single_drain=2, lock=1)),
}
"""The same with groups that can share a sample."""

ECP5_25_ANNEALER: FpgaSizes = {
    "receive_bytes": 4096,
    "engines": Engines(
        AnnealerSize(
            spins=256,
            coupling_bits=4,
            field_bits=12,
            replicas=16,
            strides=(1,) * 8,
            offset_rows=256,
            steps=256,
        )
    ),
}
"""Lattice ECP5 25F, annealer only: four fifths of the LUTs."""

ECP5_25_ANNEALER_8BIT: FpgaSizes = {
    "receive_bytes": 4096,
    "engines": Engines(
        AnnealerSize(
            spins=160,
            coupling_bits=8,
            field_bits=16,
            replicas=16,
            strides=(1,) * 13,
            offset_rows=352,
            steps=256,
            shared_sweeps=1,
        )
    ),
}
"""The same with couplings of 8 bits, and thresholds of 13 as on the iCEBreaker: the couplings of
160 spins fill the block RAM, whose 512 words also hold 352 offset rows."""

ECP5_25_BOTH: FpgaSizes = {
    "receive_bytes": 4096,
    "engines": Engines(
        replace(_ECP5_GROUP, program_words=4096, groups=2),
        AnnealerSize(
            spins=64,
            coupling_bits=4,
            field_bits=10,
            replicas=16,
            strides=(6,) * 7,
            offset_rows=64,
            steps=256,
            tempering=1,
        ),
    ),
}
"""Lattice ECP5 25F with both engines, and all methods of the annealer, parallel tempering too."""

ECP5_45: FpgaSizes = {
    "receive_bytes": 8192,
    "engines": Engines(replace(_ECP5_GROUP, groups=8)),
}
"""Lattice ECP5 45F, contractor only."""

ECP5_85: FpgaSizes = {
    "receive_bytes": 16384,
    "engines": Engines(replace(_ECP5_GROUP, program_words=16384, groups=16)),
}
"""Lattice ECP5 85F, contractor only."""

ECP5_85_ANNEALER: FpgaSizes = {
    "receive_bytes": 4096,
    "engines": Engines(
        AnnealerSize(
            spins=1000,
            coupling_bits=2,
            field_bits=11,
            replicas=16,
            strides=(1,) * 8,
            offset_rows=24,
            steps=256,
        )
    ),
}
"""Lattice ECP5 85F, annealer only: 1,000 rows of couplings and 24 offset rows fill the 1,024 words
that a block RAM has at the width of 18 bits."""

ECP5_85_ANNEALER_8BIT: FpgaSizes = {
    "receive_bytes": 4096,
    "engines": Engines(
        AnnealerSize(
            spins=480,
            coupling_bits=8,
            field_bits=16,
            replicas=16,
            strides=(1,) * 13,
            offset_rows=32,
            steps=256,
            shared_sweeps=1,
        )
    ),
}
"""The same with couplings of 8 bits, thresholds of 13, and one flip a turn: the rows of 480 spins
and 32 offset rows fill the 512 words of a block RAM at its greatest width."""

LOCKED: dict[Engines, FpgaSizes] = {
    UP5K["engines"]: UP5K_LOCKED,
    ECP5_25["engines"]: ECP5_25_LOCKED,
    ECP5_25_SINGLE["engines"]: ECP5_25_SINGLE_LOCKED,
}
"""Sizes with a lock, by the engines without one, where a lock does not fit beside them."""
