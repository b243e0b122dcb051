"""An SPI port of a Linux computer, such as a Raspberry Pi: the devices spidev and gpiochip."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, unquote

from ...contract.device.line import SCK_HZ
from ...errors import TransportError
from ..usb.udev import FILE, GROUP, WRITE
from .spi import SPITransport

DEFAULT_HZ = 10_000_000
"""Frequency of SCK in Hz if the URL gives none: jumper wires of 20 cm carry it."""

BUFFER_SIZE = Path("/sys/module/spidev/parameters/bufsiz")
"""Where the kernel's driver tells how many bytes a transaction may have."""

DEVICES = Path("/dev")
"""Where the kernel's devices are."""

DEFAULT_BUFFER = 4096
"""The kernel's default of that number, and the most that the package spidev takes at once."""

_EXAMPLE = "spi:///dev/spidev0.0?speed=20000000&irq=gpiochip0:25"

_NUMBERS = re.compile(r"/dev/spidev(\d+)\.(\d+)", re.ASCII)

_IRQ = re.compile(r"(?:/dev/)?(gpiochip\w+):(\d{1,5})", re.ASCII)


@dataclass(frozen=True)
class SPISettings:
    """What a URL of an SPI port says.

    Parameters
    ----------
    path : str
        Path of the port's device, as ``/dev/spidev0.0``: the second number is that of CS#.
    speed_hz : int
        Frequency of SCK in Hz.
    irq : tuple of (str, int), optional
        Path of the GPIO chip and number of its line at which the board's interrupt is; None if it
        is not wired.

    Examples
    --------
    >>> settings = SPISettings.parse("spi:///dev/spidev0.0?speed=20e6&irq=gpiochip0:25")
    >>> settings.speed_hz, settings.irq
    (20000000, ('/dev/gpiochip0', 25))
    """

    path: str
    speed_hz: int = DEFAULT_HZ
    irq: tuple[str, int] | None = None

    @classmethod
    def parse(cls, url: str) -> SPISettings:
        """Take a URL apart.

        Parameters
        ----------
        url : str
            ``spi://PATH``, which may be followed by ``?speed=HZ`` and ``&irq=CHIP:LINE``.

        Returns
        -------
        SPISettings
            The settings.

        Raises
        ------
        TransportError
            If there is no path, a setting is unknown or given twice, or its value is impossible.
        """
        path, _, query = url.partition("://")[2].partition("?")
        path = unquote(path)
        if not path.startswith("/"):
            raise _refusal(url, f"the path of the port must begin with a slash, not {path!r}")
        settings: dict[str, str] = {}
        # A plus is one, as in 1e+7, and no space as in forms.
        for name, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True):
            if name not in ("speed", "irq"):
                raise _refusal(url, f"there is no setting {name!r}, only speed and irq")
            if name in settings:
                raise _refusal(url, f"{name} must be given once, not twice")
            settings[name] = value
        if query and not settings:
            raise _refusal(url, f"settings have the form NAME=VALUE, not {query!r}")
        speed = _read_speed(url, settings.get("speed", str(DEFAULT_HZ)))
        irq = _read_irq(url, settings["irq"]) if "irq" in settings else None
        return cls(path, speed, irq)


