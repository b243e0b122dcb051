"""The host's side of a board: load and run programs, anneal problems, recover from losses.

`board` is what users hold. It stands on `connection`, an open board with a driver for each of its
engines (`contractor`, `annealer`; `engine` is what all drivers have in common). The drivers ask the
device through `link` over one of the `transports`. `usb` finds boards among the serial ports.
"""

from .board import Board
from .link.measure import LinkReport

__all__ = ["Board", "LinkReport"]
