"""Seconds per epoch and accuracy of training, beside other libraries for tensor networks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...compiler.scaling import scale_features
from ...data.datasets import Dataset
from ...data.errors import DataError
from ..common.scripts import run_script
from .peers.protocol import Task

PEERS = ("tensorkrowch", "tn4ml")
"""Modules to import; each has its script ``peers/train_NAME.py``."""

BOND_DIM = 16
EPOCHS = 30

_SCRIPTS = Path(__file__).parent / "peers"


def measure_training(
    name: str, data: Dataset, python: str | None = None, epochs: int = EPOCHS
) -> list[dict]:
    """Train the same network on the same samples with each library, on one core.

    Tensorspin trains before each of the others and after the last, so that whatever else loads the
    machine meets all.

    Parameters
    ----------
    name : str
        Of the data.
    data : Dataset
    python : str, optional
        Interpreter of the environment in which the other libraries are installed; by default this
        one.
    epochs : int
        At least 2: the first is told apart.

    Returns
    -------
    list of dict
        ``library``, ``data``, ``sites``, ``bond_dim``, ``epochs``, ``batch_size``,
        ``training_samples``, then what `peers.protocol.finish` lists; of the others ``ratio``,
        their median seconds per epoch over Tensorspin's, or ``missing`` instead of all figures:
        why there are none.

    Raises
    ------
    DataError
        If there are fewer than 16 samples to train on.
    ValueError
        If there are fewer than 2 epochs.
    """
    if epochs < 2:
        raise ValueError(f"at least 2 epochs are compared, the first told apart; not {epochs}")
    python = sys.executable if python is None else python
    with tempfile.TemporaryDirectory() as folder:
        task, described = _prepare(name, data, Path(folder), epochs)
        ours, theirs = [_run(sys.executable, "tensorspin", task)], []
        for peer in PEERS:
            theirs.append(_run_peer(python, peer, task))
            if "missing" not in theirs[-1]:
                ours.append(_run(sys.executable, "tensorspin", task))
    seconds = [answer["epoch_seconds"] for answer in ours]
    median = float(np.median(seconds))
    rows = [
        {
            "library": "tensorspin",
            **ours[0],
            "epoch_seconds": median,
            "epoch_range": [min(seconds), max(seconds)],
        }
    ]
    for peer, answer in zip(PEERS, theirs):
        if "missing" not in answer:
            answer["ratio"] = answer["epoch_seconds"] / median
        rows.append({"library": peer, **answer})
    return [described | row for row in rows]


def _prepare(name: str, data: Dataset, folder: Path, epochs: int) -> tuple[Task, dict]:
    """Write the samples as all libraries take them."""
    batch_size = min(len(data.y_train) // 16, 64)
    if batch_size < 1:
        raise DataError(
            f"{name}: training is compared on at least 16 samples, not {len(data.y_train)}"
        )
    kept = len(data.y_train) // batch_size * batch_size
    if data.feature_range is None:
        low, high = data.X_train.min(axis=0), data.X_train.max(axis=0)
    else:
        low, high = (np.full(data.X_train.shape[1], limit) for limit in data.feature_range)
    classes = np.unique(data.y_train)
    known = np.isin(data.y_test, classes)
    task = Task(
        data=str(folder / "data.npz"),
        bond_dim=BOND_DIM,
        epochs=epochs,
        batch_size=batch_size,
        seed=0,
    )
    np.savez(
        task.data,
        X_train=scale_features(data.X_train[:kept], low, high).astype(np.float32),
        y_train=np.searchsorted(classes, data.y_train[:kept]),
        X_test=scale_features(data.X_test[known], low, high).astype(np.float32),
        y_test=np.searchsorted(classes, data.y_test[known]),
    )
    described = {name: value for name, value in asdict(task).items() if name != "data"}
    described |= {"data": name, "sites": data.X_train.shape[1], "training_samples": kept}
    return task, described


def _run_peer(python: str, peer: str, task: Task) -> dict:
    try:
        found = subprocess.run(
            [python, "-c", f"import {peer}"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return {"missing": f"the interpreter can't be started: {error.strerror}"}
    if found.returncode != 0:
        reason = (found.stderr.strip().splitlines() or ["?"])[-1]
        return {"missing": f"not installed ({reason})"}
    try:
        return _run(python, peer, task)
    except subprocess.CalledProcessError as error:
        return {"missing": f"failed with status {error.returncode}, see its message"}


def _run(python: str, library: str, task: Task) -> dict:
    tqdm.write(f"training with {library}", file=sys.stderr)
    answer = Path(task.data).with_name("answer.json")
    return run_script(python, _SCRIPTS / f"train_{library}.py", task, answer)
