"""Engine sizes in words, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..contract.annealer.size import AnnealerSize
from ..contract.annealer.steps import highest_temperature
from ..contract.contractor.size import ContractorSize
from ..contract.device.boards import BoardSpec
from ..contract.device.description import DeviceDescription
from ..contract.engine import EngineKind

Row = tuple[str, object]
"""Name and value of one quantity; the value's text is what people read."""


def engine_rows(device: BoardSpec | DeviceDescription) -> list[Row]:
    """Describe what the engines of a device can take.

    Parameters
    ----------
    device : BoardSpec or DeviceDescription
        A board of the table, or what a device says of itself.

    Returns
    -------
    list of (str, object)
        Names and values of quantities, engine by engine.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> engine_rows(find_board("icebreaker"))[0]
    ('lanes', '8 for 1 samples at a time')
    """
    rows: list[Row] = []
    for kind, size in device.engines.items():
        rows += _ROWS[kind](size, device.clock_hz)
    return rows


def _contractor_rows(size: ContractorSize, clock_hz: int) -> list[Row]:
    return [
        ("lanes", f"{size.multipliers} for {size.groups} samples at a time"),
        ("program memory", f"{size.program_bytes} bytes"),
        ("features", size.features),
        ("feature map components", size.components),
        ("bond dimension", size.slot_entries),
        ("vector slots", size.slots),
    ]


def _annealer_rows(size: AnnealerSize, clock_hz: int) -> list[Row]:
    coupling, field = size.coupling, size.field
    flips = clock_hz / 1e6 / size.turn(0)
    return [
        ("spins", f"{size.spins}, all with all"),
        ("spins compared at a time", size.window or size.spins),
        ("couplings", f"{size.coupling_bits} bits, {-coupling.maximum} to {coupling.maximum}"),
        ("local fields", f"{size.field_bits} bits, {-field.maximum} to {field.maximum}"),
        ("replicas", f"{size.replicas}{', along a ring' if size.ring else ''}"),
        ("highest temperature", f"{highest_temperature(size):.3g}"),
        ("steps of a schedule", size.steps),
        ("flips", f"{flips:g} million a second at most"),
    ]


_ROWS: dict[int, Callable[[Any, int], list[Row]]] = {
    EngineKind.CONTRACTOR: _contractor_rows,
    EngineKind.ANNEALER: _annealer_rows,
}
"""What to say of each engine, by `EngineKind`: called with its size and its clock in Hz."""
