"""What a failed connection to an appliance means, as an exception of this package."""

from __future__ import annotations

from ...https import why_unreachable
from .errors import ApplianceError, ApplianceUnreachableError


def explain(error: BaseException, url: str) -> ApplianceError:
    """Turn an exception of the HTTP client into one that says what to do.

    Parameters
    ----------
    error : exception
        What was raised while an appliance was asked.
    url : str
        Address of the appliance.

    Returns
    -------
    ApplianceError
        The exception to raise instead.

    Examples
    --------
    >>> print(explain(ConnectionRefusedError(111, "refused"), "https://box:8443"))
    nobody listens at https://box:8443; start the appliance there, or check host and port
    """
    return ApplianceUnreachableError(why_unreachable(error, url, "appliance"))
