"""What the appliance and its clients agree on: paths, headers, limits, codes of errors.

A client uploads a program (OpenQASM 3) once under the SHA-256 digest of its bytes, and then sends
jobs: the digest, a value for each name of an ``input``, and the number of shots. The answer to a
job's POST is its result. docs/appliance.md shows the protocol with examples.
"""

from __future__ import annotations

import hashlib
import re

PROGRAMS = "/v1/programs"
"""Path below which each program is, by the SHA-256 digest of its text: PUT uploads, GET tells."""

JOBS = "/v1/jobs"
"""Path to which jobs are POSTed, and below which each job is: GET tells, DELETE cancels."""

DEVICE = "/v1/device"
"""Path of what the sampler is, and of the limits of this appliance."""

HEALTH = "/health"
"""Path that says, without a token, whether jobs are taken: status 200, or 503."""

METRICS = "/metrics"
"""Path of the metrics, in the text format of Prometheus."""

TIMEOUT_HEADER = "X-Timeout"
"""Header with the seconds that the client still waits: relative, so that clocks may differ."""

KEY_HEADER = "Idempotency-Key"
"""Header with the job's identifier, which the client makes up. A POST that is repeated with it
gives the job that exists, and runs nothing twice."""

KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""What a job's identifier looks like."""

DIGEST = re.compile(r"[0-9a-f]{64}")
"""What a program's digest looks like."""

PROGRAM_TYPE = "application/openqasm"
"""Media type of a program's text, which is UTF-8."""

DEFAULT_PORT = 8443
"""Port at which the appliance listens."""

DEFAULT_TIMEOUT = 60.0
"""Seconds after which a job is given up whose client has not said how long it waits."""

LONGEST_TIMEOUT = 3600.0
"""Greatest number of seconds that a client may ask for; a longer wish is cut to it."""

MOST_PROGRAM_BYTES = 1 << 18
"""Most bytes of a program: 256 KiB are some 10,000 gates, and are parsed in about 10 seconds."""

MOST_BODY_BYTES = 1 << 22
"""Most bytes of any other request: 4 MiB are parameters for some 20,000 samples of 8 features."""

MOST_VALUES = 200_000
"""Most values of parameters in a job: rows times names."""

MOST_SHOTS = 1_000_000
"""Most shots of a row of a job."""

MOST_RESULT_BYTES = 1 << 24
"""Most bytes of all shots of a job's result, before they are written as text: 16 MiB."""

UNKNOWN_PROGRAM = "unknown_program"
"""Code of the error, with status 404, after which a client uploads the program (again)."""

EXPIRED = "expired"
"""Code of the error, with status 504, for a job whose time was over before it had a result."""

BUSY = "busy"
"""Code of the error, with status 429, if the queue is full; ``Retry-After`` says how long."""

STOPPING = "stopping"
"""Code of the error, with status 503, of an appliance that is being stopped."""


def digest(program: str) -> str:
    """Name a program by its content.

    Parameters
    ----------
    program : str
        Text in OpenQASM 3.

    Returns
    -------
    str
        64 hexadecimal digits: the SHA-256 digest of the text's bytes in UTF-8.

    Examples
    --------
    >>> digest("OPENQASM 3.0;")[:16]
    '4f5a2cc4ee2c8ff1'
    """
    return hashlib.sha256(program.encode()).hexdigest()
