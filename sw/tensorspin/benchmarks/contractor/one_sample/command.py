"""The suite ``latency``: one sample on boards, this computer and microcontrollers."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from ....data import load_dataset
from ....models import MPSClassifier
from ....progress import progress_over
from ...common.command import add_common_options
from ...common.machine import describe_machine
from ...common.markdown import machine_line
from ...common.report import Keep, Renderer
from ..classifiers import baselines
from .picture import draw
from .rows import measure_rows
from .tables import one_sample

FORMAT = 1
"""Version of the report's structure."""

COUNTED = "bench-mcu.json"
"""Name of the report of ``make bench-mcu``, in the folder of this one's."""

NETWORK = {"bond_dim": 16, "n_repeats": 1, "epochs": 30}
"""Parameters of the network, that of docs/coprocessor.md: one chain, not an ensemble."""

TITLE = "MPS of bond 16"
"""The network's name in the tables."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    source : str
        Name or file of the data set, as `tensorspin.data.load_dataset` takes it.
    quick : bool
        Whether to train for a fifth of the epochs.
    counted : Path, optional
        A report of ``make bench-mcu``.
    """

    source: str = "digits"
    quick: bool = False
    counted: Path | None = None


def measure(plan: Plan, keep: Keep = lambda report: None) -> dict:
    """Train the network and its rivals, and measure one sample.

    Parameters
    ----------
    plan : Plan
        What to measure.
    keep : callable, optional
        Not needed: all is measured within a minute or two.

    Returns
    -------
    dict
        The report, ready for JSON.
    """
    data = load_dataset(plan.source, seed=0)
    parameters = NETWORK | ({"epochs": NETWORK["epochs"] // 5} if plan.quick else {})
    models = {TITLE: MPSClassifier(**parameters, random_state=0), **baselines(0)}
    with threadpool_limits(1):
        for model in progress_over(models.values(), "training", "model"):
            model.fit(data.X_train, data.y_train)
        programs = {TITLE: models[TITLE].quantize()}
        name = Path(plan.source).stem
        rows = measure_rows(name, programs, models, data.X_test, counted=plan.counted)
    scores = {title: model.score(data.X_test, data.y_test) for title, model in models.items()}
    return {
        "format": FORMAT,
        "machine": describe_machine(),
        "quick": plan.quick,
        "name": name,
        "held_out": len(data.y_test),
        "accuracies": {title: float(score) for title, score in scores.items()},
        "rows": rows,
    }


def markdown(report: dict) -> str:
    """Write the report in Markdown."""
    accuracies = ", ".join(f"{title} {value:.1%}" for title, value in report["accuracies"].items())
    lines = [f"# One sample: {report['name']}", "", machine_line(report["machine"]), ""]
    if report["quick"]:
        lines += ["**Quick run**: less training than by default.", ""]
    lines += [f"Accuracy on {report['held_out']} held-out samples, float: {accuracies}.", ""]
    return "\n".join([*lines, *one_sample(report["rows"])]) + "\n"


def main(arguments: list[str]) -> int:
    """Measure, or render an earlier measurement again.

    Parameters
    ----------
    arguments : list of str
        Words of the command line.

    Returns
    -------
    int
        Exit status, as of `Renderer.run`.
    """
    options = _parser().parse_args(arguments)
    plan = Plan(options.data, options.quick, options.output / COUNTED)
    measuring = None if options.render else lambda keep: measure(plan, keep)
    return Renderer("latency", FORMAT, markdown, draw).run(options.output, measuring)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.contractor --suite latency",
        description="One sample's latency beside throughput: boards, this computer, and "
        f"microcontrollers if {COUNTED} of make bench-mcu is in the folder of --output.",
    )
    parser.add_argument("--suite", choices=("latency",), help=argparse.SUPPRESS)
    parser.add_argument(
        "--data",
        default=Plan.source,
        metavar="NAME_OR_FILE",
        help="data set of scikit-learn, or a .npz or .csv file; by default %(default)s",
    )
    add_common_options(parser, quick="train for a fifth of the epochs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
