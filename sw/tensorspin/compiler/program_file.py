"""Keep programs in files: an ``.npz`` archive of plain arrays and one JSON text, never a pickle.

Reading a file can't run code that somebody hid in it. The archive's own checksums find damage, and
what was edited by hand is checked as any new program is. A file of an older version of the package
is read; a file of a newer one is refused, with the versions that this package reads.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..archives import read_arrays
from ..contract.contractor.program import Node, Operand, OperandKind, is_protected
from ..errors import TensorspinError
from ..files import binary_file, readable_file
from .categories import Categories
from .columns import TYPES, ColumnLevels
from .knots import Knots
from .outputs import Classification, OutlierDetection, Regression, Task
from .program_lock import ProgramLock
from .signing import verify

FORMAT = "tensorspin network program"
"""Text in each file, so that an archive of something else is not mistaken for a program."""

VERSION = 7
"""Version of the files that are written. Version 1 knew only classifiers: their classes and
temperature were not yet a task. Version 2 knew no narrow nodes, whose weights take 4 bits.
Version 3 knew neither names of features nor folded pipelines. Version 4 knew no knots: all scales
were linear between two limits. Version 5 knew neither levels of missing values nor categories.
Version 6 knew no protected nodes; a program without any is still written as version 6, so that
earlier versions of the package read it."""

_VERSION_WITHOUT_PROTECTED = 6
"""Version of the files of programs without protected nodes."""

MOST_BYTES = 1 << 28
"""Most bytes that the compressed arrays of a file may expand to: 256 MiB, a hundred times what the
largest board holds. A larger program is written without compression, which needs no limit."""

_ARRAYS = (
    *("metadata", "weights", "table", "feature_minimum", "feature_maximum", "classes"),
    *("columns", "columns_nan", "knots", "knots_positions"),
    *(f"columns_{name}{part}" for name in TYPES for part in ("", "_levels", "_missing")),
)
"""Names of all arrays in files of any version. Nothing else in a file is read."""

_TASKS = {
    "classification": Classification,
    "regression": Regression,
    "outlier detection": OutlierDetection,
}
"""Name in the file for each kind of task."""

Program = TypeVar("Program")
"""Type of what `load` makes of a file: `tensorspin.compiler.NetworkProgram`. This module can't
import that class, because the class imports this module to save and load programs."""


class ProgramFileError(TensorspinError):
    """A file is not a program, is damaged, or is of a later version.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tensorspin.compiler import NetworkProgram, ProgramFileError
    >>> _ = Path("notes.npz").write_text("no program")
    >>> try:
    ...     NetworkProgram.load("notes.npz")
    ... except ProgramFileError as error:
    ...     print(str(error).partition(":")[0])
    notes.npz is no sound program file
    """


def save(path: str | Path, program: Mapping[str, Any]) -> None:
    """Write a program, replacing the file only once everything is written.

    Parameters
    ----------
    path : str or Path
        File to write.
    program : mapping of str to object
        The attributes of a `tensorspin.compiler.NetworkProgram`, by name.

    Raises
    ------
    ValueError
        If the classes have mixed types, for which a file without pickles has no form.
    OSError
        If the file cannot be written, or its name stands for a device, a pipe or a folder.
    """
    task, task_arrays = _task_entry(program["task"])
    metadata = {
        "format": FORMAT,
        "version": VERSION if is_protected(program["nodes"]) else _VERSION_WITHOUT_PROTECTED,
        "nodes": [_node_entry(node) for node in program["nodes"]],
        "names": list(program["names"]),
        "clip": program["clip"],
        "task": task,
        "log2_scale": program["log2_scale"],
        "feature_names": program["feature_names"],
        "missing": bool(program["missing"]),
        "categories": None if program["categories"] is None else program["categories"].entry(),
    }
    if program["lock"] is not None:  # which older readers pass over, as they do any other name
        metadata["lock"] = program["lock"].entry()
    arrays = {
        "metadata": np.array(json.dumps(metadata)),
        "weights": np.concatenate([tensor.ravel() for tensor in program["weights"]]),
        "table": program["table"],
        "feature_minimum": program["feature_minimum"],
        "feature_maximum": program["feature_maximum"],
        **task_arrays,
        **({} if program["columns"] is None else program["columns"].arrays()),
        **({} if program["knots"] is None else program["knots"].arrays()),
    }
    # Half of the limit leaves room for the headers of the arrays, which count when it is read.
    large = sum(np.asarray(array).nbytes for array in arrays.values()) > MOST_BYTES // 2
    with binary_file(path) as file:
        (np.savez if large else np.savez_compressed)(file, **arrays)


def load(
    path: str | Path, make: Callable[..., Program], public_key: str | Path | None = None
) -> Program:
    """Read a program.

    Parameters
    ----------
    path : str or Path
        File that `save` wrote, with this version of the package or an earlier one.
    make : callable
        Called with the program's attributes by name. What it refuses is reported as a file that is
        not sound.
    public_key : str or Path, optional
        File with a public key. The file must then be what its owner has signed, byte for byte;
        otherwise nothing in it is looked at.

    Returns
    -------
    object
        What `make` returned.

    Raises
    ------
    SignatureError
        If a key is given, and the file is not what was signed with it.
    ProgramFileError
        If the file is damaged, is something else, or was written by a later version.
    OSError
        If it can't be read.
    """
    path = Path(path)
    # Opened here, so that a missing file is not mistaken for a damaged one.
    with readable_file(path) as file:
        if public_key is not None:
            content = file.read()
            verify(content, path, public_key)
            file = io.BytesIO(content)  # read once: the file on the disk may change
        try:
            arrays = read_arrays(file, _ARRAYS, MOST_BYTES)
            metadata = json.loads(str(arrays.pop("metadata")))
            if metadata["format"] != FORMAT:
                raise ValueError(f"its format is {metadata['format']!r}, not {FORMAT!r}")
            if metadata["version"] not in range(1, VERSION + 1):
                raise ValueError(
                    f"it has version {metadata['version']}, this package reads versions 1 to "
                    f"{VERSION}; if a newer package wrote it, read it with that one"
                )
            return make(**_attributes(metadata, arrays))
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            EOFError,
            NotImplementedError,
            zipfile.BadZipFile,
            TensorspinError,
        ) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
            raise ProgramFileError(f"{path} is no sound program file: {reason}") from error
        except Exception as error:  # A damaged archive provokes zlib.error, and many others.
            raise ProgramFileError(f"{path} is damaged: {error}") from error


def _attributes(metadata: dict, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the attributes of the program in a file, by name."""
    nodes = tuple(_node(entry) for entry in metadata["nodes"])
    flat = arrays["weights"]
    shapes = [(node.outputs, node.left.size, node.right.size) for node in nodes]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    if flat.ndim != 1 or not len(ends) or ends[-1] != len(flat):
        raise ValueError(
            f"its nodes need {int(ends[-1]) if len(ends) else 0} weights, it has {flat.size}"
        )
    parts = np.split(flat, ends[:-1])
    return {
        "nodes": nodes,
        "weights": tuple(part.reshape(shape) for part, shape in zip(parts, shapes)),
        "names": tuple(_text(name) for name in metadata["names"]),
        "table": arrays["table"],
        "feature_minimum": arrays["feature_minimum"],
        "feature_maximum": arrays["feature_maximum"],
        "clip": metadata["clip"],
        "task": _task(metadata, arrays),
        "log2_scale": float(metadata["log2_scale"]),
        # With one of these arrays all are needed: limits alone would give other levels.
        "columns": (
            ColumnLevels.from_arrays(arrays)
            if any(name.startswith("columns") for name in arrays)
            else None
        ),
        "feature_names": _names(metadata.get("feature_names")),
        "knots": Knots.from_arrays(arrays) if "knots" in arrays else None,
        "missing": _truth(metadata.get("missing", False)),
        "categories": _categories(metadata.get("categories")),
        "lock": ProgramLock.from_entry(metadata.get("lock")),
    }


