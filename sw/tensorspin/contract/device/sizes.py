"""Sizes that fill a device, as fields of a `Board`; all boards with that device share them.

A group takes 9 multipliers of an ECP5 (8 lanes, and the product that they share), and memory for
features and vectors: either runs out before the look-up tables do. What limits the annealer of an
iCE40 is block RAM: one for each bit of the fields, states and thresholds of 16 spins.
"""

from dataclasses import replace

from ..annealer.size import AnnealerSize
from ..contractor.size import ContractorSize

UP5K = {
    "receive_bytes": 1024,
    "contractor": ContractorSize(
        lanes=8, program_words=16384, features=1024, components=4, slots=8, slot_entries=32
    ),
}
"""Lattice iCE40 UP5K."""

UP5K_ANNEALER = {
    "receive_bytes": 256,
    "annealer": AnnealerSize(
        spins=256,
        coupling_bits=4,
        field_bits=12,
        replicas=16,
        strides=(2,) * 8,
        offset_rows=256,
        steps=16,
        ring=0,
        window=16,
    ),
}
"""Its couplings take half of the SPRAM; a window's fill its width. All 30 block RAMs are used."""

HX8K_ANNEALER = {
    "receive_bytes": 256,
    "annealer": AnnealerSize(
        spins=128,
        coupling_bits=2,
        field_bits=10,
        replicas=16,
        strides=(1,) * 7,
        offset_rows=64,
        steps=32,
        ring=0,
        window=8,
    ),
}
"""Lattice iCE40 HX8K: 12 of the 32 block RAMs, which are all used, hold the couplings."""

_ECP5_GROUP = ContractorSize(
    lanes=8, program_words=8192, features=1024, components=8, slots=16, slot_entries=32
)
"""One of an ECP5's groups."""

ECP5_25 = {
    "receive_bytes": 4096,
    "contractor": replace(_ECP5_GROUP, groups=3),
}
"""Lattice ECP5 25F, and 12F: the same die, of which the tools give all."""

ECP5_25_ANNEALER = {
    "receive_bytes": 4096,
    "annealer": AnnealerSize(
        spins=256,
        coupling_bits=4,
        field_bits=12,
        replicas=16,
        strides=(1,) * 8,
        offset_rows=256,
        steps=256,
    ),
}
"""The same with the annealer alone: four fifths of the look-up tables."""

ECP5_25_BOTH = {
    "receive_bytes": 4096,
    "contractor": replace(_ECP5_GROUP, program_words=4096, groups=2),
    "annealer": AnnealerSize(
        spins=64,
        coupling_bits=4,
        field_bits=10,
        replicas=16,
        strides=(6,) * 7,
        offset_rows=64,
        steps=256,
        tempering=1,
    ),
}
"""The same with both engines, and all methods of the annealer: parallel tempering too."""

ECP5_45 = {
    "receive_bytes": 8192,
    "contractor": replace(_ECP5_GROUP, groups=8),
}
"""Lattice ECP5 45F."""

ECP5_85 = {
    "receive_bytes": 16384,
    "contractor": replace(_ECP5_GROUP, program_words=16384, groups=16),
}
"""Lattice ECP5 85F."""

ECP5_85_ANNEALER = {
    "receive_bytes": 4096,
    "annealer": AnnealerSize(
        spins=1000,
        coupling_bits=2,
        field_bits=11,
        replicas=16,
        strides=(1,) * 8,
        offset_rows=24,
        steps=256,
    ),
}
"""The same with the annealer alone. Rows of couplings and offset rows fill the block RAMs' depth of
1,024 words."""
