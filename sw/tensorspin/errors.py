"""The exceptions of the package.

Arguments that are wrong in themselves (a shape, a range) raise `ValueError` or `TypeError` as
everywhere in Python; the exceptions here tell of the device, of the way to it, and of what fits.
"""

from __future__ import annotations

from .contract.wire.packets import Status


class TensorspinError(Exception):
    """Base of all exceptions of the package."""


class TransportError(TensorspinError):
    """The way to the device can't be opened, or broke."""


class BaudRateError(TransportError):
    """A serial port that is there doesn't know the rate."""


class LinkError(TensorspinError):
    """The device doesn't answer, or too much is lost on the line."""


class ProtocolVersionError(TensorspinError):
    """The device speaks another version of the protocol.

    Attributes
    ----------
    message : str
    device, driver : int
        The two versions.
    """

    def __init__(self, message: str, device: int, driver: int) -> None:
        super().__init__(message, device, driver)
        self.message = message
        self.device = device
        self.driver = driver

    def __str__(self) -> str:
        return self.message


class DeviceError(TensorspinError):
    """The device refused a request, or lost its model.

    Attributes
    ----------
    message : str
    status : Status or int
        Its answer; a plain integer if this driver knows no such status.
    """

    def __init__(self, message: str, status: Status | int) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return self.message


class CapacityError(TensorspinError):
    """Something is larger than the device holds.

    Attributes
    ----------
    what : str
        The quantity, with its unit.
    needed, limit : int
    advice : str
        What to do about it; may be empty.
    """

    def __init__(self, what: str, needed: int, limit: int, advice: str = "") -> None:
        # All arguments go to the base class, so that the exception survives pickling (joblib).
        super().__init__(what, needed, limit, advice)
        self.what = what
        self.needed = needed
        self.limit = limit
        self.advice = advice

    def __str__(self) -> str:
        message = f"{self.what}: {self.needed} needed, the device holds {self.limit}"
        return f"{message}; {self.advice}" if self.advice else message
