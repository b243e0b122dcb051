"""Write the rules with which Linux' udev lets users access boards without root's rights."""

from __future__ import annotations

from ...contract.device.boards import BOARDS
from ...contract.device.usb import ADAPTERS

FILE = "/etc/udev/rules.d/70-tensorspin.rules"
"""File in which the rules belong. The tag ``uaccess``, by which systemd gives a device to whoever
sits at the computer, only works in files that sort before systemd's own, number 73."""

GROUP = "plugdev"
"""Group that may program boards over a network, as in the rules of other programmers. Where there
is no such group, udev ignores that part of the rule."""

WRITE = f"tensorspin udev | sudo tee {FILE}"
"""Command that writes the rules."""

INSTALL = f"{WRITE}, then plug the board in again"
"""Advice for somebody who has no permission to open a board."""


def udev_rules() -> str:
    """Write the content of `FILE`: one rule for each USB device of the board table, one for SPI.

    Whoever sits at the computer may use these devices, for programming and as serial ports, and the
    ports that the kernel offers for SPI (spidev).
    ModemManager, which would take any serial port for a modem, leaves them alone. Over a network,
    the group `GROUP` may program boards; serial ports stay with the group that the system gives
    them to.

    Returns
    -------
    str
        Lines of the file.

    Examples
    --------
    >>> from tensorspin.driver.usb import udev_rules
    >>> print(udev_rules().splitlines()[0])
    # Written by: tensorspin udev | sudo tee /etc/udev/rules.d/70-tensorspin.rules
    """
    users: dict[tuple[int, int], list[str]] = {}
    for row in BOARDS.values():
        if row.usb is not None:
            users.setdefault((row.usb.vendor, row.usb.product), []).append(row.title)
    for kind, usb in ADAPTERS.items():
        users.setdefault((usb.vendor, usb.product), []).append(f"{kind} adapters")
    lines = [
        f"# Written by: {WRITE}",
        'ACTION=="remove", GOTO="tensorspin_end"',
        "# SPI ports of the computer, for boards that are driven over SPI",
        f'SUBSYSTEM=="spidev", MODE="0660", GROUP="{GROUP}", TAG+="uaccess"',
        'SUBSYSTEM!="usb|tty|hidraw", GOTO="tensorspin_end"',
        "",
    ]
    for (vendor, product), titles in sorted(users.items()):
        lines += [f"# {title}" for title in dict.fromkeys(titles)]
        lines.append(
            f'ATTRS{{idVendor}}=="{vendor:04x}", ATTRS{{idProduct}}=="{product:04x}", '
            'TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1", ENV{TENSORSPIN}="1"'
        )
    group = f'ENV{{TENSORSPIN}}=="1", SUBSYSTEM!="tty", MODE="0660", GROUP="{GROUP}"'
    return "\n".join([*lines, "", group, "", 'LABEL="tensorspin_end"', ""])
