"""The command ``tensorspin udev``: udev rules that let users of Linux open the boards."""

from __future__ import annotations


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.set_defaults(command=_udev)


def _udev(options) -> int:
    from ..driver.usb.udev import udev_rules

    rules = udev_rules()
    options.report.say(rules.removesuffix("\n"))
    options.report.record(rules=rules)
    return 0
