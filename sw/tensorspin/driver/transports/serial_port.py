"""The transport to a real board: a serial port, through pySerial."""

from __future__ import annotations

import contextlib
import errno
import os
import time

import serial
import serial.tools.list_ports

from ...contract.device.boards import BOARDS
from ...errors import BaudRateError, TransportError
from ..usb.udev import INSTALL
from .base import Transport

_POLL = 0.01
"""Time-out in seconds of one read of the port. It is constant, because pySerial sets up the whole
port anew whenever it changes; `SerialTransport.read` repeats reads until its own time-out."""

_LOW_LATENCY = 0.004
"""Seconds that an answer may be held back when the adapter sends every millisecond, with a margin
for the operating system."""

_WRITE_TIMEOUT = 5.0
"""Time-out in seconds of a write. A window of requests takes a small part of it at any rate in use,
so that only an adapter that hangs reaches it."""


class SerialTransport(Transport):
    """A port of pySerial, opened for this process alone.

    Parameters
    ----------
    url : str
        Device path or URL, as `serial.serial_for_url` takes it.
    baud : int
        Bits per second.

    Raises
    ------
    TransportError
        If the port is missing, forbidden or in use.
    BaudRateError
        If it doesn't know the rate.
    """

    latency = 0.02
    """Seconds that a byte may be held back. An FTDI adapter holds back short answers for 16 ms,
    unless the operating system sets it to its low-latency mode."""

    def __init__(self, url: str, baud: int) -> None:
        self.url = url
        self.baud = baud
        try:
            self._port = serial.serial_for_url(
                url,
                baudrate=baud,
                timeout=_POLL,
                write_timeout=_WRITE_TIMEOUT,
                exclusive=True,
                do_not_open=True,
            )
        except (OSError, ValueError) as error:  # A SerialException is an OSError.
            raise TransportError(_explain(url, error)) from error
        try:
            self._port.open()
        except OSError as error:
            raise TransportError(_explain(url, error)) from error
        except Exception as error:
            # A rate that the port doesn't know: pySerial passes on what the operating system's
            # driver said, such as a ValueError or a termios.error.
            raise BaudRateError(f"{url} refused {baud} baud: {error}") from error
        # Only Linux knows this mode, and only for real adapters. Without it all works, more slowly.
        with contextlib.suppress(AttributeError, NotImplementedError, OSError, ValueError):
            self._port.set_low_latency_mode(True)
            self.latency = _LOW_LATENCY

    def write(self, data: bytes) -> None:
        """Send all of `data`; see `Transport.write`."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise TransportError(
                f"{self.url} took no data for {_WRITE_TIMEOUT:g} s; unplug the adapter and plug it "
                f"in again"
            ) from error
        except (OSError, TypeError) as error:
            raise TransportError(self._lost(error)) from error

    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived; see `Transport.read`."""
        deadline = self.now() + timeout
        try:
            while True:
                data = self._port.read(max(1, self._port.in_waiting))
                if data or self.now() >= deadline:
                    return data
        # pySerial raises a TypeError when the port is closed while it reads.
        except (OSError, TypeError) as error:
            raise TransportError(self._lost(error)) from error

    def now(self) -> float:
        """Read the transport's clock in seconds; see `Transport.now`."""
        return time.monotonic()

    def close(self) -> None:
        """Release the device; see `Transport.close`."""
        with contextlib.suppress(OSError):  # An unplugged adapter is closed enough.
            self._port.close()

    def _lost(self, error: Exception) -> str:
        return f"lost {self.url} ({error}); is it still plugged in? Open the board again"


def _explain(url: str, error: Exception) -> str:
    """Say why a port can't be opened, and what to do."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN):
        return (
            f"{url} is in use by another program; close that program (a terminal, another Python "
            f"session) or choose another port"
        )
    if number == errno.EACCES and os.name == "nt":
        return f"{url} is in use by another program; close that program or choose another port"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"no permission to open {url}: {_group_advice(url)}, then log in again; or install the "
            f"udev rules: {INSTALL}"
        )
    if os.path.isfile(url):
        return (
            f"{url} is a file, and no board; tensorspin estimate {url} says what fits a board, and "
            f"tensorspin run, predict or anneal use it on one"
        )
    if os.path.isdir(url):
        return f"{url} is a folder, and no board; {_ports_found()}"
    missing = number in (errno.ENOENT, errno.ENODEV, errno.ENXIO)
    if missing or "no ports found" in text or "FileNotFoundError" in text:
        virtual = f"did you mean sim://{url}? " if url in BOARDS else ""
        return f"there is no port {url}; {virtual}{_ports_found()}"
    return f"cannot open {url}: {text}; {_ports_found()}"


def _group_advice(url: str) -> str:
    """Say which group may use the port: dialout on Debian, uucp on Arch, or what the file says."""
    try:
        import grp

        group = grp.getgrgid(os.stat(url).st_gid).gr_name
    except (ImportError, KeyError, OSError):
        group = "root"
    if group == "root":
        return "add yourself to the group that owns serial ports (dialout or uucp)"
    return f"add yourself to the group {group} (sudo usermod -aG {group} $USER)"


def _ports_found() -> str:
    ports = sorted(serial.tools.list_ports.comports())
    if not ports:
        return "no serial ports were found: is the board plugged in?"
    return "ports found: " + ", ".join(f"{port.device} ({port.description})" for port in ports)
