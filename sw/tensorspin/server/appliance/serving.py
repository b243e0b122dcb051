"""Puts an appliance together, and serves it until a signal comes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ..entrance import Entrance
from ..gate import Gate
from ..listener import Stop, serve_on
from ..logs import record
from ..metrics import RequestMetrics, new_registry
from .compiler import Compiler
from .compiling import task
from .device import Choice, load_device
from .metrics import JobMetrics
from .routes import application, most_bytes
from .service import Service


@dataclass(frozen=True)
class Settings:
    """How an appliance is run.

    Parameters
    ----------
    choice : Choice
        Sampler and backend.
    entrance : Entrance
        Where to listen, with which certificate and tokens.
    queue : int
        Most jobs that wait.
    programs : int
        Most programs that are kept.
    keep : float
        Seconds for which results are kept.
    grace : float
        Seconds that running jobs have to end when the appliance is stopped.
    """

    choice: Choice
    entrance: Entrance
    queue: int
    programs: int
    keep: float
    grace: float


def serve(settings: Settings, started: Callable[[str, str], None]) -> bool:
    """Serve an appliance until Ctrl-C or SIGTERM.

    Parameters
    ----------
    settings : Settings
        How.
    started : callable
        Called with the address and the device's name as soon as requests are taken.

    Returns
    -------
    bool
        Whether everything has ended; False if a job still runs on the device.

    Raises
    ------
    ValueError, OSError
        If the settings cannot be used.
    ImportError
        If a library is not installed.
    """
    entrance = settings.entrance.open()
    with entrance.listening:
        device = load_device(settings.choice)
        url = entrance.url
        registry = new_registry()
        requests = RequestMetrics(registry)
        # What belongs to an event loop is made before it runs, which Python allows since 3.10.
        service = Service(
            device,
            Compiler(task(device), settings.programs),
            settings.queue,
            settings.keep,
            JobMetrics(registry),
        )

        def ready() -> None:
            record("start", url=url, sampler=device.name, qubits=device.qubits, process=os.getpid())
            started(url, device.name)

        gate = Gate(application(service, requests), entrance.tokens, most_bytes, requests)
        serve_on(entrance.listening, gate, entrance.tls, Stop(service.drain), ready, settings.grace)
    return not service.busy
