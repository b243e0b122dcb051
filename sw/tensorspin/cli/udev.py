"""The command ``tensorspin udev``: udev rules that let users of Linux open the boards."""

from __future__ import annotations


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    udev = commands.add_parser(
        "udev", help="print udev rules for Linux that let users open the boards without being root"
    )
    udev.set_defaults(command=_udev)


def _udev(options) -> int:
    from ..driver.usb.udev import udev_rules

    rules = udev_rules()
    options.report.say(rules.removesuffix("\n"))
    options.report.record(rules=rules)
    return 0
