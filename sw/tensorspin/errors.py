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


class ServerLostError(TransportError):
    """The connection to a server of boards broke; what was asked for is not done."""


class BoardBusyError(TransportError):
    """A board that is shared was not free in time.

    Parameters
    ----------
    message : str
        Text of the error, for the user.
    retry_after : float, optional
        Seconds after which to try again, if the server has said it.

    Examples
    --------
    >>> BoardBusyError("64 clients wait already", 0.5).retry_after
    0.5
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


class LinkError(TensorspinError):
    """The device does not answer, or the line loses more than the driver can repair."""


class LostError(LinkError):
    """The device does not answer any more."""


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


class FaultError(DeviceError):
    """The device's answer shows that it does not compute what it was given.

    The cycles of a sample depend on nothing but the program, so that another number of them tells
    that the device has read another program than the one that was loaded: a bit in its memory has
    changed, or its clock is too fast. The driver has then made the device forget its program, and
    the next `tensorspin.Board.load` sends everything again. Faults that change neither cycles nor
    the form of an answer are not noticed so. A device with `ContractorSize.signature` notices them
    itself: its status is then ``CORRUPT``.

    Parameters
    ----------
    message : str
        Text of the error, for the user.

    Examples
    --------
    >>> str(FaultError("sample 0 took 12 cycles, not 28"))
    'sample 0 took 12 cycles, not 28'
    """

    def __init__(self, message: str, status: int = 0) -> None:
        # Unless the device itself has reported it, its status was OK.
        super().__init__(message, status)


class LockedError(DeviceError):
    """A locked board refuses a program: it has no tag of the board's key, or is too old a version.

    Parameters
    ----------
    message : str
        Text of the error, for the user.

    Examples
    --------
    >>> int(LockedError("the board is locked").status)
    10
    """

    def __init__(self, message: str, status: int = 10) -> None:
        # `tensorspin.contract.wire.packets.Status.DENIED`, which this module cannot import.
        super().__init__(message, status)


class SignatureError(TensorspinError):
    """A file is not what was signed with a key: it has changed, or has no signature of that key."""


class InterruptedRunError(TensorspinError):
    """A run was stopped because the user's function asked for it; the device is free again."""


class DeadlineError(TensorspinError):
    """Nobody has answered by the deadline: not the board, and not the remote beside it."""


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


class PoolError(TensorspinError):
    """No board of a pool is left to do what was asked for; nothing of it is returned.

    Parameters
    ----------
    message : str
        Text of the error, for the user.
    reasons : dict of str to str
        Why each board cannot do it, by its URL.

    Examples
    --------
    >>> PoolError("no board is left", {"/dev/ttyUSB1": "the cable"}).reasons
    {'/dev/ttyUSB1': 'the cable'}
    """

    def __init__(self, message: str, reasons: dict[str, str]) -> None:
        super().__init__(message, reasons)
        self.message = message
        self.reasons = reasons

    def __str__(self) -> str:
        return self.message


class PoolCapacityError(PoolError, CapacityError):
    """No board of a pool can hold a model.

    Parameters
    ----------
    message : str
        Text of the error, for the user, with each board's limit.
    reasons : dict of str to str
        Why each board cannot hold it, by its URL.
    nearest : CapacityError
        The error of the board that comes nearest to holding it.

    Examples
    --------
    >>> nearest = CapacityError("spins", 300, 256)
    >>> error = PoolCapacityError("no board holds the model", {}, nearest)
    >>> isinstance(error, CapacityError), error.limit
    (True, 256)
    """

    def __init__(self, message: str, reasons: dict[str, str], nearest: CapacityError) -> None:
        Exception.__init__(self, message, reasons, nearest)
        self.message, self.reasons, self.nearest = message, reasons, nearest
        self.what, self.needed = nearest.what, nearest.needed
        self.limit, self.advice = nearest.limit, nearest.advice


class ShapeError(TensorspinError):
    """A network has another shape than the spatial engine that should run it, or no shape for one.

    Examples
    --------
    >>> raise ShapeError("the engine runs networks of 4 features, not of 8")
    Traceback (most recent call last):
        ...
    tensorspin.errors.ShapeError: the engine runs networks of 4 features, not of 8
    """


class CapacityWarning(UserWarning):
    """A network is about to be trained that no board will hold; on the host it works.

    Examples
    --------
    >>> import warnings
    >>> warnings.simplefilter("error", CapacityWarning)  # refuse such networks
    """


class PrecisionWarning(UserWarning):
    """A model is annealed though rounding to the device's integers has changed it much.

    Examples
    --------
    >>> import warnings
    >>> from tensorspin.errors import PrecisionWarning
    >>> warnings.simplefilter("error", PrecisionWarning)  # refuse such models
    """


class BoardLostWarning(UserWarning):
    """A board of a pool has failed. Other boards do its work, and it is tried again later.

    Examples
    --------
    >>> import warnings
    >>> from tensorspin.errors import BoardLostWarning
    >>> warnings.simplefilter("error", BoardLostWarning)  # go on with all boards, or not at all
    """
