"""What a microcontroller is given: constants of the protocol, and programs for one board.

`constants` writes the protocol's constants for clients that are not in Python. `model` makes of a
program all that such a client needs, with the `thresholds` that make levels of readings. `c_header`
and `model_file` write it: for the driver in C, and as a file that MicroPython reads in pieces.
"""

from .c_header import model_header
from .model import ClientModel
from .model_file import model_bytes
from .thresholds import Thresholds

__all__ = ["ClientModel", "Thresholds", "model_bytes", "model_header"]
