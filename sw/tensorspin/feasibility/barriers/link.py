"""Links between a device and an appliance, and how long an exchange takes on them; modelled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .figure import CITED, MODELLED, Figure


@dataclass(frozen=True)
class Link:
    """A link between a device and the appliance with the processor.

    Parameters
    ----------
    name : str
        Its name.
    round_trip : Figure
        Median time of an exchange of small messages in seconds.
    spread : float
        Standard deviation of the natural logarithm of that time, whose distribution is assumed to
        be log-normal.
    up, down : float
        Rates in bits per second; 0 where the round trip has all of it.
    frame_bytes : int or None
        Most bytes of a message. None: messages may be of any length.
    by_gateway : bool
        Whether the device sends levels, one byte a feature, of which a gateway makes the request,
        and gets two bytes back. Otherwise the device itself sends JSON.

    Examples
    --------
    >>> LINKS["lan"].payload(levels=8, request=260, answer=400)
    (260, 400)
    >>> LINKS["lora"].payload(levels=8, request=260, answer=400)
    (8, 2)
    """

    name: str
    round_trip: Figure
    spread: float
    up: float
    down: float
    frame_bytes: int | None = None
    by_gateway: bool = False

    def payload(self, levels: int, request: int, answer: int) -> tuple[int, int]:
        """Return the bytes that travel in both directions.

        Parameters
        ----------
        levels : int
            Bytes of a sample's levels.
        request, answer : int
            Bytes of the appliance's JSON.

        Returns
        -------
        sent, received : int
            Bytes up and down.
        """
        return (levels, _ANSWER_BYTES) if self.by_gateway else (request, answer)

    def seconds(self, sent: int, received: int, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the times of exchanges.

        Parameters
        ----------
        sent, received : int
            Bytes up and down.
        count : int
            Number of exchanges.
        rng : numpy.random.Generator
            Where the draws are from.

        Returns
        -------
        ndarray of float64 of shape (count,)
            Seconds.
        """
        median = self.round_trip.number
        drawn = median * np.exp(self.spread * rng.standard_normal(count))
        if self.frame_bytes is not None:
            frames = -(-sent // self.frame_bytes)
            last = sent - (frames - 1) * self.frame_bytes
            on_air = (frames - 1) * time_on_air(self.frame_bytes) + time_on_air(last)
            return drawn * frames + on_air + time_on_air(received)
        return drawn + 8 * sent / self.up + 8 * received / self.down


def time_on_air(payload: int) -> float:
    """Compute how long a LoRaWAN message is on the air at data rate 0 (SF12, 125 kHz).

    Parameters
    ----------
    payload : int
        Bytes of the application; LoRaWAN adds 13.

    Returns
    -------
    float
        Seconds, by the formula of the datasheet of Semtech's SX1276, section 4.1.1.7.

    Examples
    --------
    >>> round(time_on_air(51), 2)
    2.79
    """
    symbol = 2**12 / 125e3
    # Explicit header, checksum, coding rate 4/5, and the optimisation for long symbols.
    blocks = math.ceil((8 * (payload + _LORAWAN_BYTES) - 4 * 12 + 28 + 16) / (4 * (12 - 2)))
    return (8 + 4.25 + 8 + max(blocks * 5, 0)) * symbol


_LORAWAN_BYTES = 13
"""Bytes of LoRaWAN's header, port and checksum."""

_ANSWER_BYTES = 2
"""Bytes of an answer that a gateway shortens: P0 in 16 bits."""


def _assumed(seconds: float, what: str) -> Figure:
    return Figure(seconds, "s", MODELLED, f"assumed for {what}")


LINKS = {
    "lan": Link("lan", _assumed(1e-3, "Ethernet in a building"), 0.3, 1e8, 1e8),
    "wifi": Link("wifi", _assumed(5e-3, "a wireless network in a building"), 0.8, 2e7, 2e7),
    "lte": Link("lte", _assumed(50e-3, "a cellular network of the 4th generation"), 0.5, 5e6, 2e7),
    "nbiot": Link(
        "nbiot",
        Figure(0.837, "s", CITED, "Ugwuanyi, Paul and Irvine 2021, Electronics 10(18), 2224"),
        *(0.4, 16.9e3, 26e3),
        by_gateway=True,
    ),
    "lora": Link(
        "lora",
        Figure(1.0, "s", CITED, "LoRaWAN class A: the first window to receive opens after 1 s"),
        *(0.0, 0.0, 0.0),
        frame_bytes=51,
        by_gateway=True,
    ),
}
"""Links by name. Spreads and rates are assumed; 51 bytes are LoRaWAN's at data rate 0 in Europe."""
