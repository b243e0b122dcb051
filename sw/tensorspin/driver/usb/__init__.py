"""Boards as USB devices: which serial port is which board, and who may open it."""

from .ports import PortGuess, guess_ports
from .udev import udev_rules

__all__ = ["PortGuess", "guess_ports", "udev_rules"]
