"""Metrics of a server, in the format that Prometheus reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time where it is used
    import prometheus_client


class RequestMetrics:
    """Requests by route and status, and the time they took.

    Parameters
    ----------
    registry : prometheus_client.CollectorRegistry
        Where the metrics are.
    """

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        import prometheus_client

        self.registry = registry
        self._requests = prometheus_client.Counter(
            "tensorspin_requests_total",
            "Requests that were answered",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = prometheus_client.Histogram(
            "tensorspin_request_seconds",
            "Time from the request's head to the end of its answer",
            ["route"],
            registry=registry,
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Parameters
        ----------
        route : str
            Pattern of its path, of which there are few.
        status : int
            Its HTTP status.
        seconds : float
            Time that it took.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Write all metrics of the registry.

        Returns
        -------
        bytes
            Text in Prometheus' format.
        """
        import prometheus_client

        return prometheus_client.generate_latest(self.registry)


def new_registry() -> prometheus_client.CollectorRegistry:
    """Make a registry with the metrics of this process: memory, time, open files.

    Returns
    -------
    prometheus_client.CollectorRegistry
        The registry.
    """
    import prometheus_client

    registry = prometheus_client.CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    return registry
