"""Metrics of an appliance: its queue, its device, and what became of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time where it is used
    import prometheus_client


class JobMetrics:
    """Counters and times of jobs.

    Parameters
    ----------
    registry : prometheus_client.CollectorRegistry
        Where the metrics are.
    """

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        import prometheus_client

        self._registry = registry
        counter, histogram = prometheus_client.Counter, prometheus_client.Histogram
        self.jobs = counter(
            "tensorspin_appliance_jobs_total",
            "Jobs that have ended, by how",
            ["state"],
            registry=registry,
        )
        self.refused = counter(
            "tensorspin_appliance_refused_total",
            "Jobs for which the queue was full",
            registry=registry,
        )
        self.device_calls = counter(
            "tensorspin_appliance_device_calls_total",
            "Jobs that the device began",
            registry=registry,
        )
        self.late = counter(
            "tensorspin_appliance_late_total",
            "Results that came after their job had expired or was cancelled",
            registry=registry,
        )
        self.queue_seconds = histogram(
            "tensorspin_appliance_queue_seconds",
            "Time in the queue of jobs that were run",
            registry=registry,
        )
        self.device_seconds = histogram(
            "tensorspin_appliance_device_seconds",
            "Time on the device",
            registry=registry,
        )

    def watch(
        self, waiting: Callable[[], int], kept: Callable[[], int], programs: Callable[[], int]
    ) -> None:
        """Show numbers that are asked for when the metrics are read.

        Parameters
        ----------
        waiting, kept, programs : callable
            Give the jobs that wait, the jobs that are kept, and the programs that are kept.
        """
        import prometheus_client

        for name, text, function in (
            ("waiting", "Jobs that wait", waiting),
            ("kept_jobs", "Jobs that wait, run, or have ended and may be asked for", kept),
            ("programs", "Compiled programs that are kept", programs),
        ):
            gauge = prometheus_client.Gauge(
                f"tensorspin_appliance_{name}", text, registry=self._registry
            )
            gauge.set_function(function)
