"""Add a board without changing the package, see what fits, run on its model, and build it.

    python examples/add_a_board.py              # rows, estimate, a run on the golden model
    python examples/add_a_board.py --build      # also synthesis, place and route (minutes)

The board here is the 5G variant of Lattice's ECP5 Versa, which amaranth-boards knows and
Tensorspin's table does not. For a board to stay, put the two rows into
`tensorspin/contract/device/boards.py` and `tensorspin_gateware/boards.py`; docs/boards.md says what
else belongs to that.
"""

import sys
from dataclasses import replace

from sklearn.datasets import load_digits

from tensorspin import MPSClassifier
from tensorspin.contract.device import sizes
from tensorspin.contract.device.boards import BOARDS, BoardSpec
from tensorspin.contract.device.usb import ft2232
from tensorspin.feasibility import estimate_program
from tensorspin_gateware.boards import HARDWARE, create_platform, oscillator_hz
from tensorspin_gateware.primitives.pll import find_dividers

HOST = BoardSpec(
    name="versa_ecp5_5g",  # as in golden://versa_ecp5_5g; at most 24 characters
    title="Lattice ECP5-5G Versa (ECP5 45F)",
    clock_hz=80_000_000,  # begin low, and raise it to what nextpnr proves
    baud=1_000_000,  # rate of the serial line; the clock divided by it must be near an integer
    usb=ft2232("Lattice ECP5.* Versa"),  # how `tensorspin ports` recognises the board
    **sizes.ECP5_45,  # engines that fill this FPGA: lanes, groups, memories, receive buffer
)
"""What the host must know: it decides what fits and how long a sample takes."""

GATEWARE = replace(
    # A relative on the same FPGA: its row has the family of the primitives, the command that loads
    # the bitstream, jumpers to set, and the options of the tools.
    HARDWARE["versa_ecp5"],
    platform="amaranth_boards.versa_ecp5_5g:VersaECP55GPlatform",  # pins, FPGA, oscillator
)
"""What only the gateware must know."""


def main(build_it: bool) -> None:
    """Add the rows, then use the board like any other."""
    BOARDS[HOST.name] = HOST
    HARDWARE[HOST.name] = GATEWARE

    X, y = load_digits(return_X_y=True)
    classifier = MPSClassifier(bond_dim=16, feature_range=(0, 16), epochs=20, random_state=0)
    program = classifier.fit(X, y).quantize()

    # Whether a program fits, and its cycles, follow from the row alone: nothing has been built.
    for name in ("icebreaker", HOST.name):
        found = estimate_program(program, BOARDS[name])
        print(f"{name}: {found.cycles} cycles, {found.seconds * 1e6:.0f} microseconds a sample")
        for demand in found.demands:
            print(f"    {demand.what}: {demand.needed} of {demand.limit}")

    # The golden model of a board is made from its row; so is the simulated gateware (sim://).
    with classifier.deploy(f"golden://{HOST.name}") as on_board:
        print(f"golden://{HOST.name}: accuracy {on_board.score(X, y):.3f}")

    # The engines' clock comes from the oscillator by a PLL. Not every frequency can be had.
    oscillator = oscillator_hz(create_platform(HOST))
    dividers = find_dividers(GATEWARE.family, oscillator, HOST.clock_hz)
    print(f"PLL: {oscillator / 1e6:g} MHz to {float(dividers.frequency(oscillator)) / 1e6:g} MHz")

    if build_it:
        from tensorspin_gateware.build.bitstream import build

        bitstream, report = build(HOST.name)  # in build/versa_ecp5_5g
        print(f"{bitstream}: nextpnr proves {report.achieved_mhz:.1f} MHz")


if __name__ == "__main__":
    main("--build" in sys.argv[1:])
