"""Sizes that fill a device, as fields of a `Board`; all boards with that device share them.

A group takes 9 multipliers of an ECP5 (8 lanes, and the product that they share), and memory for
features and vectors: either runs out before the look-up tables do.
"""

from .device import ContractorSize

UP5K = {
    "receive_bytes": 1024,
    "contractor": ContractorSize(
        lanes=8, program_words=16384, features=1024, components=4, slots=8, slot_entries=32
    ),
}
"""Lattice iCE40 UP5K."""

ECP5_25 = {
    "receive_bytes": 4096,
    "contractor": ContractorSize(
        lanes=8,
        program_words=8192,
        features=1024,
        components=8,
        slots=16,
        slot_entries=32,
        groups=3,
    ),
}
"""Lattice ECP5 25F, and 12F: the same die, of which the tools give all."""

ECP5_45 = {
    "receive_bytes": 8192,
    "contractor": ContractorSize(
        lanes=8,
        program_words=8192,
        features=1024,
        components=8,
        slots=16,
        slot_entries=32,
        groups=8,
    ),
}
"""Lattice ECP5 45F."""

ECP5_85 = {
    "receive_bytes": 16384,
    "contractor": ContractorSize(
        lanes=8,
        program_words=16384,
        features=1024,
        components=8,
        slots=16,
        slot_entries=32,
        groups=16,
    ),
}
"""Lattice ECP5 85F."""
