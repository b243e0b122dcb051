"""The five barriers of one task, put together: numbers, curves, a verdict, and their Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...compiler.network_program import NetworkProgram
from ...compiler.outputs import OutlierDetection
from ...contract.device.boards import BoardSpec
from ...hybrid import NoiseSnapshot, born_circuit, post_selection_probability
from .encoding import device_seconds, encoding_barrier, message_bytes, price_of
from .energy import energy_barrier
from .figure import MEASURED, SIMULATED, Barrier, Figure
from .latency import latency_barrier, modelled_phases
from .link import LINKS, Link
from .local import BoardRun, Local, local_rows, local_times
from .noise import Truth, noise_barrier
from .real import run_real
from .sources import COUNTED_SHOTS
from .tooling import tooling_barrier
from .verdict import Verdict, verdict

NAMES = ("latency", "encoding", "noise", "tooling", "energy")
"""The five barriers."""


@dataclass(frozen=True)
class Task:
    """What is asked.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network.
    X : array-like of shape (n_samples, n_features)
        Samples as the program takes them, at least one.
    outlier : ndarray of bool of shape (n_samples,) or None
        Which samples are labelled as outliers, for a detector; None without labels.
    deadline : float
        Seconds within which an answer counts.
    board : BoardSpec
        The board.
    noise : NoiseSnapshot
        The processor's errors.
    shots : int
        Shots of a sample.
    link : Link or None
        The link. None: a local network, or what the sampler itself takes if there is one.
    seed : int
        Seed of what is drawn.

    Examples
    --------
    `assess` takes one.

    >>> Task.__dataclass_fields__["shots"].default
    200
    """

    program: NetworkProgram
    X: Any
    outlier: np.ndarray | None
    deadline: float
    board: BoardSpec
    noise: NoiseSnapshot
    shots: int = 200
    link: Link | None = None
    seed: int = 0


@dataclass(frozen=True)
class Sampler:
    """What runs the circuit.

    Parameters
    ----------
    name : str
        What the report calls it.
    sampler, backend : object
        A sampler of Qiskit's convention, and the backend for which circuits are transpiled, if
        there is one.

    Examples
    --------
    >>> def statevector():
    ...     from qiskit.primitives import StatevectorSampler
    ...
    ...     return Sampler("statevector", StatevectorSampler(seed=1))
    """

    name: str
    sampler: Any
    backend: Any = None


@dataclass(frozen=True)
class FeasibilityReport:
    """The five barriers of a task, and the verdict.

    Parameters
    ----------
    barriers : dict of str to Barrier
        The barriers by name.
    verdict : Verdict
        The answer.
    deadline : float
        Seconds within which an answer counts.
    heading : dict of str to str
        What was asked, by name.

    Examples
    --------
    >>> report = FeasibilityReport({}, Verdict("local", "noise", "Local: so."), 0.5)
    >>> report.markdown().splitlines()[0]
    '# Feasibility: local'
    """

    barriers: dict[str, Barrier]
    verdict: Verdict
    deadline: float
    heading: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the report as what JSON has.

        Returns
        -------
        dict
            Barriers with their numbers, each with name, value, unit, kind and source; curves; the
            verdict. A load is a part of its limit, and null if there is none.
        """
        return {
            "barriers": {
                name: {
                    "passed": barrier.passed,
                    "load": barrier.load,
                    "load_kind": None if barrier.load is None else barrier.known_by,
                    "words": barrier.words,
                    "numbers": {
                        _key(row): {"name": row, **vars(figure)}
                        for row, figure in barrier.rows.items()
                    },
                    "curves": barrier.curves,
                }
                for name, barrier in self.barriers.items()
            },
            "verdict": self.verdict,
        }

    def markdown(self) -> str:
        """Return the report as Markdown.

        Returns
        -------
        str
            Headings and tables, with an end of line.
        """
        lines = [f"# Feasibility: {self.verdict.answer}", "", self.verdict.words, ""]
        lines += [f"- {name}: {told}" for name, told in self.heading.items()]
        sources: dict[str, int] = {}
        for name, barrier in self.barriers.items():
            state = (
                "decides nothing" if barrier.load is None else f"{barrier.load:.2g} of the limit"
            )
            lines += ["", f"## {name.capitalize()}", "", f"{barrier.words} ({state}).", ""]
            lines += ["| quantity | value | known by | source |", "|---|---|---|---|"]
            lines += [
                f"| {_cell(row)} | {_cell(each.text)} | {each.kind} | "
                f"[{sources.setdefault(each.source, len(sources) + 1)}] |"
                for row, each in barrier.rows.items()
            ]
        lines += ["", "## Sources", ""]
        lines += [f"{number}. {_cell(source)}" for source, number in sources.items()]
        return "\n".join(lines) + "\n"