def _names(entry: object) -> tuple[str, ...] | None:
    """Return the names of columns; files of versions before 4 have none."""
    if entry is None:
        return None
    if not isinstance(entry, list):
        raise ValueError(f"feature_names is {entry!r}, not a list")
    return tuple(_text(name) for name in entry)


def _categories(entry: object) -> Categories | None:
    """Return the categories of columns; files of versions before 6 have none."""
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise ValueError(f"categories is {entry!r}, not an object")
    return Categories.from_entry(entry)


def _task_entry(task: Task) -> tuple[dict, dict[str, np.ndarray]]:
    """Return a task as JSON metadata and arrays."""
    kind = next(name for name, type_ in _TASKS.items() if isinstance(task, type_))
    entry: dict[str, Any] = {"kind": kind}
    if not isinstance(task, Classification):
        return {**entry, **asdict(task)}, {}
    classes = task.labels
    if classes.dtype == object:
        # pandas keeps strings as objects. Other objects have no form that a file can hold.
        classes = np.array(classes.tolist())
        if classes.dtype.kind not in "US" or classes.tolist() != task.labels.tolist():
            raise ValueError("classes of mixed types can't be saved; use numbers or strings")
    entry["temperature"] = task.temperature
    if task.calibrated_temperature is not None:
        entry["calibrated_temperature"] = task.calibrated_temperature
    return entry, {"classes": classes}


def _task(metadata: dict, arrays: dict[str, np.ndarray]) -> Task:
    if metadata["version"] == 1:
        return Classification(arrays["classes"], float(metadata["temperature"]))
    entry = metadata["task"]
    if entry["kind"] not in _TASKS:
        raise ValueError(f"its task is {entry['kind']!r}, not one of {', '.join(_TASKS)}")
    type_ = _TASKS[entry["kind"]]
    if type_ is Classification:
        calibrated = entry.get("calibrated_temperature")
        return Classification(
            arrays["classes"],
            float(entry["temperature"]),
            None if calibrated is None else float(calibrated),
        )
    return type_(**{item.name: float(entry[item.name]) for item in fields(type_)})


def _node_entry(node: Node) -> dict[str, Any]:
    entry = asdict(node)
    if not node.protected:
        del entry["protected"]
    return entry


def _node(entry: dict) -> Node:
    left, right = (
        Operand(
            OperandKind(_integer(entry[side]["kind"])),
            _integer(entry[side]["index"]),
            _integer(entry[side]["size"]),
        )
        for side in ("left", "right")
    )
    return Node(
        left,
        right,
        outputs=_integer(entry["outputs"]),
        destination=_integer(entry["destination"]),
        wait=_truth(entry["wait"]),
        last=_truth(entry["last"]),
        narrow=_truth(entry.get("narrow", False)),
        protected=_truth(entry.get("protected", False)),
    )


# JSON is taken by its word: int("7"), int(7.9) and bool("false") would be guesses.


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} should be an integer")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} should be true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} should be text")
    return value
