"""What the gateware knows of a board, and what the rows of one FPGA family have in common."""

from __future__ import annotations

from dataclasses import dataclass

from .mapping import (
    COLLISIONS_DO_NOT_MATTER,
    COUPLINGS_WITHOUT_ABC9,
    GROUPS_KEEP_THEIR_REGISTERS,
    ONE_HOT,
    PARTS_ARE_MAPPED_APART,
    UNTIL_MAPPING,
    WIRES_ARE_SLOW,
)
from .pins import SPIPins, UARTPins
from .primitives import Family, carry

STATIC = "--placer static"
"""Option of nextpnr for large devices. On the 85F, the default placer's wires are longer by two
fifths, and too slow."""

LARGE = f"--seed 1 {STATIC}"
"""Options of nextpnr for large devices."""

UNROLLED = f"{LARGE} --router router2"
"""Options of nextpnr for spatial engines. Their multipliers stand in a few rows of the device, with
hundreds of wires to each; the default router does not find an end there."""


@dataclass(frozen=True)
class BoardHardware:
    """One row of the table: how a bitstream for a board is built and loaded.

    Parameters
    ----------
    platform : str
        ``module:class`` of the Amaranth platform.
    family : Family
        The FPGA family, which decides how the primitives (memories, multipliers, PLL) are built.
    programmer : tuple of str
        Command that loads the bitstream. ``{bitstream}`` stands for the bitstream's path,
        ``{work}`` for the folder with the other files that the tools have made.
    uart : UARTPins, optional
        Pins of the UART; None if the platform defines the UART that leads to the host.
    spi : SPIPins, optional
        Pins of the SPI target, if the board's line is one.
    notes : str
        What a user must do to the board before it works.
    clock : str
        Name of the oscillator's resource, if it is not the platform's default.
    pll_pad : bool
        Whether the oscillator is connected to the pad that belongs to the PLL; matters on iCE40.
    suffix : str
        Suffix of the bitstream's file.
    before_synthesis : str
        Yosys commands to run before ``synth_*``.
    after_synthesis : str
        Yosys commands to run after ``synth_*``.
    synth_options : str
        Options of Yosys' ``synth_*`` command. They lack "-dsp" on iCE40: that pass takes the DSPs
        that the lanes instantiate for its own and turns their registers off.
    place_options : str
        Options of nextpnr, with the seed that is tried first, so that the same sources give the
        same bitstream. They lack "--router router2" on iCE40: on a device this full it may go round
        in circles for ever.
    standby : bool
        Whether memories stand by while nobody uses them, to leak less; see `Family.standby`.
    """

    platform: str
    family: Family
    programmer: tuple[str, ...]
    uart: UARTPins | None = None
    spi: SPIPins | None = None
    notes: str = ""
    clock: str = ""
    pll_pad: bool = True
    suffix: str = ".bin"
    before_synthesis: str = ""
    after_synthesis: str = ""
    synth_options: str = ""
    place_options: str = "--seed 1"
    standby: bool = False

    @property
    def seed(self) -> int:
        """The seed of nextpnr's placer, as `place_options` has it."""
        words = self.place_options.split()
        return int(words[words.index("--seed") + 1])


def ecp5(
    platform: str,
    *programmer: str,
    hierarchy: str = GROUPS_KEEP_THEIR_REGISTERS,
    rest: str = "",
    **options,
) -> BoardHardware:
    """Make a row of an ECP5.

    Parameters
    ----------
    platform : str
        ``module:class`` of the Amaranth platform.
    *programmer : str
        Command that loads the bitstream.
    hierarchy : str
        Yosys command that marks the modules which are mapped on their own.
    rest : str
        Yosys commands with the rest of the synthesis, if the options of ``synth_ecp5`` leave one.
    **options
        Other fields of `BoardHardware`.

    Returns
    -------
    BoardHardware
        The row.
    """
    return BoardHardware(
        platform=platform,
        family=Family.ECP5,
        programmer=programmer,
        suffix=".bit",
        before_synthesis="\n".join((COLLISIONS_DO_NOT_MATTER, hierarchy, carry.BEFORE_SYNTHESIS)),
        after_synthesis="\n".join(filter(None, (rest, carry.AFTER_SYNTHESIS))),
        **options,
    )


def ice40(
    platform: str,
    programmer: tuple[str, ...],
    *before: str,
    family: Family = Family.ICE40UP,
    **options,
) -> BoardHardware:
    """Make a row of an iCE40.

    Parameters
    ----------
    platform : str
        ``module:class`` of the Amaranth platform.
    programmer : tuple of str
        Command that loads the bitstream.
    *before : str
        Yosys commands before synthesis, beside those of all rows.
    family : Family
        Which iCE40 it is.
    **options
        Other fields of `BoardHardware`.

    Returns
    -------
    BoardHardware
        The row.
    """
    return BoardHardware(
        platform=platform,
        family=family,
        programmer=programmer,
        before_synthesis="\n".join((COLLISIONS_DO_NOT_MATTER, *before)),
        **options,
    )


def up5k(platform: str, programmer: tuple[str, ...], **options) -> BoardHardware:
    """Make a row of a contractor in an UltraPlus, by whose delays Yosys maps the logic.

    Parameters
    ----------
    platform : str
        ``module:class`` of the Amaranth platform.
    programmer : tuple of str
        Command that loads the bitstream.
    **options
        Other fields of `BoardHardware`.

    Returns
    -------
    BoardHardware
        The row.
    """
    return ice40(
        platform,
        programmer,
        ONE_HOT,
        WIRES_ARE_SLOW,
        synth_options="-device u",
        standby=True,
        **options,
    )


def ulx3s(size: str, **options) -> BoardHardware:
    """Make a row of an ULX3S.

    Parameters
    ----------
    size : str
        Its FPGA, such as ``"85f"``.
    **options
        Other parameters of `ecp5`.

    Returns
    -------
    BoardHardware
        The row.
    """
    return ecp5(
        f"amaranth_boards.ulx3s:ULX3S_{size.upper()}_Platform",
        *("openFPGALoader", "--board", "ulx3s", "{bitstream}"),
        **options,
    )


def large_annealer(size: str, seed: int) -> BoardHardware:
    """Make a row of an ULX3S with an annealer for which Yosys needs other commands.

    Parameters
    ----------
    size : str
        Its FPGA, such as ``"85f"``.
    seed : int
        Seed of nextpnr's placer.

    Returns
    -------
    BoardHardware
        The row.
    """
    return ulx3s(
        size,
        hierarchy=PARTS_ARE_MAPPED_APART,
        synth_options=UNTIL_MAPPING,
        rest=COUPLINGS_WITHOUT_ABC9,
        # The default router would take hours on a device this full.
        place_options=f"--seed {seed} {STATIC} --router router2",
    )
