"""The commands ``tensorspin ports`` and ``tensorspin udev``."""

from __future__ import annotations

from .errors import TransportError


def add(commands) -> None:
    """Add the parsers of the commands to what `argparse` calls subparsers."""
    ports = commands.add_parser("ports", help="list the serial ports, and guess what is behind")
    ports.set_defaults(command=_ports)
    udev = commands.add_parser("udev", help="print rules by which Linux permits the use of boards")
    udev.set_defaults(command=_udev)


def _ports(options) -> int:
    from .ports import guess_ports

    guesses = guess_ports()
    if not guesses:
        raise TransportError("no serial ports were found: is the board plugged in?")
    device, name = (max(len(getattr(each, of)) for each in guesses) for of in ("device", "name"))
    for guess in guesses:
        print(f"{guess.device:<{device}}  {guess.name:<{name}}  {guess}")
    return 0


def _udev(options) -> int:
    from .udev import udev_rules

    print(udev_rules(), end="")
    return 0
