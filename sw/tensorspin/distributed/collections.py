"""Predictions of Dask's arrays and data frames: block by block, when they are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..compiler.outputs import Classification
from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode
from ..driver.pool.backend import PooledBoards, run_program
from ..models.board_estimator import BoardEstimator
from ..models.pipelines import deploy
from .cluster import Cluster

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

PER_CLASS = ("predict_proba", "decision_function")
"""Methods that give a column for each class; with two classes, `decision_function` gives one."""


class ClusterBoards(PooledBoards):
    """The boards of the cluster in which a task runs. It is found when it is needed.

    Parameters
    ----------
    patience : float
        As for `DaskBoardPool`.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience

    def run_program(
        self,
        program: NetworkProgram,
        levels: np.ndarray,
        *,
        mode: Mode | None = None,
        tested: bool = False,
    ) -> ContractorResults:
        """Compute the scores of samples; see `PooledBoards.run_program`."""
        from distributed import get_client, get_worker, secede

        try:
            get_worker()
        except ValueError as error:
            raise RuntimeError(
                "a block is predicted by a task that runs on no worker of a cluster; compute it "
                "with its client: client.compute(...), or while the client is the default"
            ) from error
        cluster = Cluster(get_client(), self._patience)
        secede()  # the pieces of the block are tasks, too, and need the worker's threads
        return run_program(cluster, program, levels, mode=mode, tested=tested)


def is_lazy(X: Any) -> bool:
    """Tell whether samples are a collection of Dask.

    Parameters
    ----------
    X : object
        Samples.

    Returns
    -------
    bool
        True for Dask's arrays and data frames.
    """
    return type(X).__module__.partition(".")[0] in ("dask", "dask_expr")


def lazily(name: str, model, X: Any, patience: float) -> Any:
    """Predict a collection when it is computed, block by block.

    Parameters
    ----------
    name : str
        Name of the method.
    model : estimator, Pipeline or NetworkProgram
        As `tensorspin.deploy` takes it.
    X : dask.array.Array or dask.dataframe.DataFrame
        The samples.
    patience : float
        As for `DaskBoardPool`.

    Returns
    -------
    dask.array.Array or dask.dataframe.Series or dask.dataframe.DataFrame
        For a data frame, with its index; with a column for each class for probabilities.

    Raises
    ------
    TypeError
        If the model needs rows of other blocks, or X is another collection.
    AttributeError
        If the model has no such method.
    """
    deployed = deploy(model, ClusterBoards(patience))
    if not isinstance(deployed, BoardEstimator):
        raise TypeError(
            f"a {type(deployed).__name__} can't predict block by block; give it arrays, one after "
            f"the other"
        )
    if not hasattr(deployed, name):
        raise AttributeError(f"a {type(deployed).__name__} has no method {name}")
    labels, dtype = _form(deployed, name)
    if hasattr(X, "map_partitions"):
        return X.map_partitions(_frame, deployed, name, labels, meta=_meta(labels, dtype, name))
    if not hasattr(X, "map_blocks") or getattr(X, "ndim", 0) != 2:
        raise TypeError(
            f"X must be a Dask array of two dimensions or a Dask data frame, not {type(X).__name__}"
        )
    X = X.rechunk({1: -1})  # a block has whole samples
    if labels is None:
        return X.map_blocks(
            _block, deployed, name, dtype=dtype, drop_axis=1, meta=np.empty(0, dtype)
        )
    columns = (len(labels),)
    meta = np.empty((0, 0), dtype)
    return X.map_blocks(
        _block, deployed, name, dtype=dtype, chunks=(X.chunks[0], columns), meta=meta
    )


def _form(deployed: BoardEstimator, name: str) -> tuple[list | None, np.dtype]:
    """Give labels of the columns that a method returns, None if it has none, and the type."""
    task = deployed.program.task
    if not isinstance(task, Classification):
        whole = name == "predict" and not np.issubdtype(_predicted(deployed).dtype, np.floating)
        return None, np.dtype(np.int64 if whole else np.float64)
    classes = deployed.program.classes
    if name == "predict":
        return None, classes.dtype
    if name in PER_CLASS and not (name == "decision_function" and len(classes) == 2):
        return list(classes), np.dtype(np.float64)
    return None, np.dtype(np.float64)


def _predicted(deployed: BoardEstimator) -> np.ndarray:
    """Give what the program would predict of no samples."""
    program = deployed.program
    none = np.empty((0, program.n_outputs), np.int16)
    return program.interpret(none, np.empty(0, np.uint16))


def _block(block: np.ndarray, deployed: BoardEstimator, name: str) -> np.ndarray:
    """Predict a block of an array."""
    if len(block):
        return getattr(deployed, name)(block)
    labels, dtype = _form(deployed, name)
    return np.empty((0,) if labels is None else (0, len(labels)), dtype)


def _meta(labels: list | None, dtype: np.dtype, name: str) -> Any:
    """Make an empty frame of the form of what a method returns."""
    import pandas  # type: ignore[import-untyped]  # it has no types

    if labels is None:
        return pandas.Series(np.empty(0, dtype), name=name)
    return pandas.DataFrame(np.empty((0, len(labels)), dtype), columns=labels)


def _frame(frame: Any, deployed: BoardEstimator, name: str, labels: list | None) -> Any:
    """Predict a part of a data frame."""
    import pandas

    # Without names the program was trained on an array, and takes the columns as they stand.
    named = hasattr(deployed, "feature_names_in_")
    found = _block(frame if named or not len(frame) else frame.to_numpy(), deployed, name)
    if labels is None:
        return pandas.Series(found, index=frame.index, name=name)
    return pandas.DataFrame(found, index=frame.index, columns=labels)
