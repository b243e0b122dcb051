"""Metrics of boards: turns, waits, clients, bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time where it is used
    import prometheus_client

_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Bounds of the buckets in which times are counted."""


class BoardMetrics:
    """Counters and times of boards, each with the board's name.

    Parameters
    ----------
    registry : prometheus_client.CollectorRegistry
        Where the metrics are.
    """

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        import prometheus_client

        counter, histogram = prometheus_client.Counter, prometheus_client.Histogram
        self._turns = counter(
            "tensorspin_board_turns_total",
            "Turns that have ended, by how",
            ["board", "end"],
            registry=registry,
        )
        self._refused = counter(
            "tensorspin_board_refused_total",
            "Clients for which the queue was full",
            ["board"],
            registry=registry,
        )
        self._bytes = counter(
            "tensorspin_board_bytes_total",
            "Bytes to and from the board",
            ["board", "direction"],
            registry=registry,
        )
        self._wait_seconds = histogram(
            "tensorspin_board_wait_seconds",
            "Time that clients have waited for their turn",
            ["board"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._turn_seconds = histogram(
            "tensorspin_board_turn_seconds",
            "Time that turns have taken",
            ["board"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._gauges = {
            name: prometheus_client.Gauge(
                f"tensorspin_board_{name}", text, ["board"], registry=registry
            )
            for name, text in (
                ("waiting", "Clients that wait for their turn"),
                ("clients", "Clients that are connected"),
                ("up", "Whether the board answers"),
            )
        }

    def watch(
        self,
        board: str,
        waiting: Callable[[], int],
        clients: Callable[[], int],
        up: Callable[[], bool],
    ) -> None:
        """Show numbers of a board that are asked for when the metrics are read.

        Parameters
        ----------
        board : str
            Name of the board.
        waiting, clients, up : callable
            Give the clients that wait, those that are connected, and whether the board is there.
        """
        for name, function in (("waiting", waiting), ("clients", clients), ("up", up)):
            self._gauges[name].labels(board).set_function(function)

    def waited(self, board: str, seconds: float) -> None:
        """Count a wait that has ended with a turn."""
        self._wait_seconds.labels(board).observe(seconds)

    def refused(self, board: str) -> None:
        """Count a client for which the queue was full."""
        self._refused.labels(board).inc()

    def ended(self, board: str, how: str, seconds: float) -> None:
        """Count a turn that has ended, and how."""
        self._turns.labels(board, how).inc()
        self._turn_seconds.labels(board).observe(seconds)

    def moved(self, board: str, sent: int, received: int) -> None:
        """Count bytes that the board was sent and has sent."""
        self._bytes.labels(board, "to").inc(sent)
        self._bytes.labels(board, "from").inc(received)
