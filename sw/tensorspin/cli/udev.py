"""The command ``tensorspin udev``: rules by which Linux permits the use of boards."""

from __future__ import annotations


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    udev = commands.add_parser("udev", help="print rules by which Linux permits the use of boards")
    udev.set_defaults(command=_udev)


def _udev(options) -> int:
    from ..driver.usb.udev import udev_rules

    print(udev_rules(), end="")
    return 0
