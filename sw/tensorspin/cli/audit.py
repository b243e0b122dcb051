"""The command ``tensorspin audit``: evidence on a model, as a model card and as numbers."""

from __future__ import annotations

import argparse
import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import text_file
from .common import DATA_HELP, DEFAULT_BOARD, URL_HELP
from .given_files import load_program
from .labelled_samples import add_inlier_option, outliers_of, samples_of
from .quality import as_numbers, match_labels
from .reading_options import add_reading_options, known_of, reading_of
from .report import Line
from .sign import add_signature_option

if TYPE_CHECKING:
    from ..compiler import NetworkProgram
    from ..trust import AuditReport, Settings

_logger = logging.getLogger(__name__)

_DEFAULT_URL = f"golden://{DEFAULT_BOARD}"
"""An audit asks tens of thousands of samples, which take the simulated gateware an hour."""

_FIELDS = "fields.toml"
"""File in the folder of a card that its user fills in; a second audit reads it."""

_PER_DAY = ("/bit/day", "/bit/d")


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.description = (
        "Gather the evidence that a reviewer asks for: accuracy float and on the board, "
        "calibration, accuracy under white-box and black-box attacks, what flipped bits cost and "
        "whether anybody notices, and whether unusual samples are told from usual ones. The folder "
        "gets README.md (a model card), audit.json, figures, and fields.toml, in which you say "
        "what only people know. docs/audit.md says how to read it."
    )
    parser.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    parser.add_argument(
        "--board",
        default=_DEFAULT_URL,
        metavar="URL",
        help=f"{URL_HELP}; by default {_DEFAULT_URL}",
    )
    parser.add_argument(
        "--data", required=True, metavar="FILE", help=f"{DATA_HELP}; its held-out samples are taken"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="take all samples, those included that the program may have been trained with",
    )
    parser.add_argument(
        "--samples", type=int, metavar="N", help="take only the first N of these samples"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("card"),
        metavar="FOLDER",
        help="folder to write to; it is made if it is not there; by default %(default)s",
    )
    parser.add_argument(
        "--guard",
        type=Path,
        metavar="FILE",
        help="program of an anomaly detector with the same columns, which looks at the same "
        "samples: unusual ones are then told with and without it",
    )
    parser.add_argument(
        "--unusual",
        metavar="FILE",
        help="table of samples of another kind, which should be told from the usual ones",
    )
    parser.add_argument(
        "--fields",
        type=Path,
        metavar="FILE",
        help="TOML file with what only people know: intended use, limits, oversight; by default "
        f"{_FIELDS} in the folder, which the first audit writes there to be filled in",
    )
    parser.add_argument(
        "--figures",
        choices=("png", "svg", "none"),
        help="format of the figures; by default png, if matplotlib is installed",
    )
    add_inlier_option(parser)
    _add_amounts(parser)
    add_signature_option(parser)
    add_reading_options(parser)
    parser.set_defaults(command=_audit)


def _add_amounts(parser) -> None:
    """Add the options that `Settings` has; those that are not given have its own defaults."""
    group = parser.add_argument_group("how much is tried")

    def option(name: str, field: str, kind: Any, text: str, **more: Any) -> None:
        group.add_argument(name, type=kind, dest=field, help=text, **more)

    option(
        *("--eps", "eps_linf", float),
        "greatest movements of each column, as shares of its scale, of attacks within L-infinity; "
        "by default 0.05 0.1 0.2",
        nargs="+",
    )
    option(
        *("--eps-l2", "eps_l2", float),
        "the same of attacks within L2; by default 0.25 0.5 1.0",
        nargs="+",
        metavar="EPS",
    )
    one: dict[str, Any] = {"metavar": "N"}
    option("--attack-steps", "steps", int, "steps of a white-box attack; by default 20", **one)
    option("--attack-starts", "restarts", int, "starts of a white-box attack; by default 3", **one)
    option(
        *("--queries", "queries", int),
        "answers that a black-box attack sees of a sample; by default 200",
        **one,
    )
    option(
        *("--attack-samples", "attack_samples", int),
        "samples to attack, evenly spread; 0 for none; by default 100",
        **one,
    )
    option(
        *("--flips", "flips", int),
        "numbers of bits to flip at once; by default 1 10 100 1000",
        nargs="+",
        metavar="N",
    )
    option("--trials", "trials", int, "draws of each number of bits; by default 8", **one)
    option(
        *("--fault-samples", "fault_samples", int),
        "samples to run with flipped bits; by default 100",
        **one,
    )
    option(
        *("--faults", "faults", int),
        "single bits to flip in each part of the memories, to see what is noticed; 0: try no "
        "faults at all; by default 100",
        **one,
    )
    option("--seed", "seed", int, "seed of all that is drawn; by default 0", **one)
    group.add_argument(
        *("--upset-rate", "--seu-rate"),
        type=_rate,
        metavar="RATE",
        help="upsets of a bit in a day where the board will be, such as 1e-7: accuracy over time "
        "follows from it; without one that is left out, as it is no property of a board",
    )


def _rate(text: str) -> float:
    for ending in _PER_DAY:
        text = text.removesuffix(ending)
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number of upsets a bit and day, such as 1e-7, not {text!r}"
        ) from None


