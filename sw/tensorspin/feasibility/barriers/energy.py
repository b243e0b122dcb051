"""The energy of a sample, modelled: of the processor's cryostat, a board, a microcontroller."""

from __future__ import annotations

from .figure import MODELLED, Barrier, Figure
from .local import Local
from .sources import (
    BOARD_POWER,
    CENTRE_LEAST_JOB,
    CONTROLLER_POWER,
    CRYOSTAT,
    HOST_POWER,
    OTHER_POWER,
)


def energy_barrier(local: Local, title: str, device_seconds: float | None) -> Barrier:
    """Compare energies. No limit is known for them, so that they decide nothing.

    Parameters
    ----------
    local : Local
        Times without a quantum processor.
    title : str
        The board's title, which names its FPGA.
    device_seconds : float or None
        Seconds that a quantum processor works on a sample; None if it can't.

    Returns
    -------
    Barrier
        The numbers: power times time. Links, and computers around the processor, are left out.
    """
    power = next((each for key, each in BOARD_POWER.items() if key in title), OTHER_POWER)
    rows = {
        f"board {local.board}": _energy(power, local.computing),
        "microcontroller": _energy(CONTROLLER_POWER, local.controller),
        "host": _energy(HOST_POWER, local.host),
    }
    words = "no processor can answer, so there is no energy to compare"
    if device_seconds is not None:
        device = Figure(device_seconds, "s", MODELLED, "the phase device")
        rows["quantum processor"] = remote = _energy(CRYOSTAT, device)
        rows["quantum processor, least job of a centre"] = _energy(CRYOSTAT, CENTRE_LEAST_JOB)
        times = remote.number / rows[f"board {local.board}"].number
        rows["processor's energy by the board's"] = Figure(
            times, "", MODELLED, "the quotient of the rows above"
        )
        words = (
            f"a sample on the processor takes {times:.1g} times the energy of the board's "
            f"({MODELLED})"
        )
    return Barrier("energy", rows, words)


def _energy(power: Figure, seconds: Figure) -> Figure:
    if seconds.value is None:
        return Figure(None, "J", MODELLED, seconds.source)
    told = f"{power.text} ({power.kind}: {power.source}) for {seconds.text} ({seconds.kind})"
    return Figure(power.number * float(seconds.value), "J", MODELLED, told)
