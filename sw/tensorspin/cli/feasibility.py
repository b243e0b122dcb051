"""The command ``tensorspin feasibility``: the five barriers to a quantum processor, for one task.

The report is made by `tensorspin.feasibility.barriers`; here are its options, files and text.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..contract.device.boards import BOARDS
from ..files import text_file
from .common import DATA_HELP, DEFAULT_BOARD, check_output
from .given_files import load_program
from .labelled_samples import add_inlier_option, outliers_of, samples_of
from .reading_options import add_reading_options
from .report import Line, jsonable
from .sign import add_signature_option

if TYPE_CHECKING:
    from ..contract.device.boards import BoardSpec
    from ..feasibility.barriers.local import BoardRun
    from ..feasibility.barriers.report import Sampler

_logger = logging.getLogger(__name__)

MOST_SAMPLES = 1000
"""Samples that are taken at most unless ``--samples`` says another number, evenly spread."""

_RUNS = 20
"""Samples that a board computes one by one; a simulated board takes a second for some."""

_LINKS = ("lan", "wifi", "lte", "nbiot", "lora")
_SNAPSHOTS = ("sherbrooke", "marrakesh", "boston")
_SUFFIXES = (".json", ".md")


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.description = (
        "Measure and model the five barriers between a device and a quantum processor for a "
        "trained program: latency, encoding, noise, tooling and energy, with board, "
        "microcontroller and host beside them. Each number says how it is known: measured, "
        "simulated, modelled or cited. docs/hybrid.md says how to read the report."
    )
    parser.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    parser.add_argument(
        "--data", required=True, metavar="FILE", help=f"{DATA_HELP}; its held-out samples are taken"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        required=True,
        metavar="SECONDS",
        help="seconds within which an answer counts",
    )
    _add_remote_options(parser)
    parser.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        metavar="NAME",
        help="name of a board, whose times are modelled, or its URL (sim://NAME, golden://NAME, a "
        "port), where samples are run; by default %(default)s",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="take all samples, those included that the program may have been trained with",
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help=f"take only the first N of these samples; by default at most {MOST_SAMPLES}",
    )
    add_inlier_option(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the report to this file: Markdown if it ends in .md, JSON if in .json",
    )
    parser.add_argument(
        "--figure",
        type=Path,
        metavar="FILE",
        help="draw times against the deadline, and areas against shots, into this file",
    )
    add_signature_option(parser)
    add_reading_options(parser)
    parser.set_defaults(command=_feasibility)


def _add_remote_options(parser) -> None:
    group = parser.add_argument_group("the quantum processor")
    group.add_argument(
        "--sampler",
        metavar="MODULE:OBJECT",
        help="sampler of Qiskit (BaseSamplerV2), or a function that makes one, on which the "
        "circuit runs, or aer or statevector; by default nothing runs, and times are modelled",
    )
    group.add_argument(
        "--link",
        choices=_LINKS,
        help="link to the processor, which is modelled; by default lan, and with --sampler what "
        "that takes by itself",
    )
    group.add_argument(
        "--noise",
        choices=_SNAPSHOTS,
        default="boston",
        help="processor whose errors decide if there is no --sampler; by default %(default)s",
    )
    group.add_argument(
        "--shots", type=int, default=200, metavar="N", help="shots of a sample; by default 200"
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of what is drawn; by default 0"
    )


def _feasibility(options) -> int:
    from ..compiler.outputs import OutlierDetection
    from ..feasibility.barriers.link import LINKS
    from ..feasibility.barriers.report import Task, assess
    from ..hybrid import SNAPSHOTS

    _check(options)
    program = load_program(options.model, options.require_signature)
    X, y, described = samples_of(program, options)
    X, y = X[: options.samples], y[: options.samples]
    if options.samples is None and len(X) > MOST_SAMPLES:
        chosen = np.linspace(0, len(X) - 1, MOST_SAMPLES).astype(int)
        X, y = X[chosen], y[chosen] if len(y) else y
        _logger.info("%d samples are taken, evenly spread; --samples takes more", MOST_SAMPLES)
    program.encode(X)  # bad samples are refused before anything runs
    unnamed = replace(program, feature_names=None)  # the columns were found by their names
    detector = isinstance(program.task, OutlierDetection)
    outlier = outliers_of(y, options.inlier) if detector else None
    sampler = _sampler(options, detector)
    board, ran = _board(options.board, program, X)
    task = Task(
        unnamed,
        X,
        outlier,
        deadline=options.deadline,
        board=board,
        noise=SNAPSHOTS[options.noise],
        shots=options.shots,
        link=None if options.link is None else LINKS[options.link],
        seed=options.seed,
    )
    report = assess(task, sampler, ran)
    area = report.barriers["noise"].rows.get("area under the ROC curve, exact")
    if area is not None and area.value is not None and area.number < 0.5:
        _logger.warning(
            "the area under the ROC curve is %.3f, so that labels may be the other way round: "
            "--inlier names the label of samples that are no outliers",
            area.number,
        )
    options.report.say(report.markdown().rstrip())
    asked = {
        "model": options.model,
        "data": options.data,
        "task": type(program.task).__name__,
        "board": board.name,
        "deadline_seconds": options.deadline,
        "link": options.link or ("lan" if sampler is None else None),
        "noise": options.noise,
        "sampler": options.sampler,
        "shots": options.shots,
        "seed": options.seed,
        "samples": len(X),
        **{each.member: each.value for each in described if isinstance(each, Line)},
    }
    options.report.record(**asked, **report.document())
    if options.output is not None:
        with text_file(options.output) as file:
            if options.output.suffix == ".md":
                file.write(report.markdown())
            else:
                document = jsonable({**asked, **report.document()})
                file.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
        options.report.record(output=options.output)
    if options.figure is not None:
        from .feasibility_figure import feasibility_figure

        feasibility_figure(options.figure, report)
        options.report.record(figure=options.figure)
    return 0


def _check(options) -> None:
    """Refuse what is wrong in the options alone."""
    from ..hybrid.checks import MOST_SECONDS, checked_shots

    # A board alone may keep a deadline that is too short for a HybridDetector.
    if not 0 < options.deadline <= MOST_SECONDS:
        raise ValueError(
            f"--deadline must be more than 0 and at most {MOST_SECONDS:g} seconds, not "
            f"{options.deadline:g}"
        )
    checked_shots(options.shots)
    if options.samples is not None and options.samples < 1:
        raise ValueError(f"--samples must be at least 1, not {options.samples}")
    if options.seed < 0:
        raise ValueError(f"--seed must be at least 0, not {options.seed}")
    for path in (options.output, options.figure):
        if path is not None:
            check_output(path, options.model, options.data)
    if options.output is not None and options.output.suffix not in _SUFFIXES:
        raise ValueError(f"--output must end in .json or .md, not {options.output.name!r}")
    if options.figure is not None:
        from .figures import check_figure

        check_figure(options.figure)


def _sampler(options, detector: bool) -> Sampler | None:
    from ..feasibility.barriers.report import Sampler
    from ..server.appliance.device import Choice, load_device

    if options.sampler is None:
        return None
    if not detector:
        _logger.warning("the sampler is not used: only an anomaly detector is a circuit")
        return None
    try:
        device = load_device(Choice(options.sampler, seed=options.seed))
    except ImportError as error:
        raise ValueError(
            f"--sampler {options.sampler}: {error}; pip install 'tensorspin[quantum]' (and "
            f"qiskit-aer for aer)"
        ) from error
    return Sampler(options.sampler, device.sampler, device.backend)


def _board(given: str, program, X: np.ndarray) -> tuple[BoardSpec, BoardRun | None]:
    """Find a board by its name; or open it, and let it compute samples one by one."""
    from ..contract.device.boards import find_board
    from ..driver.board import Board
    from ..driver.transports import is_virtual
    from ..feasibility.barriers.local import BoardRun
    from ..progress import progress_bar

    if given in BOARDS or not any(mark in given for mark in ("://", "/", "\\", "COM")):
        board = find_board(given)
        board.require_contractor()
        return board, None
    levels = program.encode(X[:_RUNS])
    with Board.open(given) as opened:
        row = find_board(opened.info.board)
        with progress_bar("streaming weights", "B", delay=1.0) as progress:
            opened.load(program, progress=progress)
        virtual = is_virtual(given)
        opened.run(levels[:1])  # the first answer of a line takes longer
        seconds = []
        with progress_bar("contracting", "sample", delay=1.0) as progress:
            for sample in levels:
                start = opened.seconds if virtual else time.perf_counter()
                opened.run(sample[None])
                seconds.append((opened.seconds if virtual else time.perf_counter()) - start)
                progress(len(seconds), len(levels))
    return row, BoardRun(given, float(np.median(seconds)), virtual, len(levels))