def _audit(options) -> int:
    from ..trust.auditing import audit
    from ..trust.auditing.fields import read_fields, template

    settings = _settings(options)
    if options.samples is not None and options.samples < 2:
        raise ValueError(f"--samples must be at least 2, not {options.samples}")
    program = load_program(options.model, options.require_signature)
    guard = None if options.guard is None else load_program(options.guard)
    figures = _figures(options)
    X, y, described = samples_of(program, options)
    targets = _targets(program, y, options)
    X = X[: options.samples]
    targets = targets if targets is None else targets[: options.samples]
    unusual = None if options.unusual is None else _unusual(program, options)
    _prepare(options.output)
    given = options.fields or options.output / _FIELDS
    fields = read_fields(given) if options.fields or given.exists() else {}
    report = audit(
        program,
        X,
        targets,
        board=options.board,
        settings=settings,
        guard=guard,
        X_unusual=unusual,
        fields=fields,
        about={
            "name": options.model.stem,
            "sha256": hashlib.sha256(options.model.read_bytes()).hexdigest(),
            "data": Path(options.data).name,
            "which": described[0].text,
        },
    )
    drawn = {}
    if figures is not None:
        from .audit_figures import audit_figures

        drawn = audit_figures(options.output, report.document, figures)
    report.save(options.output, drawn)
    if not options.fields and not given.exists():
        with text_file(given) as file:
            file.write(template())
    options.report.table(*_summary(report, options.output))
    document = {name: each for name, each in report.document.items() if name != "accuracy"}
    options.report.record(**document, accuracy=report.document["accuracy"])
    return 0


def _settings(options) -> Settings:
    from ..trust.auditing.settings import Settings

    given = {name: getattr(options, name) for name in Settings.__dataclass_fields__}
    return Settings(**{name: value for name, value in given.items() if value is not None})


def _figures(options) -> str | None:
    """Return the format of figures; None for none."""
    from ..errors import TensorspinError
    from .figures import check_matplotlib

    if options.figures == "none":
        return None
    try:
        check_matplotlib()
    except TensorspinError:
        if options.figures is not None:
            raise
        _logger.warning("there will be no figures, as matplotlib is not installed")
        return None
    return options.figures or "png"


def _targets(program: NetworkProgram, y: np.ndarray, options) -> np.ndarray | None:
    from ..compiler.outputs import Classification, Regression

    if isinstance(program.task, Classification):
        return match_labels(program.classes, y, options.data)
    if isinstance(program.task, Regression):
        return as_numbers(y, f"{options.data}: the program predicts numbers, the data have none")
    return outliers_of(y, options.inlier)


def _unusual(program: NetworkProgram, options) -> np.ndarray:
    """Read the samples of another kind, all of them, whatever their targets."""
    from ..data.row_stream import open_rows

    with open_rows(options.unusual, reading_of(options), known_of(program)) as rows:
        return np.concatenate([batch.X for batch in rows])


def _prepare(folder: Path) -> None:
    """Make the folder, and refuse one that holds somebody else's README.md."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} must be a folder, and is a file")
    if (folder / "README.md").exists() and not (folder / "audit.json").exists():
        raise ValueError(
            f"{folder / 'README.md'} is there, and was not written by tensorspin audit; choose "
            f"another folder with --output"
        )
    folder.mkdir(parents=True, exist_ok=True)


def _summary(report: AuditReport, folder: Path) -> list[Line | tuple[str, object]]:
    """Return what people read at once; the JSON document has everything."""
    found = report.document
    lines: list[Line | tuple[str, object]] = []
    accuracy, metric = found["accuracy"], found["accuracy"]["metric"]
    percent = metric != "root mean square error"
    for where in ("float", "device"):
        lines.append((f"{metric}, {where}", _shown(accuracy[where][metric], percent)))
    if found["calibration"]["applies"]:
        error = found["calibration"]["expected_calibration_error"]
        lines.append(("expected calibration error", f"{error:.4f}"))
    for attack in found["robustness"].get("attacks", []):
        for row in attack["strengths"]:
            name = f"{attack['name'].replace('_', ' ')} {attack['norm']} {row['eps']:g}"
            lines.append((name, _shown(row["device"], percent)))
    faults = found["faults"]
    if faults["applies"]:
        for row in faults["curves"][1]["rows"]:
            answered = _plain(row.get("mean"), percent)
            lines.append(
                (f"{row['flips']} bits flipped", f"{answered}, {row['refused']:.0%} refused")
            )
        for row in faults["coverage"]:
            noticed = row["noticed_of_harmful"]
            shown = "-" if noticed is None else _plain(noticed["value"], True)
            lines.append((f"noticed in {row['region']}", f"{shown} of what is not masked"))
        for row in faults["over_time"] or []:
            lines.append((f"after {row['time']}", _plain(row["expected"], percent)))
    for kind in found["out_of_distribution"].get("kinds", []):
        scores = (f"{name} {each['auroc']:.3f}" for name, each in kind["scores"].items())
        lines.append((f"AUROC, {kind['kind']}", ", ".join(scores)))
    return [*lines, Line("card", folder / "README.md"), Line("numbers", folder / "audit.json")]


def _shown(estimate: dict[str, float], percent: bool) -> str:
    low, high = (_plain(estimate[end], percent) for end in ("low", "high"))
    return f"{_plain(estimate['value'], percent)} ({low} to {high})"


def _plain(value: float | None, percent: bool) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if percent else f"{value:.4g}"
