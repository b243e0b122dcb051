"""Yosys commands that rows of the board table give before synthesis, and why."""

from __future__ import annotations

ONE_HOT = 'setattr -set fsm_encoding "one-hot" w:router_state w:reply_writer_state'
"""Yosys command: the states of the router and its reply writer have a register each.

Decoding a binary number would be the first part of each path that begins at a state. Yosys ignores
the registers' initial values then; the reset that lasts until the PLL is locked sets them."""

WIRES_ARE_SLOW = "scratchpad -set synth_ice40.abc9.W 1800"
"""Yosys command: a wire between two LUTs of an UltraPlus takes 1.8 ns.

That is what nextpnr's wires take on a full device. Yosys' mapper assumes 0.75 ns, less than the
inputs of a LUT differ by, and so puts five LUTs in a row where a tree of three would do."""

COLLISIONS_DO_NOT_MATTER = (
    "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:COLLISION_X_MASK=1'0 %i r:CLK_ENABLE=1 %i"
)
"""Yosys command: a read may give anything while the same address is written.

A block RAM with two ports leaves open what such a read gives, and no memory of the gateware relies
on it. Amaranth promises the old data and cannot be told otherwise; for that promise Yosys would
delay all writes and put a bypass behind each block RAM."""

GROUPS_KEEP_THEIR_REGISTERS = (
    "setattr -mod -set keep_hierarchy 1 *.contractor.group_? *.contractor.group_??"
)
"""Yosys command: the contractor's groups of lanes stay modules of their own.

Each group has its own registers for the values that all groups get. In one module Yosys would see
that these registers are equal and merge them into one, which would then drive wires across the
whole device, and the clock would suffer."""

SPINS_ARE_MAPPED_IN_GROUPS = (
    "setattr -mod -set keep_hierarchy 1 *.annealer.spins.group_* *.annealer.spins.group_*.* %d"
)
"""Yosys command: each group of the annealer's spins stays a module of its own.

With 1,000 spins in one module, Yosys 0.70 stops at an assertion when it joins the parts that
its technology mapper `abc9` has mapped."""

PARTS_ARE_MAPPED_APART = (
    "setattr -mod -set keep_hierarchy 1 "
    "*.annealer.spins.*group_* *.annealer.spins.*group_*.* %d "
    "*.annealer.memories.couplings* *.annealer.search* *.annealer.energies"
)
"""Yosys command: each group of an annealer's spins, in each segment, stays a module of its own,
and so do the banks of couplings, the search and the energies.

With several flips a turn, or wide couplings, Yosys 0.70 stops at an assertion of `abc9` if they are
one module. All of them give their results from registers, so that the mapper loses nothing at their
borders."""

UNTIL_MAPPING = "-run begin:map_luts"
"""Options of ``synth_ecp5``: it ends before look-up tables are mapped; what is left of it is
`COUPLINGS_WITHOUT_ABC9`."""

COUPLINGS_WITHOUT_ABC9 = """\
techmap -map +/lattice/latches_map.v
select -set couplings *.annealer.memories.couplings*
abc -dress -lut 4:7 @couplings
select * @couplings %d
abc9 -W 300
select -clear
clean
synth_ecp5 -top top -run map_cells:"""
"""Yosys commands after synthesis `UNTIL_MAPPING`: they are its rest, with another mapper for the
banks of couplings of an annealer.

The banks are wide and have hardly any logic; another assertion of `abc9` stops Yosys 0.70 there.
The older mapper `abc` takes them."""
