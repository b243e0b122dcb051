"""The command ``tensorspin appliance``: share a sampler of quantum circuits over HTTPS."""

from __future__ import annotations

import os
import sys

from .report import Line, flush
from .server_options import add_network_options, add_token_command, check_ranges, entrance


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.description = (
        "Share a sampler of quantum circuits with others over HTTPS, until Ctrl-C or SIGTERM. "
        "Clients use tensorspin.hybrid.ApplianceSampler. docs/appliance.md has the way from a "
        "certificate to the first circuit."
    )
    _add_device_options(parser)
    add_network_options(parser)
    _add_limits(parser)
    parser.set_defaults(command=_serve)
    add_token_command(parser)


def _add_device_options(appliance) -> None:
    group = appliance.add_argument_group("what runs the circuits")
    group.add_argument(
        "--sampler",
        default="aer",
        metavar="NAME",
        help="aer (the default; simulates, with a backend's noise if there is --backend), "
        "statevector, or MODULE:OBJECT: any sampler of Qiskit (BaseSamplerV2), or a function "
        "that makes one",
    )
    group.add_argument(
        "--backend",
        metavar="MODULE:OBJECT",
        help="backend that circuits are compiled for, such as "
        "qiskit_ibm_runtime.fake_provider:FakeManilaV2; by default the sampler's own",
    )
    group.add_argument("--seed", type=int, metavar="N", help="seed of a simulator")
    group.add_argument(
        "--max-qubits",
        type=int,
        metavar="N",
        help="refuse wider circuits; by default those wider than the backend, or than 24 qubits "
        "on a simulator",
    )


def _add_limits(appliance) -> None:
    group = appliance.add_argument_group("limits")
    for option, default, what in (
        ("--queue", 64, "jobs that may wait; further ones are told to come back (HTTP 429)"),
        ("--programs", 64, "compiled circuits that are kept; clients upload others again"),
        ("--keep", 60, "seconds for which results are kept for clients that ask again"),
        ("--grace", 30, "seconds that a running job has to end after Ctrl-C or SIGTERM"),
    ):
        group.add_argument(
            option, type=int, default=default, metavar="N", help=f"{what}; by default {default}"
        )


def _serve(options) -> int:
    _check(options)
    try:
        from ..server.appliance.device import Choice
        from ..server.appliance.serving import Settings, serve

        settings = Settings(
            choice=Choice(options.sampler, options.backend, options.seed, options.max_qubits),
            entrance=entrance(options),
            queue=options.queue,
            programs=options.programs,
            keep=options.keep,
            grace=options.grace,
        )

        def started(url: str, name: str) -> None:
            # Whoever starts the appliance waits for this line.
            if options.report.as_json:
                options.report.stream({"command": "appliance", "url": url, "sampler": name})
            else:
                options.report.table(Line("url", url), Line("sampler", name))
            flush()

        ended = serve(settings, started)
    except ImportError as error:
        raise ValueError(
            f"{error}; pip install 'tensorspin[quantum,appliance]' (and qiskit-aer for --sampler "
            f"aer)"
        ) from error
    if not ended:  # a thread that waits for a device would keep the process from ending
        sys.stderr.flush()
        os._exit(1)
    return 0


def _check(options) -> None:
    check_ranges(
        options,
        ("port", 0, 65535),
        ("queue", 1, 100_000),
        ("programs", 1, 10_000),
        ("keep", 1, 86_400),
        ("grace", 1, 3600),
        ("max_qubits", 1, 100_000),
        ("seed", 0, 2**31 - 1),
    )
