"""Engine sizes in words, for people."""

from __future__ import annotations

from ..contract.annealer.size import AnnealerSize
from ..contract.annealer.thresholds import highest_temperature
from ..contract.contractor.size import ContractorSize
from ..contract.device.boards import BoardSpec
from ..contract.device.description import DeviceDescription


def engine_rows(device: BoardSpec | DeviceDescription) -> list[tuple[str, object]]:
    """Names and values of what a device's engines take."""
    rows: list[tuple[str, object]] = []
    if device.contractor is not None:
        rows += _contractor_rows(device.contractor)
    if device.annealer is not None:
        rows += _annealer_rows(device.annealer, device.clock_hz)
    return rows


def _contractor_rows(size: ContractorSize) -> list[tuple[str, object]]:
    return [
        ("lanes", f"{size.multipliers} for {size.groups} samples at a time"),
        ("program memory", f"{size.program_bytes} bytes"),
        ("features", size.features),
        ("feature map components", size.components),
        ("bond dimension", size.slot_entries),
        ("vector slots", size.slots),
    ]


def _annealer_rows(size: AnnealerSize, clock_hz: int) -> list[tuple[str, object]]:
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
