"""From estimators and pipelines of scikit-learn to programs, files and boards."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from ..compiler.categories import Categories
from ..compiler.network_program import NetworkProgram
from ..compiler.outputs import Regression
from ..compiler.protect import bits_to_protect, protected
from ..contract.contractor.rows import Mode, check_mode
from ..driver.board import Board
from ..driver.pool.backend import PooledBoards
from ..files import check_writable
from .board_estimator import BoardEstimator, OnFault, check_on_fault
from .board_guarded import BoardGuardedClassifier
from .board_pipeline import BoardPipeline
from .column_transformers import front_of, is_front
from .deployed import BoardAnomalyDetector, BoardClassifier, BoardRegressor
from .deployment import DeployableMixin
from .foldable import Step
from .folding import fold
from .guarded_program import GuardedProgram, Refusing
from .windows import WindowFeatures


def deploy(
    model,
    board: str | Board | PooledBoards,
    *,
    on_fault: OnFault | None = None,
    mode: Mode | str | None = None,
) -> BoardEstimator | BoardPipeline | BoardGuardedClassifier:
    """Return a fitted estimator or pipeline as one estimator that predicts on a board.

    It takes what the pipeline takes: the raw columns, with their names. Scalers and selections of
    features are folded into the program. The levels that a board is sent are those that the
    pipeline gives on the host, for every sample.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted estimator of Tensorspin; or a fitted `sklearn.pipeline.Pipeline` that ends in one
        and whose other steps are `StandardScaler`, `MinMaxScaler`, `MaxAbsScaler`, `RobustScaler`,
        `QuantileTransformer` with a uniform output, `SimpleImputer`, selections of features
        (whatever has ``get_support``), ``"passthrough"``, or pipelines of these; the first may be
        an `OrdinalEncoder`, or a `ColumnTransformer` of these but selections; or a fitted
        `GridSearchCV` or its like over one of these; or a `TransformedTargetRegressor` with one of
        these and a scaler; or a `NetworkProgram`, such as one that was loaded from a file. A
        pipeline may begin with `WindowFeatures`, which stays on the host. Or a fitted
        `GuardedClassifier`, or its `GuardedProgram`, whose two programs are loaded in turn.
    board : str, Board or BoardPool
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``, or an open
        board, or a `tensorspin.BoardPool` of several.
    on_fault : {None, "raise", "reload"}, default=None
        "raise": the board is tested with known answers when the program is loaded and every 10,000
        samples, and `FaultError` is raised if it is wrong. "reload": the program is then loaded
        again, and the samples are predicted anew, once. None: no such tests.
    mode : {"throughput", "single"}, optional
        What the groups of the board's contractor do. "throughput": each contracts a sample of its
        own, so that a batch is done soonest. "single": all of them contract one sample after the
        other, so that each answer comes soonest. By default "single" for a prediction of one
        sample, "throughput" for more. Predictions do not depend on it. Where groups cannot share a
        sample, or there is only one, both are the same.

    Returns
    -------
    BoardEstimator, BoardPipeline or BoardGuardedClassifier
        A `BoardClassifier`, `BoardRegressor` or `BoardAnomalyDetector`, as the task asks; behind
        `WindowFeatures` in a pipeline.

    Raises
    ------
    ValueError
        If a step can't be folded; the message names it. Or if `mode` is no mode.
    TypeError
        If the last step is no estimator of Tensorspin.
    sklearn.exceptions.NotFittedError
        If something is not fitted.

    Examples
    --------
    >>> import tensorspin
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> model = tensorspin.MPSClassifier(bond_dim=4, epochs=20, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    >>> with tensorspin.deploy(pipeline, "golden://icebreaker") as on_board:
    ...     on_board.predict(X[::50]).tolist()
    [0, 1, 2]
    """
    check_on_fault(on_fault)
    mode = check_mode(mode)
    if isinstance(model, Pipeline) and isinstance(model.steps[0][1], WindowFeatures):
        check_is_fitted(model.steps[0][1], "n_features_in_")
        return BoardPipeline(
            [model.steps[0], ("board", deploy(model[1:], board, on_fault=on_fault, mode=mode))]
        )
    if isinstance(model, Refusing):
        model = model.quantize()
    if isinstance(model, GuardedProgram):
        return BoardGuardedClassifier(model, board, on_fault=on_fault)
    if isinstance(model, NetworkProgram):
        kinds = (BoardClassifier, BoardRegressor, BoardAnomalyDetector)
        return next(kind for kind in kinds if isinstance(model.task, kind._task_type))(
            model, board, on_fault, mode
        )
    parts = _taken_apart(model)
    estimator = parts.estimator
    if isinstance(estimator, BoardEstimator):
        program = _program(parts, lambda: (estimator.program, []))
        return type(estimator)(program, board, on_fault, mode)
    program = _program(parts, lambda: estimator._unfolded_for(board))
    return estimator._deployed_type(program, board, on_fault, mode)


def save(
    model,
    path: str | Path,
    *,
    weight_bits: int | Literal["auto"] | None = None,
    board: str | None = None,
    protect: bool = False,
) -> None:
    """Write the program of a fitted estimator or pipeline to a file.

    Parameters
    ----------
    model : estimator or Pipeline
        As `deploy` takes it.
    path : str or Path
        File to write; customarily it ends in ``.npz``. `NetworkProgram.load` reads it.
    weight_bits : None, 8, 4 or "auto", default=None
        Bits of the weights, as the estimator's ``quantize`` takes them.
    board : str, optional
        Name of the board for "auto".
    protect : bool, default=False
        Whether changed bits are corrected, as for the estimator's ``quantize``.

    Raises
    ------
    ValueError
        If a step can't be folded, or the classes have no form in a file.
    TypeError
        If the last step is no estimator of Tensorspin.
    OSError
        If the file can't be written.

    Examples
    --------
    >>> import tensorspin
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> X, y = load_iris(return_X_y=True, as_frame=False)
    >>> model = tensorspin.MPSClassifier(bond_dim=4, epochs=20, random_state=0)
    >>> tensorspin.save(make_pipeline(MinMaxScaler(), model).fit(X, y), "iris.npz")
    >>> tensorspin.NetworkProgram.load("iris.npz").predict(X[::50]).tolist()
    [0, 1, 2]
    """
    check_writable(Path(path))
    quantize(model, weight_bits, board=board, protect=protect).save(path)


def quantize(
    model,
    weight_bits: int | Literal["auto"] | None = None,
    *,
    board: str | None = None,
    protect: bool = False,
) -> NetworkProgram:
    """Make the program of a fitted estimator or pipeline.

    Parameters
    ----------
    model : estimator or Pipeline
        As `deploy` takes it.
    weight_bits : None, 8, 4 or "auto", default=None
        Bits of the weights, as the estimator's ``quantize`` takes them.
    board : str, optional
        Name of the board for "auto".
    protect : bool, default=False
        Whether changed bits are corrected, as for the estimator's ``quantize``.

    Returns
    -------
    NetworkProgram
        The program. It takes the raw columns.

    Raises
    ------
    ValueError
        If a step can't be folded; the message names it.
    TypeError
        If the last step is no estimator of Tensorspin.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.feature_selection import SelectKBest
    >>> from sklearn.pipeline import make_pipeline
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.models import quantize
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MPSClassifier(bond_dim=4, epochs=20, random_state=0)
    >>> program = quantize(make_pipeline(SelectKBest(k=2), model).fit(X, y))
    >>> program.n_features_in_, program.n_features
    (4, 2)
    """
    as_it_is = weight_bits is None and board is None and not protect
    if isinstance(model, NetworkProgram):
        if not as_it_is:
            raise ValueError("the weights of a program are rounded already")
        return model
    if protect:
        weight_bits = bits_to_protect(weight_bits, board)
    parts = _taken_apart(model)

    def unfolded() -> tuple[NetworkProgram, list[Step]]:
        if not isinstance(parts.estimator, BoardEstimator):
            return parts.estimator._unfolded(weight_bits, board)
        if not as_it_is:
            raise ValueError("the weights of an estimator on a board are rounded already")
        return parts.estimator.program, []

    program = _program(parts, unfolded)
    return protected(program) if protect else program


def _program(
    parts: _Parts, unfolded: Callable[[], tuple[NetworkProgram, list[Step]]]
) -> NetworkProgram:
    """Return the program of a pipeline; `unfolded` returns that of its estimator."""
    # What can't be folded is refused before the network is rounded.
    steps, categories = _folded_steps(parts.steps)
    words = getattr(parts.estimator, "_categories", None)
    if words is not None and steps:
        raise ValueError(
            "the estimator's columns of categories can't be folded behind other steps: give it all "
            "columns as they are, or encode words in the first step by an OrdinalEncoder, without "
            "categorical_features"
        )
    program, copies = unfolded()
    steps += copies
    if parts.target is not None:
        program = dataclasses.replace(program, task=parts.target.of(program.task))
    if not steps:
        return program
    first = parts.steps[0][1] if parts.steps else parts.estimator
    names = getattr(first, "feature_names_in_", None)
    return dataclasses.replace(
        fold(steps, program, categories or words),
        feature_names=None if names is None else tuple(map(str, names)),
    )


def _folded_steps(steps: list[tuple[str, Any]]) -> tuple[list[Step], Categories | None]:
    """Return the steps of a pipeline that are folded, and the columns of words before them."""
    found: list[Step] = []
    categories = None
    for place, (name, transformer) in enumerate(steps):
        if place == 0 and is_front(transformer):
            front = front_of(name, transformer)
            categories, found = front.categories, front.steps
        else:
            found.append(Step(name, transformer))
    return found, categories


@dataclasses.dataclass(frozen=True)
class _Target:
    """The target of a pipeline, ``offset + factor * target of the estimator``."""

    offset: float
    factor: float

    def of(self, task) -> Regression:
        """Return the task of the pipeline from that of the estimator."""
        if not isinstance(task, Regression):
            raise ValueError("a TransformedTargetRegressor needs a regressor, such as MPSRegressor")
        return Regression(self.offset + self.factor * task.offset, self.factor * task.factor)


@dataclasses.dataclass(frozen=True)
class _Parts:
    """Steps that do something, by name; the estimator behind them; what becomes of its target."""

    steps: list[tuple[str, Any]]
    estimator: Any
    target: _Target | None = None


def _taken_apart(model) -> _Parts:
    """Return the parts of a model."""
    if hasattr(model, "best_estimator_"):  # a search over parameters
        return _taken_apart(model.best_estimator_)
    if isinstance(model, Pipeline):
        parts = _taken_apart(model.steps[-1][1])
        return dataclasses.replace(parts, steps=_transformers("", model.steps[:-1]) + parts.steps)
    if isinstance(model, TransformedTargetRegressor):
        check_is_fitted(model)
        parts = _taken_apart(model.regressor_)
        if parts.target is not None:
            raise ValueError("a TransformedTargetRegressor inside another can't be folded")
        return dataclasses.replace(parts, target=_target(model.transformer_))
    if not isinstance(model, (DeployableMixin, BoardEstimator)):
        described = repr(model) if isinstance(model, str) else type(model).__name__
        raise TypeError(
            f"{described} is no estimator of Tensorspin; give an MPSClassifier, TTNClassifier, "
            f"EnsembleClassifier, MPSRegressor or MPSAnomalyDetector, or a pipeline that ends in "
            f"one"
        )
    return _Parts([], model)


def _target(transformer) -> _Target:
    """Return what a fitted transformer of the target does on the way back, if it only scales."""
    kind = type(transformer)

    def first(name: str, otherwise: float) -> float:
        values = getattr(transformer, name, None)
        return otherwise if values is None else float(values[0])

    if kind is StandardScaler:
        offset = first("mean_", 0.0) if transformer.with_mean else 0.0
        return _Target(offset, first("scale_", 1.0))
    if kind is RobustScaler:
        return _Target(first("center_", 0.0), first("scale_", 1.0))
    if kind is MaxAbsScaler:
        return _Target(0.0, first("scale_", 1.0))
    if kind is MinMaxScaler:
        return _Target(-first("min_", 0.0) / first("scale_", 1.0), 1 / first("scale_", 1.0))
    if kind is FunctionTransformer and transformer.func is transformer.inverse_func is None:
        return _Target(0.0, 1.0)
    raise ValueError(
        f"the {kind.__name__} of the target can't be folded into a program, only StandardScaler, "
        f"MinMaxScaler, MaxAbsScaler and RobustScaler can; deploy the regressor alone, and "
        f"transform what it predicts"
    )


def _transformers(prefix: str, steps) -> list[tuple[str, Any]]:
    """Return all steps but those that let everything pass; those of inner pipelines, too."""
    found = []
    for name, step in steps:
        if isinstance(step, Pipeline):
            found += _transformers(f"{prefix}{name}__", step.steps)
        elif hasattr(step, "fit_resample") and not hasattr(step, "transform"):
            pass  # imbalanced-learn's pipelines change the training samples alone by such a step
        elif step is not None and step != "passthrough":
            found.append((f"{prefix}{name}", step))
    return found
