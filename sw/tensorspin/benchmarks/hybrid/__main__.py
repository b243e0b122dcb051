"""``python -m tensorspin.benchmarks.hybrid``: measure, and write JSON, tables and a picture."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ...hybrid import born_circuit
from ...progress import progress_over
from ..common.command import add_report_options
from ..common.machine import describe_machine
from ..common.report import Keep, Renderer
from .campaign import BOND, FEATURES, SHOTS, breast_cancer, run_fault
from .faults import FAULTS
from .servers import Appliance
from .tables import draw, markdown

FORMAT = 1
"""Version of the report's structure."""

DEADLINE = 0.3
"""Seconds of a request's deadline while something is wrong."""

DEADLINES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Deadlines in seconds that are tried while nothing is wrong."""

REQUESTS, QUICK = 200, 20
"""Number of requests for each fault, and in a quick run."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, or render an earlier measurement again.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line, without the program's name. By default those of this process.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 if something failed, 2 if the arguments are wrong, 130 if
        interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.hybrid",
        description="What a hybrid detector does when its processor is late, gone or wrong.",
    )
    parser.add_argument(
        "--fault",
        action="append",
        choices=list(FAULTS),
        metavar="NAME",
        help=f"what is wrong; may be repeated; by default all of: {', '.join(FAULTS)}".replace(
            "%", "%%"
        ),
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK} requests for each instead of {REQUESTS}"
    )
    add_report_options(parser)
    options = parser.parse_args(arguments)
    names = options.fault or list(FAULTS)
    requests = QUICK if options.quick else REQUESTS
    deadlines = DEADLINES if options.fault is None else ()
    measuring = None if options.render else lambda keep: measure(names, requests, deadlines, keep)
    return Renderer("hybrid", FORMAT, markdown, draw).run(options.output, measuring)


def measure(names, requests: int, deadlines, keep: Keep) -> dict:
    """Run all campaigns.

    Parameters
    ----------
    names : iterable of str
        Faults.
    requests : int
        Number of requests for each.
    deadlines : iterable of float
        Deadlines in seconds that are tried while nothing is wrong.
    keep : callable
        Saves the report so far.

    Returns
    -------
    dict
        The report.
    """
    task = breast_cancer()
    program = born_circuit(task.detector)
    report: dict = {
        "format": FORMAT,
        "machine": describe_machine(),
        "task": {
            "features": FEATURES,
            "bond_dim": BOND,
            "qubits": program.n_qubits,
            "two_qubit_gates": program.two_qubit_gates,
            "shots": SHOTS,
        },
        "deadline": DEADLINE,
        "faults": {},
        "deadlines": {},
    }
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder)) as appliance:
        where = Path(folder)
        for name in progress_over(list(names), "faults", "fault"):
            report["faults"][name] = run_fault(
                FAULTS[name], task, appliance, where, requests, DEADLINE
            )
            keep(report)
        for seconds in progress_over(list(deadlines), "deadlines", "deadline"):
            report["deadlines"][str(seconds)] = run_fault(
                FAULTS["none"], task, appliance, where, requests, seconds
            )
            keep(report)
    return report


if __name__ == "__main__":
    sys.exit(main())