def _key(row: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", row.lower()).strip("_")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def assess(
    task: Task, sampler: Sampler | None = None, ran: BoardRun | None = None
) -> FeasibilityReport:
    """Measure and model the five barriers of a task.

    Parameters
    ----------
    task : Task
        What is asked.
    sampler : Sampler, optional
        What runs the circuit, if something does.
    ran : BoardRun, optional
        A run on the board.

    Returns
    -------
    FeasibilityReport
        The report.

    Raises
    ------
    ValueError
        If the board has no contractor, or the circuit does not fit the sampler's backend.
    TensorspinError
        If the sampler fails.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSAnomalyDetector
    >>> from tensorspin.contract.device import find_board
    >>> from tensorspin.feasibility.barriers import Task, assess
    >>> from tensorspin.hybrid import SNAPSHOTS
    >>> x = np.random.default_rng(0).random(300)
    >>> X = np.stack([x, x], axis=1)  # two sensors that agree
    >>> detector = MPSAnomalyDetector(
    ...     bond_dim=2, feature_map="trigonometric", epochs=20, random_state=0
    ... ).fit(X)
    >>> report = assess(
    ...     Task(
    ...         detector.quantize(),
    ...         X[:50],
    ...         None,
    ...         deadline=0.01,
    ...         board=find_board("icebreaker"),
    ...         noise=SNAPSHOTS["boston"],
    ...     )
    ... )
    >>> report.verdict.answer, report.verdict.barrier
    ('local', 'latency')
    """
    local = local_times(task.program, task.board, task.X, ran)
    if isinstance(task.program.task, OutlierDetection):
        barriers = _of_detector(task, local, sampler)
    else:
        barriers = _of_other(task, local)
    barriers = {name: barriers[name] for name in NAMES}
    link = LINKS["lan"] if task.link is None and sampler is None else task.link
    heading = {
        "deadline": f"{task.deadline:g} s",
        "link": "that of the sampler" if link is None else link.name,
        "samples": str(len(task.X)),
        "shots": str(task.shots),
        "board": task.board.title,
    }
    return FeasibilityReport(
        barriers, verdict(barriers, local, task.deadline), task.deadline, heading
    )


def _of_detector(task: Task, local: Local, sampler: Sampler | None) -> dict[str, Barrier]:
    rng = np.random.default_rng(task.seed)
    circuit = born_circuit(task.program)
    price = price_of(circuit, task.noise)
    truth = Truth.of(circuit, task.X, task.outlier)
    real, link = None, task.link
    if sampler is not None:
        real = run_real(
            circuit, task.X, sampler.sampler, sampler.backend, sampler.name, task.shots, rng
        )
        phases = dict(real.phases)
        if link is not None:
            sizes = link.payload(circuit.n_features, *message_bytes(circuit, task.X, task.shots))
            phases["link"] = link.seconds(*sizes, len(real.total), rng)
    else:
        link = link or LINKS["lan"]
        phases = modelled_phases(circuit, task.X, price, link, task.shots, rng)
    latency = latency_barrier(phases, task.deadline, link, real, rng)
    latency.rows.update(local_rows(local))
    return {
        "latency": latency,
        "encoding": encoding_barrier(circuit, task.X, price, link, task.shots),
        "noise": noise_barrier(circuit, task.X, truth, task.noise, task.shots, price, real, rng),
        "tooling": tooling_barrier(None if sampler is None else sampler.name),
        "energy": energy_barrier(local, task.board.title, device_seconds(price, task.shots)),
    }


def _of_other(task: Task, local: Local) -> dict[str, Barrier]:
    """Judge a classifier or a regressor, which is no circuit that answers."""
    rows: dict[str, Figure] = {}
    kind = type(task.program.task).__name__.lower()
    told = ""
    try:
        share = float(np.median(post_selection_probability(task.program, task.X)))
        rows["probability that a shot counts"] = Figure(
            share, "", SIMULATED, f"post-selection, median of {len(task.X)} samples, exact"
        )
        shots = COUNTED_SHOTS / share if share > 0 else float("inf")
        rows[f"shots of which {COUNTED_SHOTS} count"] = Figure(
            shots, "shots", SIMULATED, "the quotient of both"
        )
        told = f"; a shot counts with a probability of {share:.2g}"
    except ValueError as error:
        rows["probability that a shot counts"] = Figure(None, "", MEASURED, str(error))
    words = f"a model for {kind} is no circuit: its scores have signs{told}"
    return {
        "latency": Barrier("latency", local_rows(local), "no request can be made"),
        "encoding": Barrier("encoding", rows, words, float("inf"), SIMULATED),
        "noise": Barrier("noise", {}, "no circuit can be run"),
        "tooling": tooling_barrier(None),
        "energy": energy_barrier(local, task.board.title, None),
    }
