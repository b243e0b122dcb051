"""Gather the evidence of an audit, section by section."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np

from ...compiler.network_program import NetworkProgram
from ...compiler.outputs import Regression
from ...driver.board import Board
from ...driver.transports import is_virtual
from ...models.pipelines import quantize
from ...progress import progress_bar
from ..intervals import share
from ..judges import Judge, OutlierJudge, judge_of
from ..memory_map import Region
from ..subject import Subject
from .answers import calibration, measures, of_device, of_estimator, of_floats
from .fields import checked_fields
from .guarding import guard_on_board
from .report import VERSION, AuditReport, plain
from .robustness import robustness
from .settings import Settings
from .unusual import Guard, unusual
from .upsets import UpsetTrial, coverage, over_time

_KINDS = {"sim": "simulated gateware", "golden": "golden model, bit for bit the gateware"}


def audit(
    model: Any,
    X,
    y,
    *,
    board: str | Board = "golden://icebreaker",
    settings: Settings | None = None,
    guard: NetworkProgram | None = None,
    X_unusual=None,
    fields: Mapping[str, str] | None = None,
    about: Mapping[str, Any] | None = None,
) -> AuditReport:
    """Measure what a model does on a board: accuracy, calibration, attacks, faults, limits.

    Parameters
    ----------
    model : NetworkProgram, estimator or Pipeline
        A program; or whatever `tensorspin.models.quantize` takes, whose own predictions on the host
        are then the float ones.
    X : array-like of shape (n_samples, `n_features_in_`)
        Samples that did not train the model, at least two.
    y : array-like of shape (n_samples,)
        Class labels; or numbers; or, of detectors, bool: whether a sample is an outlier. None: a
        detector's samples are all taken for inliers.
    board : str or Board, default="golden://icebreaker"
        URL of a board, or an open one. Faults are flipped in its memory, and repaired.
    settings : Settings, optional
        How much is tried.
    guard : NetworkProgram, optional
        Program of a detector with the same columns, which looks at the same samples.
    X_unusual : array-like of shape (n_unusual, `n_features_in_`), optional
        Samples of another kind, which should be told from the usual ones.
    fields : mapping of str to str, optional
        What only people know; see `tensorspin.trust.auditing.fields.FIELDS`.
    about : mapping of str to str, optional
        Where model and data come from: ``name`` and ``sha256`` of the model, ``data`` and ``which``
        of the samples.

    Returns
    -------
    AuditReport
        The evidence. A second audit with the same arguments gives the same.

    Raises
    ------
    ValueError
        If samples, labels, settings or fields don't suit the model.
    TensorspinError
        If the model does not fit the board, or the board is lost.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.trust import Settings, audit
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MPSClassifier(4, epochs=20, random_state=0).fit(X[::2], y[::2])
    >>> little = Settings(eps_linf=(0.1,), eps_l2=(), attack_samples=20, queries=20, faults=0)
    >>> report = audit(model, X[1::2], y[1::2], settings=little)
    >>> report.document["accuracy"]["device"]["accuracy"]["value"] > 0.9
    True
    """
    settings = settings or Settings()
    filled = checked_fields(fields or {})
    program = quantize(model)
    X = np.asarray(X)
    if len(X) < 2:
        raise ValueError(f"X must have at least two samples, not {len(X)}")
    judge = judge_of(program, np.zeros(len(X), dtype=bool) if y is None else np.asarray(y))
    if y is not None and len(y) != len(X):
        raise ValueError(f"y must have a value for each of the {len(X)} samples, not {len(y)}")
    subject = Subject(program, X)
    watching = None if guard is None else Guard(guard, _usual(judge, X))
    foreign = None if X_unusual is None else _foreign(program, guard, np.asarray(X_unusual))
    if isinstance(board, str):
        with Board.open(board) as opened:
            evidence = _Evidence(program, subject, judge, opened, settings)
            document = evidence.gather(model, X, watching, foreign)
            document["guard"] = guard_on_board(opened, program, guard, X)
    else:
        evidence = _Evidence(program, subject, judge, board, settings)
        document = evidence.gather(model, X, watching, foreign)
        document["guard"] = guard_on_board(board, program, guard, X)
    document["model"] = evidence.of_model(about or {})
    document["data"] = _of_data(X, y, about or {})
    document["fields"] = filled
    if y is None:
        document["warnings"].append("samples have no labels: all are taken for inliers")
    if not {"intended_use", "limitations", "human_oversight"} <= filled.keys():
        document["warnings"].append("fields of this card are not filled in")
    return AuditReport(plain({"version": VERSION, **document, "settings": settings}))


class _Evidence:
    """A program on an open board, samples, and what is right for them."""

    def __init__(
        self,
        program: NetworkProgram,
        subject: Subject,
        judge: Judge,
        board: Board,
        settings: Settings,
    ) -> None:
        self.program, self.subject, self.judge = program, subject, judge
        self.board, self.settings = board, settings
        self.lanes = board.info.require_contractor().lanes

    def gather(self, model: Any, X, guard: Guard | None, foreign) -> dict[str, Any]:
        """Gather all sections that are measured."""
        board, settings, judge = self.board, self.settings, self.judge
        levels = self.program.encode(X)
        with progress_bar("streaming weights", "B", delay=1.0) as progress:
            board.load(self.program, progress=progress)
        with progress_bar("contracting", "sample", delay=1.0) as progress:
            results = board.run(levels, progress=progress)
        rows = np.linspace(0, len(X) - 1, min(len(X), settings.attack_samples)).astype(int)
        attacked = _part(self.subject, rows)
        robust, moved = robustness(attacked, judge.of(rows), settings, board)
        usual, kept = self.subject, judge
        if isinstance(judge, OutlierJudge):
            usual, kept = _part(usual, np.flatnonzero(~judge.outlier)), judge.of(~judge.outlier)
            moved = None  # outliers that were hidden are among them
        faults = self._faults(levels)
        return {
            "board": self._of_board(),
            "versions": _versions(),
            "accuracy": self._accuracy(model, X, results),
            "calibration": calibration(judge, results),
            "robustness": robust,
            "faults": faults,
            "out_of_distribution": (
                unusual(usual, kept, guard, settings, None if moved is None else (rows, moved),
                        foreign)
            ),
            "warnings": [*robust.pop("warnings", []), *_few(judge, len(X))],
        }  # fmt: skip

    def _accuracy(self, model: Any, X, results) -> dict[str, Any]:
        judge, seed = self.judge, self.settings.seed
        if isinstance(model, NetworkProgram) or not hasattr(model, "predict"):
            floats, what = of_floats(judge, self.subject), _FLOAT_PROGRAM
        elif isinstance(getattr(model, "program", None), NetworkProgram):  # it is on a board
            floats, what = of_floats(judge, self.subject), _FLOAT_PROGRAM
        else:
            floats, what = of_estimator(judge, model, X), "the trained estimator on the host"
        device = of_device(judge, results)
        if isinstance(judge, OutlierJudge):
            offset = self.program.task.offset  # type: ignore[union-attr]  # of outlier detection
            same = (floats >= offset) == (device >= offset)
        elif isinstance(self.program.task, Regression):
            # Numbers agree if they differ by less than a hundredth of the targets' deviation.
            same = np.abs(floats - device) <= 0.01 * max(float(np.std(judge.target)), 1e-300)  # type: ignore[attr-defined]  # of numbers
        else:
            same = floats == device
        return {
            "metric": judge.metric,
            "float_is": what,
            "float": measures(judge, floats, seed),
            "device": measures(judge, device, seed),
            "agreement": share(same),
        }

    def _faults(self, levels: np.ndarray) -> dict[str, Any]:
        settings, board, program = self.settings, self.board, self.program
        if not settings.faults:
            return {"applies": False, "why": "no faults were to be tried"}
        rows = np.linspace(0, len(levels) - 1, min(len(levels), settings.fault_samples)).astype(int)
        judge = self.judge.of(rows)
        trial = UpsetTrial(board, program, levels[rows], judge)
        clean = judge.headline(board.run(levels[rows])).value
        with progress_bar("flipping bits", "trial", delay=1.0) as progress:
            done, total = 0, 2 * len(settings.flips) * settings.trials + 4 * settings.faults

            def step() -> None:
                nonlocal done
                done += 1
                progress(done, max(done, total))

            curves = [trial.curve(where, settings, step) for where in (Region.WEIGHTS, None)]
            worst = trial.worst_bits(settings, step)
        unnamed = self.subject.program
        found = coverage(board, unnamed, self.subject.X[rows], trial.used, settings)
        rate = settings.upset_rate
        return {
            "applies": True,
            "metric": judge.metric,
            "clean": clean,
            "bits": trial.used.bits,
            "trials": settings.trials,
            "samples": len(rows),
            "curves": curves,
            "worst_bits": worst,
            "coverage": found,
            "upset_rate": rate,
            "over_time": rate and over_time(curves[1], clean, trial.used.bits, rate),
        }

    def _of_board(self) -> dict[str, Any]:
        info, url = self.board.info, self.board.url
        scheme = url.partition("://")[0]
        return {
            "url": url,
            "kind": _KINDS[scheme] if is_virtual(url) else "board",
            "board": info.board,
            "clock_hz": info.clock_hz,
            "lanes": self.lanes,
        }

    def of_model(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Describe the model, with its digests."""
        program, lanes = self.program, self.lanes
        image = program.image(lanes) + program.table_bytes()
        return {
            "name": about.get("name", "model"),
            "sha256": about.get("sha256", hashlib.sha256(image).hexdigest()),
            "task": type(program.task).__name__,
            "columns": program.n_features_in_,
            "features": program.n_features,
            "outputs": program.n_outputs,
            "nodes": len(program.nodes),
            "nodes_of_4_bits": sum(node.few_bits for node in program.nodes),
            "digest": f"{program.digest(lanes):08x}",
            "words": program.words(lanes),
            "cycles": program.cycles(lanes),
        }


