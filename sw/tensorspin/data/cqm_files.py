"""Files that dimod's constrained quadratic models write of themselves.

They are zip archives behind a header. As with its other files, dimod's own reader trusts them: at a
damaged number it writes beyond the memory that it has, which ends the process.
"""

from __future__ import annotations

import io
import zipfile

import dimod
import numpy as np
from dimod.constrained.constrained import CQM_MAGIC_PREFIX
from dimod.serialization.fileview import (
    IndicesSection,
    LinearSection,
    OffsetSection,
    QuadraticSection,
    read_header,
)

from .errors import DataError
from .limits import check_variables

PREFIX = CQM_MAGIC_PREFIX
"""First bytes of every file that dimod.ConstrainedQuadraticModel.to_file writes."""

_EXPRESSION_PREFIX = b"DIMODEXPR"
"""First bytes of an archive's member that holds the objective or one side of a constraint."""

_VARIABLE = np.dtype([("vartype", "i1"), ("lb", "<f8"), ("ub", "<f8")])
"""What a file says of a variable: its kind, from 0 to `_MOST_VARTYPE`, and its bounds."""

_MOST_VARTYPE = 3
"""Greatest number of a kind of variable: dimod has binary, spin, integer and real."""

_SECTION_HEAD = 8
"""Bytes before a section's data: four letters and the length."""


def read_cqm(path: object, content: bytes, limit: int) -> dimod.ConstrainedQuadraticModel:
    """Read what dimod.ConstrainedQuadraticModel.to_file writes, after a check of its numbers.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    content : bytes
        Its content.
    limit : int
        Most bytes that its compressed parts may expand to.

    Returns
    -------
    dimod.ConstrainedQuadraticModel
        The model.

    Raises
    ------
    DataError
        If the content is damaged, expands to more, or is something else.

    Examples
    --------
    >>> import dimod
    >>> cqm = dimod.ConstrainedQuadraticModel()
    >>> cqm.set_objective(dimod.Binary("a"))
    >>> read_cqm("model.cqm", cqm.to_file().read(), limit=10_000).num_biases()
    1
    """
    if not content.startswith(PREFIX):
        raise DataError(f"{path} is no constrained quadratic model that dimod has written")
    try:
        _check(path, content, limit)
        return dimod.ConstrainedQuadraticModel.from_file(content)
    except DataError:
        raise
    except Exception as error:
        # A damaged file makes numpy, json, zipfile or dimod raise one of many exceptions that have
        # no base class in common.
        raise DataError(f"{path} is no model of dimod: {error}") from error


def _check(path: object, content: bytes, limit: int) -> None:
    """Refuse an archive that is too large, or whose members name variables that there are not."""
    file = io.BytesIO(content)
    header = read_header(file, PREFIX)
    if header.version < (2, 0):
        raise ValueError("dimod before 0.12 has written it; write it again with a newer one")
    variables = header.data["num_variables"]
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        # zipfile expands other methods of compression without a limit; dimod writes these two.
        if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members):
            raise ValueError("it is compressed by a method that dimod never uses")
        # zipfile stops at the size that the archive's directory gives.
        expanded = sum(member.file_size for member in members)
        if expanded > max(limit, len(content)):
            raise ValueError(f"it expands to {expanded} bytes, the limit is {limit}")
        information = archive.read("varinfo")[_SECTION_HEAD:]
        kinds = np.frombuffer(information, _VARIABLE, variables)["vartype"]
        check_variables(path, variables, variables)
        if np.any((kinds < 0) | (kinds > _MOST_VARTYPE)):
            raise ValueError("it has variables of an unknown kind")
        for name in archive.namelist():
            if name == "objective" or name.endswith("/lhs"):
                _check_expression(name, archive.read(name), variables)


def _check_expression(name: str, content: bytes, variables: int) -> None:
    """Refuse an expression that names a variable twice, or one that there is not."""
    file = io.BytesIO(content)
    header = read_header(file, _EXPRESSION_PREFIX).data
    own, interactions = header["shape"]
    bias, index = np.dtype(header["dtype"]), np.dtype(header["itype"])
    if bias != np.float64 or index != np.int32:
        raise ValueError(f"{name} has numbers of {bias} and {index}, not float64 and int32")
    indices = np.frombuffer(IndicesSection.load(file), index, own)
    OffsetSection.load(file, dtype=bias)
    if len(LinearSection.load(file, dtype=bias, num_variables=own)) != own:
        raise ValueError(f"{name} has less than {own} linear biases")
    pair = np.dtype([("u", index), ("v", index), ("bias", bias)])
    table = np.frombuffer(QuadraticSection.load(file), pair, interactions)
    if len(np.unique(indices)) != own:
        raise ValueError(f"{name} names a variable twice")
    rows, columns = table["u"].astype(np.int64), table["v"].astype(np.int64)
    for numbers, count in ((indices, variables), (rows, own), (columns, own)):
        if len(numbers) and not (0 <= int(numbers.min()) and int(numbers.max()) < count):
            raise ValueError(f"{name} names a variable that is none of its {count}")
    # dimod appends them to sorted lists: rows ascend, and columns within a row, up to the row.
    places = rows * own + columns
    if np.any(columns > rows) or np.any(places[1:] <= places[:-1]):
        raise ValueError(f"the interactions of {name} are not in order")
