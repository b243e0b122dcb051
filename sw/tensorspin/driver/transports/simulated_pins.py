"""An SPI controller whose wires end at the simulated pins of the gateware."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ...contract.device.boards import BoardSpec
from ...errors import TransportError
from .simulated import simulation
from .spi import SPITransport

if TYPE_CHECKING:
    from tensorspin_gateware.simulation.pins import VirtualPins


class SimulatedController:
    """A `Controller` on the simulation's clock, whose own work takes no time.

    Parameters
    ----------
    pins : VirtualPins
        The device's pins. The controller closes them.
    """

    latency = 50e-6
    """Seconds that the gateware's link may take to answer: some hundred clock cycles."""

    most_bytes = 4096
    """Bytes of a transaction at most: as many as Linux allows by default."""

    has_interrupt = True
    """The pin is simulated, too."""

    def __init__(self, pins: VirtualPins) -> None:
        self._pins = pins
        self.rate = pins.sck_hz

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes in one transaction; see `Controller.transfer`."""
        self._pins.select(True)
        received = self._pins.transfer(data)
        self._pins.select(False)
        return received

    def wait(self, timeout: float) -> bool:
        """Wait until the interrupt is high; see `Controller.wait`."""
        # Time passes in calls only: with less than a cycle, a loop of waits would never end.
        return self._pins.wait_for_irq(max(timeout, 1 / self._pins.clock_hz))

    def now(self) -> float:
        """Read the simulation's clock in seconds; see `Controller.now`."""
        return self._pins.now()

    def describe(self) -> str:
        """Describe the wires; see `Controller.describe`."""
        return f"SPI at {self._pins.sck_hz / 1e6:g} MHz, simulated bit by bit"

    def close(self) -> None:
        """Free the simulation; see `Controller.close`."""
        self._pins.close()


def read_settings(board: BoardSpec, query: str) -> float:
    """Read the settings in the URL of a simulated board.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    query : str
        What follows the question mark in the URL: nothing, or ``sck=`` and a frequency in Hz.

    Returns
    -------
    float
        Frequency of SCK in Hz; by default the greatest that the row allows.

    Raises
    ------
    TransportError
        If the query is another.
    """
    if not query:
        return board.baud
    settings = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))  # 1e+7
    try:
        ((name, value),) = settings.items()
        if name != "sck":
            raise ValueError(f"there is no setting {name!r}")
        return float(value)
    except ValueError:
        raise TransportError(
            f"cannot open sim://{board.name}?{query}: the only setting is sck, the frequency of "
            f"SCK in Hz, as in sim://{board.name}?sck=10e6"
        ) from None


def open_pins(board: BoardSpec, query: str) -> SPITransport:
    """Open the pins of a simulated board.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table whose line is SPI.
    query : str
        Settings as of `read_settings`.

    Returns
    -------
    SPITransport
        The open transport.

    Raises
    ------
    TransportError
        If the settings are wrong or the frequency is out of range, or the gateware package or its
        tools are not installed.
    """
    url = f"sim://{board.name}" + (f"?{query}" if query else "")
    sck_hz = read_settings(board, query)
    with simulation(url):
        from tensorspin_gateware.simulation import pins

        return SPITransport(url, SimulatedController(pins.load(board.name, sck_hz)))