_FLOAT_PROGRAM = (
    "the weights of the program, contracted in float64, without rounding samples or vectors; the "
    "network as it was trained is not in the file"
)


def _part(subject: Subject, rows: np.ndarray) -> Subject:
    """Return the same program with some of the samples."""
    part = object.__new__(Subject)
    vars(part).update(vars(subject))
    part.X = subject.X[rows]
    return part


def _usual(judge: Judge, X: np.ndarray) -> np.ndarray:
    return X[~judge.outlier] if isinstance(judge, OutlierJudge) else X


def _foreign(
    program: NetworkProgram, guard: NetworkProgram | None, X: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return samples of another kind as numbers, and what the guard says of them."""
    subject = Subject(program, X)
    if guard is None:
        return subject.X, None
    watching = Guard(guard, X)
    return subject.X, watching.likelihoods(subject.X, subject)


def _of_data(X: np.ndarray, y, about: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the samples. Their hash is that of their texts, whatever type they have."""
    content = hashlib.sha256()
    for rows in (X.tolist(), [] if y is None else np.asarray(y).tolist()):
        content.update(repr(rows).encode())
    return {
        "name": about.get("data", "samples given"),
        "which": about.get("which", "all"),
        "samples": len(X),
        "sha256": content.hexdigest(),
    }


def _few(judge: Judge, samples: int) -> list[str]:
    if samples >= 30:
        return []
    return [f"there are only {samples} samples: the intervals are wide"]


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("tensorspin", "numpy", "scipy", "scikit-learn"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed, only on the path"
    return versions
