"""What can go wrong between a client and an appliance, each with what to do about it."""

from __future__ import annotations

from ...errors import TensorspinError


class ApplianceError(TensorspinError):
    """The appliance answered with an error, or could not be asked.

    Parameters
    ----------
    message : str
        Text of the error, for the user.
    status : int, optional
        HTTP status of the answer; None if there was none.
    code : str, default=""
        The appliance's word for the error, such as ``busy``.
    retry_after : float, optional
        Seconds after which the appliance asks to be tried again.

    Examples
    --------
    >>> ApplianceError("the queue is full", status=429, code="busy", retry_after=1.0).status
    429
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status, code, retry_after)  # all, as pickle passes them again
        self.message = message
        self.status = status
        self.code = code
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


class ApplianceUnreachableError(ApplianceError):
    """No connection: nobody listens, the name is unknown, or a certificate is not the right one.

    Examples
    --------
    >>> raise ApplianceUnreachableError("nobody listens at port 8443")
    Traceback (most recent call last):
    tensorspin.hybrid.appliance.errors.ApplianceUnreachableError: nobody listens at port 8443
    """


class ApplianceTimeoutError(ApplianceError, TimeoutError):
    """There was no answer in time.

    Examples
    --------
    >>> issubclass(ApplianceTimeoutError, TimeoutError)
    True
    """


class ApplianceAnswerError(ApplianceError):
    """An answer is damaged, or is none to the question: too few shots, another width.

    Examples
    --------
    >>> raise ApplianceAnswerError("200 shots were asked for, 100 came")
    Traceback (most recent call last):
    tensorspin.hybrid.appliance.errors.ApplianceAnswerError: 200 shots were asked for, 100 came
    """