class LinuxController:
    """A `Controller` made of a port of spidev and, for the interrupt, a line of a GPIO chip.

    Parameters
    ----------
    settings : SPISettings
        What to open.

    Raises
    ------
    TransportError
        If a package is not installed, or a device is missing, forbidden or in use.
    """

    latency = 0.004
    """Seconds that the operating system may let a program wait, with a margin."""

    def __init__(self, settings: SPISettings) -> None:
        self._settings = settings
        self.rate = float(settings.speed_hz)
        self.most_bytes = buffer_size()
        self.has_interrupt = settings.irq is not None
        self._irq: Any = None
        spidev = _import_spidev()
        self._line = _import_gpiod() if settings.irq else None
        self._port = spidev.SpiDev()
        try:
            self._open_port()
            if settings.irq:
                self._irq = self._request(*settings.irq)
        except BaseException:
            self.close()
            raise

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes in one transaction; see `Controller.transfer`."""
        try:
            return bytes(self._port.xfer2(data))
        except OSError as error:
            raise self._lost(error) from error

    def wait(self, timeout: float) -> bool:
        """Wait until the interrupt is high; see `Controller.wait`."""
        if self._irq is None:
            time.sleep(max(0.0, timeout))
            return False
        deadline = self.now() + timeout
        try:
            while True:
                if self._level():
                    return True
                remaining = deadline - self.now()
                if remaining <= 0:
                    return False
                # Edges of the past end this wait, too. Then the level is read again.
                if self._irq.wait_edge_events(remaining):
                    self._irq.read_edge_events()
        except OSError as error:
            raise self._lost(error) from error

    def now(self) -> float:
        """Read the computer's clock in seconds; see `Controller.now`."""
        return time.monotonic()

    def describe(self) -> str:
        """Describe the wires; see `Controller.describe`."""
        irq = self._settings.irq
        how = f"interrupt at line {irq[1]} of {irq[0]}" if irq else "no interrupt"
        return f"SPI at {self.rate / 1e6:g} MHz at most, {how}"

    def close(self) -> None:
        """Release port and line; see `Controller.close`."""
        irq, self._irq = self._irq, None
        # What is gone is closed enough.
        with contextlib.suppress(OSError):
            if irq is not None:
                irq.release()
        with contextlib.suppress(OSError):
            self._port.close()

    def _open_port(self) -> None:
        path = self._settings.path
        try:
            numbers = _NUMBERS.fullmatch(path)
            if numbers:
                self._port.open(int(numbers[1]), int(numbers[2]))
            else:  # a link, as udev makes them; older versions of the package can't open it
                self._port.open_path(path)
            _lock(self._port.fileno())
        except OSError as error:
            raise TransportError(_explain_port(path, error)) from error
        try:
            self._port.mode = 0
            self._port.bits_per_word = 8
            self._port.max_speed_hz = self._settings.speed_hz
        except (OSError, OverflowError, TypeError, ValueError) as error:
            raise TransportError(
                f"{path} refused mode 0 with 8 bits at {self._settings.speed_hz} Hz ({error}); try "
                f"another speed"
            ) from error

    def _request(self, chip: str, line: int) -> Any:
        import gpiod

        assert self._line is not None
        settings = gpiod.LineSettings(
            direction=self._line.Direction.INPUT, edge_detection=self._line.Edge.RISING
        )
        try:
            return gpiod.request_lines(chip, config={line: settings}, consumer="tensorspin")
        except (OSError, ValueError) as error:
            raise TransportError(_explain_line(chip, line, error)) from error

    def _level(self) -> bool:
        assert self._line is not None and self._settings.irq is not None
        return self._irq.get_value(self._settings.irq[1]) == self._line.Value.ACTIVE

    def _lost(self, error: Exception) -> TransportError:
        return TransportError(f"lost {self._settings.path} ({error}); open the board again")


def open_spi(url: str) -> SPITransport:
    """Open an SPI port of this computer.

    Parameters
    ----------
    url : str
        URL as of `SPISettings.parse`.

    Returns
    -------
    SPITransport
        The open transport.

    Raises
    ------
    TransportError
        If the URL is wrong, a package is not installed, or a device is missing, forbidden or in
        use.
    """
    return SPITransport(url, LinuxController(SPISettings.parse(url)))


def buffer_size() -> int:
    """Read how many bytes a transaction may have.

    Returns
    -------
    int
        The kernel's limit, at most `DEFAULT_BUFFER`, which is also the limit where the kernel does
        not tell.

    Examples
    --------
    >>> 1 <= buffer_size() <= DEFAULT_BUFFER
    True
    """
    try:
        size = int(BUFFER_SIZE.read_text())
    except (OSError, ValueError):
        return DEFAULT_BUFFER
    return min(DEFAULT_BUFFER, size) if size > 0 else DEFAULT_BUFFER


def spi_ports() -> list[str]:
    """List the SPI ports of this computer.

    Returns
    -------
    list of str
        Their URLs.

    Examples
    --------
    >>> [port for port in spi_ports() if not port.startswith("spi:///dev/spidev")]
    []
    """
    return sorted(f"spi://{path}" for path in DEVICES.glob("spidev*"))


