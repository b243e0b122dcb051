"""How a program gets its task and gives its answer: both are JSON, named on its command line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TypeVar

Task = TypeVar("Task")


def begin(kind: type[Task]) -> Task:
    """Keep this process on one core, and read its task.

    Libraries are compared by the time that one core takes, and a process that is moved from core to
    core loses its caches. Where the system cannot pin a process, it runs unpinned.

    Parameters
    ----------
    kind : type
        Dataclass of the task; the first argument of the command line holds its fields.

    Returns
    -------
    kind
        The task.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return kind(**json.loads(sys.argv[1]))


def answer(content: dict) -> None:
    """Write the answer to the file that the second argument of the command line names.

    Parameters
    ----------
    content : dict
        The answer, ready for JSON.
    """
    Path(sys.argv[2]).write_text(json.dumps(content))
