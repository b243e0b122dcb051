"""Other libraries' scripts, each in a process and, if need be, an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

_ONE_CORE = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}


def run_script(python: str, script: Path, task, answer: Path, **options) -> dict:
    """Run a script on one core.

    Parameters
    ----------
    python : str
        Interpreter.
    script : Path
        Called with the task as JSON and the file for its answer.
    task : dataclass
    answer : Path
    **options
        Of `subprocess.run`.

    Returns
    -------
    dict
        The answer.

    Raises
    ------
    OSError
        If the interpreter can't be started.
    subprocess.CalledProcessError
        If the script fails.
    """
    answer.unlink(missing_ok=True)
    subprocess.run(
        [python, *("-W", "ignore"), str(script), *(json.dumps(asdict(task)), str(answer))],
        env=os.environ | _ONE_CORE,
        check=True,
        **options,
    )
    return json.loads(answer.read_text())
