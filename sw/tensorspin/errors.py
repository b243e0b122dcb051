"""The exceptions of the package.

Arguments that are wrong in themselves (a shape, a range) raise `ValueError` or `TypeError`, as
everywhere in Python. The exceptions of this module report what no argument can be blamed for: a
device, the line to it, or something that is larger than a device holds.

This module imports nothing of the project, so that every other module may raise its exceptions.
"""

from __future__ import annotations


class TensorspinError(Exception):
    """Base of all exceptions of the package."""


class TransportError(TensorspinError):
    """The line to the device cannot be opened, or broke while it was in use."""


class BaudRateError(TransportError):
    """The serial port exists, but does not support the baud rate."""


class LinkError(TensorspinError):
    """The device does not answer, or the line loses more than the driver can repair."""


class ProtocolVersionError(TensorspinError):
    """The device speaks another version of the protocol than this driver.

    Parameters
    ----------
    message : str
        Text of the error, for the user.
    device, driver : int
        The protocol version of the device, and that of this driver.
    """

    def __init__(self, message: str, device: int, driver: int) -> None:
        super().__init__(message, device, driver)
        self.message = message
        self.device = device
        self.driver = driver

    def __str__(self) -> str:
        return self.message


class DeviceError(TensorspinError):
    """The device refused a request, or lost its program.

    Parameters
    ----------
    message : str
        Text of the error, for the user.
    status : int
        The status code in the device's reply: a `tensorspin.contract.wire.packets.Status` if the
        driver knows the code, otherwise a plain integer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return self.message


class InterruptedRunError(TensorspinError):
    """A run was stopped because the user's function asked for it; the device is free again."""


class CapacityError(TensorspinError):
    """Something is larger than the device holds.

    Parameters
    ----------
    what : str
        The quantity that is too large, with its unit.
    needed, limit : int
        The quantity that is needed, and the greatest that the device holds.
    advice : str, default=""
        What the user can do about it; may be empty.

    Examples
    --------
    >>> print(CapacityError("steps of the schedule", 12, 8))
    steps of the schedule: 12 needed, the device holds 8
    """

    def __init__(self, what: str, needed: int, limit: int, advice: str = "") -> None:
        # The base class is given all arguments because pickle passes them to the constructor again:
        # joblib sends exceptions from worker processes that way.
        super().__init__(what, needed, limit, advice)
        self.what = what
        self.needed = needed
        self.limit = limit
        self.advice = advice

    def __str__(self) -> str:
        message = f"{self.what}: {self.needed} needed, the device holds {self.limit}"
        return f"{message}; {self.advice}" if self.advice else message


class CapacityWarning(UserWarning):
    """A network is about to be trained that no board will hold; on the host it works.

    Examples
    --------
    >>> import warnings
    >>> warnings.simplefilter("error", CapacityWarning)  # refuse such networks
    """
