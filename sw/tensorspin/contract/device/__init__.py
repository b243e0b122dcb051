"""A device as a whole: the engines that it can have, its description of itself, and the boards.

================ =================================================================
module           subject
================ =================================================================
`engines`        the list of all engines, and the engines of one device
`description`    what a device says of itself in reply to HELLO
`capabilities`   requests and memory spaces of a device, which its engines decide
`boards`         the table of supported boards: clocks, serial lines, engine sizes
`sizes`          engine sizes that fill an FPGA, for the table
`line`           the kinds of lines between a host and a board
`usb`            how boards and serial adapters show themselves on USB
================ =================================================================
"""

from ..engine import Engine, EngineKind, Space
from .boards import BOARDS, BoardSpec, find_board
from .capabilities import device_requests, device_spaces, space_owner
from .description import DeviceDescription, OtherProtocolError
from .engines import ENGINES, Engines, engine_of
from .usb import UsbDevice

__all__ = [
    "BOARDS",
    "BoardSpec",
    "DeviceDescription",
    "ENGINES",
    "Engine",
    "EngineKind",
    "Engines",
    "OtherProtocolError",
    "Space",
    "UsbDevice",
    "device_requests",
    "device_spaces",
    "engine_of",
    "find_board",
    "space_owner",
]
