"""Start the programs of `peers`, each in a process and, if need be, an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..peers import solving, training

_FOLDER = Path(__file__).parents[1]
"""Folder of the package ``peers``, which is a top-level package in the processes started here."""

_ONE_CORE = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}
"""Environment variables that keep numerical libraries from starting threads."""


def run_peer(
    python: str, name: str, task: training.Task | solving.Task, answer: Path, **options: Any
) -> dict:
    """Run a program of `peers` on one core.

    Parameters
    ----------
    python : str
        Interpreter of the environment in which the program's library is installed.
    name : str
        Name of the program's module, for example "train_tn4ml".
    task : training.Task or solving.Task
        What the program is to do.
    answer : Path
        File for the program's answer.
    **options
        Further arguments of `subprocess.run`.

    Returns
    -------
    dict
        The answer.

    Raises
    ------
    OSError
        If the interpreter cannot be started.
    subprocess.CalledProcessError
        If the program fails.
    """
    # An answer that is left from another program would hide that this one wrote none.
    answer.unlink(missing_ok=True)
    subprocess.run(
        [
            *(python, "-W", "ignore", "-m", f"peers.{name}"),
            *(json.dumps(asdict(task)), str(answer)),
        ],
        env=os.environ | _ONE_CORE | {"PYTHONPATH": _with_peers(os.environ.get("PYTHONPATH"))},
        check=True,
        **options,
    )
    return json.loads(answer.read_text())


def _with_peers(path: str | None) -> str:
    """Add the folder of ``peers`` to the folders in which Python looks for modules."""
    return os.pathsep.join([*([path] if path else []), str(_FOLDER)])
