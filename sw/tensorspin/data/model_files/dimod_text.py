"""What dimod writes as text: JSON, and lists of coordinates."""

from __future__ import annotations

import json
from pathlib import Path

import dimod
import numpy as np

from ..errors import DataError
from ..limits import check_variables
from .model import Model
from .recognise import VARTYPE
from .text import all_lines, data_lines, numbers

MOST_LABEL = 2**53
"""Greatest number of a variable in a list: up to it all integers are exact as floats."""


def read_coo(path: Path, text: str) -> Model:
    """Read what dimod.serialization.coo writes, and refuse every line that is not understood.

    dimod's own reader skips such lines silently, so that a damaged file would become another model.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    text : str
        Its content.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    DataError
        If the file does not have the format, or does not tell the kind of its variables.
    """
    comments = (line for _, line in all_lines(text) if line[0] == "#")
    found = next(filter(None, map(VARTYPE.match, comments)), None)
    vartype = found[1].upper() if found else ""
    if vartype not in dimod.Vartype.__members__:
        raise DataError(
            f"{path} must begin with # vartype=SPIN or # vartype=BINARY, as dimod writes it with "
            f"vartype_header=True"
        )
    lines = data_lines(text, "#")
    table = numbers(path, lines, 3)
    pairs = table[:, :2]
    wrong = np.flatnonzero(np.any((pairs % 1 != 0) | (pairs < 0) | (pairs > MOST_LABEL), axis=1))
    if len(wrong):
        raise DataError(
            f"{path}: line {lines[wrong[0]][0]}: entry {wrong[0] + 1} names "
            f"{table[wrong[0], :2].tolist()}; variables are integers from 0 to {MOST_LABEL}"
        )
    bqm = dimod.BinaryQuadraticModel(vartype)
    for row, column, value in zip(*table[:, :2].T.astype(np.int64).tolist(), table[:, 2].tolist()):
        if row == column:
            bqm.add_linear(row, value)
        else:
            bqm.add_quadratic(row, column, value)
    return energy_model(path, bqm, "coo")


def read_json(path: Path, text: str) -> Model:
    """Read what json.dump writes of dimod.BinaryQuadraticModel.to_serializable.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    text : str
        Its content.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    DataError
        If it is something else.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("type") != "BinaryQuadraticModel":
        raise DataError(
            f"{path} is no BinaryQuadraticModel in dimod's JSON; json.dump(bqm.to_serializable(), "
            f"file) writes one"
        )
    try:
        _check_json(path, document)
        bqm = dimod.BinaryQuadraticModel.from_serializable(document)
    except DataError:
        raise
    except Exception as error:
        # Fields that are missing or of other types make dimod raise any of many exceptions.
        raise DataError(f"{path} is no model of dimod: {error!r}") from error
    return energy_model(path, bqm, "json")


def _check_json(path: Path, document: dict) -> None:
    """Check that couplings name variables that there are: dimod allocates up to the greatest."""
    if document.get("use_bytes"):
        raise ValueError("numbers as bytes are no JSON; write it with use_bytes=False")
    labels = len(document["variable_labels"])
    ends = np.asarray([document["quadratic_head"], document["quadratic_tail"]])
    check_variables(path, labels, labels)
    if len(document["linear_biases"]) != labels:
        raise ValueError(f"{len(document['linear_biases'])} linear biases of {labels} variables")
    for name, count in (("num_variables", labels), ("num_interactions", ends.shape[1])):
        if document.get(name, count) != count:
            raise ValueError(f"{name} is {document[name]}, but the file has {count}")
    if ends.size and (ends.dtype.kind not in "iu" or ends.min() < 0 or ends.max() >= labels):
        raise ValueError("a coupling names a variable that there is not")


def energy_model(path: Path, bqm: dimod.BinaryQuadraticModel, file_format: str) -> Model:
    """Make the model of which the least energy is looked for."""
    kind = "spins" if bqm.vartype is dimod.SPIN else "binary variables"
    reading = f"least energy of dimod's model of {kind}"
    return Model(path.name, bqm, "energy", file_format=file_format, reading=reading)