def _read_speed(url: str, text: str) -> int:
    least, greatest = SCK_HZ
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not least <= speed <= greatest:  # NaN is not in between
        raise _refusal(url, f"speed must be {least:g} to {greatest:g} Hz, not {text!r}")
    return round(speed)


def _read_irq(url: str, text: str) -> tuple[str, int]:
    found = _IRQ.fullmatch(text)
    if found is None:
        raise _refusal(url, f"irq must be a GPIO chip and a line, as gpiochip0:25, not {text!r}")
    return f"/dev/{found[1]}", int(found[2])


def _refusal(url: str, reason: str) -> TransportError:
    return TransportError(f"cannot open {url}: {reason}; a URL has the form {_EXAMPLE}")


def _import_spidev() -> ModuleType:
    """Import the package for the port: boards at a serial port work without it."""
    try:
        import spidev
    except ImportError as error:
        raise _missing("spidev", error) from error
    return spidev


def _import_gpiod() -> ModuleType:
    """Import the package for the interrupt, and return its names of directions and levels."""
    try:
        import gpiod
    except ImportError as error:
        raise _missing("gpiod", error) from error
    if not hasattr(gpiod, "request_lines"):  # version 1, as some distributions have it
        raise _missing("gpiod", "its version is older than 2")
    from gpiod import line

    return line


def _missing(name: str, reason: object) -> TransportError:
    return TransportError(
        f"boards at an SPI port need the Python package {name} ({reason}); in tensorspin's "
        f"checkout, run `pip install '.[spi]'`; without one, `pip install 'WHEEL[spi]'`, where "
        f"WHEEL is the file of its wheel"
    )


def _lock(descriptor: int) -> None:
    """Keep a port for this process: the kernel would let two programs mix their bytes."""
    import fcntl  # Windows has none, and no spidev either.

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _explain_port(path: str, error: OSError) -> str:
    """Say why a port can't be opened, and what to do."""
    if error.errno in (errno.EAGAIN, errno.EBUSY):
        return (
            f"{path} is in use by another program; close that program (another Python session) or "
            f"choose another port"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        advice = _group_advice(path) or (
            f"install the udev rules: {WRITE}, then start the computer again"
        )
        return f"no permission to open {path}: {advice}"
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        found = spi_ports()
        listed = f"ports found: {', '.join(found)}" if found else "no SPI ports were found"
        return (
            f"there is no SPI port {path}; {listed}. On a Raspberry Pi switch SPI on (`sudo "
            f"raspi-config nonint do_spi 0`); elsewhere it is an overlay of the device tree"
        )
    return f"cannot open {path}: {error}; it must be a port of spidev, as /dev/spidev0.0"


def _explain_line(chip: str, line: int, error: Exception) -> str:
    """Say why the interrupt's line can't be had, and what to do."""
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return (
            f"line {line} of {chip} is in use (`gpioinfo` says by whom); end that program or "
            f"overlay, wire the interrupt to another pin, or leave irq out of the URL"
        )
    if number in (errno.EACCES, errno.EPERM):
        advice = _group_advice(chip) or (
            f"add this line to {FILE}, then start the computer again: "
            f'SUBSYSTEM=="gpio", KERNEL=="{Path(chip).name}", MODE="0660", GROUP="{GROUP}"'
        )
        return f"no permission to open {chip}: {advice}"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTTY):
        found = sorted(str(each) for each in DEVICES.glob("gpiochip*"))
        listed = f"chips found: {', '.join(found)}" if found else "no GPIO chips were found"
        return f"there is no GPIO chip {chip}; {listed} (`gpiodetect` says what each is)"
    return (
        f"cannot use line {line} of {chip} for the interrupt: {error}; `gpioinfo` lists the lines "
        f"of each chip"
    )


def _group_advice(path: str) -> str:
    """Say which group may use a device; empty if the group is root's or unknown."""
    try:
        import grp

        group = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (ImportError, KeyError, OSError):
        return ""
    if group == "root":
        return ""
    return f"add yourself to the group {group} (sudo usermod -aG {group} $USER), then log in again"
