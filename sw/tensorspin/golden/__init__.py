"""Bit-exact NumPy models of the engines, and of a whole device.

`contractor` and `annealer` model the engines: results bit for bit, and clock cycles exactly.
`device` puts them behind the packets of the line, so that the driver can talk to a device without
hardware or simulator; `engine` is what it asks of an engine, so that a new one can join.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {"GoldenDevice": "device", "GoldenEngine": "engine", "LateReply": "engine"}

__all__ = ["GoldenDevice", "GoldenEngine", "LateReply"]


def __getattr__(name: str) -> Any:
    # Imported late: the compiler counts cycles by one of the models and needs no other.
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
