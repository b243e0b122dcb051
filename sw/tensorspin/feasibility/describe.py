"""Engine sizes: in words for people, and in numbers for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..contract.annealer.size import AnnealerSize
from ..contract.annealer.steps import highest_temperature
from ..contract.contractor.size import ContractorSize
from ..contract.device.boards import BOARDS, BoardSpec
from ..contract.device.description import DeviceDescription
from ..contract.device.engines import ENGINES
from ..contract.device.line import Line
from ..contract.engine import EngineKind
from ..contract.spatial.latency import latency
from ..contract.spatial.size import SpatialSize


@dataclass(frozen=True)
class Quantity:
    """One thing that an engine has so much of.

    Parameters
    ----------
    name : str
        Its name.
    text : str
        What people read.
    values : dict of str to (int, float or bool)
        The numbers in that text, by names for programs.

    Examples
    --------
    >>> Quantity("features", "1024", {"features": 1024}).text
    '1024'
    """

    name: str
    text: str
    values: dict[str, float]


def engine_rows(device: BoardSpec | DeviceDescription) -> list[tuple[str, str]]:
    """Describe what the engines of a device can take.

    Parameters
    ----------
    device : BoardSpec or DeviceDescription
        A board of the table, or what a device says of itself.

    Returns
    -------
    list of (str, str)
        Names and texts of quantities, engine by engine.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> engine_rows(find_board("icebreaker"))[0]
    ('lanes', '8 for 1 samples at a time')
    """
    return [(each.name, each.text) for _, quantities in _described(device) for each in quantities]


def line_text(device: DeviceDescription) -> str:
    """Say how fast a device's line is.

    Parameters
    ----------
    device : DeviceDescription
        What the device says of itself.

    Returns
    -------
    str
        The rate, of a UART unless the board's row in the table says that its line is SPI.

    Examples
    --------
    >>> line_text(BOARDS["icebreaker_spi"].description(build=bytes(8)))
    'SPI at 25 MHz at most'
    """
    row = BOARDS.get(device.board)
    line = Line.UART if row is None else row.line
    return line.describe(device.baud)


def engine_values(device: BoardSpec | DeviceDescription) -> dict[str, dict[str, float]]:
    """Return the numbers of `engine_rows`, for programs.

    Parameters
    ----------
    device : BoardSpec or DeviceDescription
        A board of the table, or what a device says of itself.

    Returns
    -------
    dict of str to dict
        Numbers by name, for each engine by its name.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> engine_values(find_board("icebreaker"))["contractor"]["lanes"]
    8
    """
    return {
        name: {key: value for each in quantities for key, value in each.values.items()}
        for name, quantities in _described(device)
    }


def _described(device: BoardSpec | DeviceDescription) -> list[tuple[str, list[Quantity]]]:
    return [
        (ENGINES[kind].name, _QUANTITIES[kind](size, device.clock_hz))
        for kind, size in device.engines.items()
    ]


def _contractor(size: ContractorSize, clock_hz: int) -> list[Quantity]:
    single = size.single_drain > 0
    return [
        Quantity(
            "lanes",
            f"{size.multipliers} for {size.groups} samples at a time{', or for one' * single}",
            {"lanes": size.multipliers, "groups": size.groups, "single_mode": single},
        ),
        Quantity(
            "program memory",
            f"{size.program_bytes} bytes",
            {"program_bytes": size.program_bytes},
        ),
        _counted("features", size.features, "features"),
        _counted("feature map components", size.components, "components"),
        _counted("bond dimension", size.slot_entries, "bond_dim"),
        _counted("vector slots", size.slots, "slots"),
    ]


def _annealer(size: AnnealerSize, clock_hz: int) -> list[Quantity]:
    coupling, field = size.coupling.maximum, size.field.maximum
    flips = size.flips * clock_hz / size.turn(0)
    temperature = highest_temperature(size)
    return [
        Quantity("spins", f"{size.spins}, all with all", {"spins": size.spins}),
        _counted("spins compared at a time", size.window or size.spins, "window"),
        Quantity(
            "couplings",
            f"{size.coupling_bits} bits, {-coupling} to {coupling}",
            {"coupling_bits": size.coupling_bits, "greatest_coupling": coupling},
        ),
        Quantity(
            "local fields",
            f"{size.field_bits} bits, {-field} to {field}",
            {"field_bits": size.field_bits, "greatest_field": field},
        ),
        Quantity(
            "replicas",
            f"{size.replicas}{', along a ring' if size.ring else ''}",
            {"replicas": size.replicas, "ring": bool(size.ring)},
        ),
        Quantity(
            "methods",
            "annealing"
            + ", quantum (simulated quantum annealing)" * size.ring
            + ", tempering (parallel tempering)" * size.tempering,
            {"tempering": bool(size.tempering)},
        ),
        Quantity("highest temperature", f"{temperature:.3g}", {"highest_temperature": temperature}),
        _counted("steps of a schedule", size.steps, "steps"),
        Quantity(
            "flips",
            f"{flips / 1e6:g} million a second at most",
            {"flips_per_second": flips},
        ),
    ]


def _spatial(size: SpatialSize, clock_hz: int) -> list[Quantity]:
    cycles = latency(size)
    return [
        Quantity(
            "shape",
            size.shape_text,
            {"features": size.inputs, "components": size.components, "outputs": size.outputs},
        ),
        Quantity(
            "widths",
            f"values of {size.value_bits} bits, weights of {size.weight_bits}",
            {"value_bits": size.value_bits, "weight_bits": size.weight_bits},
        ),
        Quantity(
            "latency",
            f"{cycles} cycles, {cycles / clock_hz * 1e9:.0f} ns",
            {"cycles": cycles},
        ),
    ]


def _counted(name: str, count: int, key: str) -> Quantity:
    return Quantity(name, str(count), {key: count})


_QUANTITIES: dict[int, Callable[[Any, int], list[Quantity]]] = {
    EngineKind.CONTRACTOR: _contractor,
    EngineKind.ANNEALER: _annealer,
    EngineKind.SPATIAL: _spatial,
}
"""What to say of each engine, by `EngineKind`: called with its size and its clock in Hz."""
