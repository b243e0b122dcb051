"""What a board asks of the driver of each of its engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from .link.measure import LinkProbe


class EngineDriver(ABC):
    """The driver of one engine, as `tensorspin.driver.board.Board` sees it.

    A driver remembers what it has put on the device, so that it need not send it again. Its other
    methods, such as loading and running, belong to the engine.
    """

    @abstractmethod
    def link_probe(self) -> LinkProbe:
        """Give requests with which the line can be measured.

        Returns
        -------
        LinkProbe
            What they overwrite, the driver has forgotten.
        """

    @contextmanager
    def forgetting_losses(self) -> Iterator[None]:
        """Watch requests that find out whether the device has lost what it was sent.

        Yields
        ------
        None
            If the requests inside fail because of a loss, the driver forgets what was lost.
        """
        yield

    def doubt(self) -> None:
        """Learn that somebody else may have used the device since this driver did.

        What it holds must be asked for, or sent again, before it is relied on.
        """
        return  # A driver that trusts one session alone has nothing to do.

    def forget_model(self) -> None:
        """Forget the model that the device holds: it has answered that it holds none."""
        return  # A driver whose engine has no model has nothing to forget.
