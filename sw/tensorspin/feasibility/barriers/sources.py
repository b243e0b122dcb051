"""Constants of the models, each once, with where it is from.

What is only assumed is `MODELLED`, and its source says so.
"""

from __future__ import annotations

from .figure import CITED, MODELLED, Figure

REPETITION = Figure(
    250e-6,
    "s",
    CITED,
    "default_rep_delay in the configurations of ibm_sherbrooke, ibm_marrakesh and ibm_boston in "
    "qiskit-ibm-runtime 0.51: the pause before each shot",
)

HANDLING = Figure(
    8e-3,
    "s",
    CITED,
    "docs/appliance.md: median of a request on a connection that is kept, on loopback with TLS",
)

REMOTE_QUBITS = Figure(156, "qubits", CITED, "processors of IBM's Heron family, such as ibm_boston")

CENTRE_LEAST_QUEUE = Figure(
    3.0, "s", CITED, "VLQ (IQM at IT4Innovations), documentation: least extra time of a job on site"
)

CENTRE_MOST_QUEUE = Figure(
    15.0, "s", CITED, "VLQ (IQM at IT4Innovations), documentation: most extra time of a job on site"
)

CENTRE_LEAST_JOB = Figure(
    0.9, "s", CITED, "VLQ (IQM at IT4Innovations), documentation: least time that a job is billed"
)

CRYOSTAT = Figure(
    25e3,
    "W",
    CITED,
    "D-Wave 2X, slightly less than 25 kW, most of it for cooling: IEEE Spectrum, 2015, 'How Much "
    "Power Will Quantum Computing Need?'",
)

BOARD_POWER = {
    "iCE40": Figure(
        0.02,
        "W",
        MODELLED,
        "assumed for an iCE40 whose design is busy; tinyVision's ice40_power measured 2.6 mA at "
        "1.2 V for a nearly empty UP5K at 48 MHz",
    ),
    "ECP5": Figure(0.5, "W", MODELLED, "assumed for an ECP5 whose design is busy"),
}
"""Power of a board's FPGA while it computes, by the family in the board's title."""

OTHER_POWER = Figure(0.5, "W", MODELLED, "assumed for an FPGA of a family that is not known")

CONTROLLER_POWER = Figure(0.1, "W", MODELLED, "assumed for an RP2040 at 133 MHz and 3.3 V")

CONTROLLER_CLOCK = Figure(133e6, "Hz", CITED, "RP2040 datasheet, highest clock of the first issue")

CONTROLLER_CYCLES = Figure(
    28.0,
    "cycles",
    CITED,
    "docs/coprocessor.md: 6.7 ms on an RP2040 for a network of digits, which has 31,904 "
    "multiplications by weights",
)

CONTROLLER_LEVEL = Figure(
    128.0,
    "cycles",
    CITED,
    "docs/coprocessor.md: 8,192 instructions for the levels of 64 readings",
)

HOST_POWER = Figure(15.0, "W", MODELLED, "assumed for one busy core of a laptop or server")

QUANTUM_SPACE = Figure(
    348e6,
    "B",
    CITED,
    "an environment with qiskit 2.6.2 and qiskit-aer 0.18.2, NumPy and SciPy in it, on Linux in "
    "November 2026",
)

AMPLITUDES = "Moettoenen et al. 2005, quant-ph/0407010: 2^q - 2 CNOTs for a real state of q qubits"
"""Source of the price of amplitude encoding."""

SYNTHESIS = (
    "at most, by the quantum Shannon decomposition (Shende, Bullock and Markov 2006, "
    "quant-ph/0406176), for isometries of three and more qubits; install Qiskit to count them"
)
"""Source of the price of gates that NumPy alone does not take apart."""

LEAST_HITS = 0.95
"""Share of requests that must be answered within the deadline."""

MOST_LOSS = 0.01
"""Area under the ROC curve that noise and shots may cost."""

MOST_CHANGES = 0.1
"""Share of decisions that noise and shots may change, where there are no labels."""

LEAST_MEASURED = 20
"""Samples that a sampler must have measured for its own area or decisions to count."""

COUNTED_SHOTS = 10
"""Shots that count, in which a score can be read at all, where a classifier is post-selected."""
