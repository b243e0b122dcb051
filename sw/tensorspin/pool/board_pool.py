"""Boards of this computer and of servers, used as one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Self

from ..driver.board import Board
from ..driver.link.session import DEFAULT_TIMEOUT, check_timeout
from ..driver.pool.addresses import checked_urls
from ..driver.pool.backend import Backend
from ..driver.pool.crew import Crew
from ..driver.pool.member import BoardStatistics, Member
from ..driver.transports import access_for, is_remote
from .predicting import PoolPrediction
from .sampling import PoolSampler


class BoardPool(PoolPrediction, PoolSampler):
    """Many boards, used as one: predicts as a deployed estimator, samples as a `BoardSampler`.

    Boards may be of different kinds; each does what it can hold. They are opened when they are
    first needed, each by a thread of its own, and take work from a common queue, the next piece
    when they have done one. What a piece is depends on the task alone: a group of samples, or a run
    of the annealer with its seed. So results do not depend on how many boards there are, or on
    which one does what: they are those of a single board, bit for bit.

    If a board fails, its piece goes to others, a `BoardLostWarning` tells so, and the board is
    tried again later, after pauses from one second to a minute. If one takes much longer than
    others, its piece is begun by a second board, too. A call has the results of all pieces, or
    raises a `PoolError` with each board's reason when none is left.

    Threads may share a pool; their calls then share the boards.

    Parameters
    ----------
    urls : sequence of str
        URLs as `Board.open` takes them: ports, ``sim://BOARD``, ``golden://BOARD``,
        ``https://HOST/BOARD``. A virtual board may be named several times.
    token : str, optional
        Token for servers. By default the one in the variable ``TENSORSPIN_TOKEN`` of the
        environment.
    certificate : str or Path, optional
        File with the servers' certificate, or of who signed it.
    queue_timeout : float, optional
        Seconds to wait for a turn at a board that a server shares; by default 60.
    timeout : float, default=2.0
        Seconds without progress after which a board is given up, as for `Board.open`.
    annealer : str, optional
        Name of a board, such as "ulx3s_25f_annealer", whose kind of annealer samples. By default
        that of the first board of `urls` which can hold the model.

    Raises
    ------
    TypeError, ValueError
        If `urls` is one string, is empty or names a port twice, if `timeout` or `annealer` is not
        what it must be, or if something is given for servers and there is none.
    TransportError
        If a virtual board has an unknown name.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import BoardPool, MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MPSClassifier(bond_dim=4, epochs=20, random_state=0).fit(X, y)
    >>> with BoardPool(["golden://icebreaker", "golden://ulx3s_25f_annealer"]) as pool:
    ...     pool.predict(model, X[::50]).tolist()
    ...     samples = pool.sample_ising({"a": 0.5}, {("a", "b"): -1.0}, num_sweeps=50, seed=1)
    [0, 1, 2]
    >>> float(samples.first.energy)
    -1.5
    """

    def __init__(
        self,
        urls: Iterable[str],
        *,
        token: str | None = None,
        certificate: str | Path | None = None,
        queue_timeout: float | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        annealer: str | None = None,
    ) -> None:
        check_timeout(timeout)
        super().__init__(annealer)
        self._urls = checked_urls(urls)
        self._timeout = timeout
        offered: dict[str, Any] = {
            "token": token,
            "certificate": certificate,
            "queue_timeout": queue_timeout,
        }
        self._access = {name: each for name, each in offered.items() if each is not None}
        if not any(map(is_remote, self._urls)):
            access_for(self._urls[0], **self._access)  # refuses what is for servers alone
        self._crew = Crew([self._member(url) for url in self._urls])

    def _member(self, url: str) -> Member:
        access: dict[str, Any] = self._access if is_remote(url) else {}
        opened = partial(Board.open, url, timeout=self._timeout, **access)
        # A golden model computes runs together, which is many times quicker.
        return Member(url, opened, together=url.lower().startswith("golden:"))

    @property
    def _backend(self) -> Backend:
        return self._crew

    @property
    def urls(self) -> tuple[str, ...]:
        """The boards."""
        return self._urls

    @property
    def url(self) -> str:
        """All boards as one word."""
        return ",".join(self._urls)

    def __len__(self) -> int:
        return len(self._urls)

    def statistics(self) -> list[BoardStatistics]:
        """Tell of each board what it has done so far, and how it is.

        Returns
        -------
        list of BoardStatistics
            One for each of `urls`.

        Examples
        --------
        >>> BoardPool(["golden://icebreaker"]).statistics()[0].state
        'closed'
        """
        return self._crew.statistics()

    def close(self) -> None:
        """Release all boards. They are opened again when they are needed.

        Calls of other threads are waited for.
        """
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        states = ", ".join(f"{each.url} ({each.state})" for each in self.statistics())
        return f"<BoardPool {states}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Give the pool itself: copies of an estimator share its boards."""
        return self

    def __reduce__(self) -> tuple:
        if "token" in self._access:
            raise TypeError(
                "a BoardPool with a token can't be pickled, as the token would be in the clear; "
                "set TENSORSPIN_TOKEN in the environment of both processes instead"
            )
        options: dict[str, Any] = {"timeout": self._timeout, **self._access}
        options["annealer"] = self._annealer_name
        return partial(type(self), self._urls, **options), ()  # the copy opens its own boards
