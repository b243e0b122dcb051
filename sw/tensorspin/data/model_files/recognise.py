"""Which format a model file has: by its content where that tells, by its suffix otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import cqm_files, dimod_files
from .text import all_lines

VARTYPE = re.compile(r"#\s*vartype\s*=\s*(\w*)")
"""Comment of a file that dimod.serialization.coo writes; the group is SPIN or BINARY."""

OFFSET = re.compile(r"[#c]\s*ObjectiveOffset\s+(\S+)")
"""Comment of QOBLIB's files; the group is the constant term of the objective."""

_LOOKED_AT = 100_000
"""Characters from the beginning of a text in which its format is looked for."""

_BY_PREFIX = {dimod_files.PREFIX: "dimod", cqm_files.PREFIX: "cqm", b"DIMOD": "dimod"}
"""Formats by their first bytes; what else dimod writes is refused by the reader of its models."""

_BY_FIRST_LINE = (
    ("mtx", re.compile(r"%%MatrixMarket\b", re.IGNORECASE)),
    ("json", re.compile(r"[{\[]")),
)
"""Formats that the first line tells, with what it begins with."""

_BY_FIRST_DATA = (
    ("qubo", re.compile(r"p\s+qubo\b", re.IGNORECASE)),
    ("dimacs", re.compile(r"p\s+(edge|edges|col)\b", re.IGNORECASE)),
    ("lp", re.compile(r"(min|max)(imi[sz]e|imum)?(\s.*)?$", re.IGNORECASE)),
)
"""Formats that the first line tells which is no comment."""

_BY_SUFFIX = {
    ".qubo": "qubo",
    ".sparse": "sparse",
    ".bq": "bq",
    ".qs": "qs",
    ".mc": "rudy",
    ".rud": "rudy",
    ".rudy": "rudy",
    ".mtx": "mtx",
    ".col": "dimacs",
    ".dimacs": "dimacs",
    ".coo": "coo",
    ".json": "json",
    ".lp": "lp",
    ".bqm": "dimod",
    ".cqm": "cqm",
}


def recognise_binary(content: bytes) -> str | None:
    """Find the format of a file that is no text.

    Parameters
    ----------
    content : bytes
        Its content, expanded.

    Returns
    -------
    str or None
        "dimod" or "cqm"; None if it may be text.
    """
    for prefix, name in _BY_PREFIX.items():
        if content.startswith(prefix):
            return name
    return None


def recognise(text: str, suffix: str) -> tuple[str, bool]:
    """Find the format of a text file.

    Parameters
    ----------
    text : str
        Its content.
    suffix : str
        Its suffix in lower case, without that of a compression.

    Returns
    -------
    str
        One of the formats.
    bool
        Whether this is a guess: the content is a list of numbers that says of no problem, and the
        suffix is none of those that do.
    """
    lines = [line for _, line in all_lines(text[:_LOOKED_AT])]
    for name, pattern in _BY_FIRST_LINE:
        if lines and pattern.match(lines[0]):
            return name, False
    comments, first = _head(lines)
    if any(VARTYPE.match(line) for line in comments):
        return "coo", False
    # The suffix .qubo is also that of other formats, which begin like an LP file.
    for name, pattern in _BY_FIRST_DATA:
        if pattern.match(first) and not (name == "lp" and suffix == ".qubo"):
            return name, False
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix], False
    if any(OFFSET.match(line) for line in comments):
        return "qs", False
    return "rudy", True


def _head(lines: Sequence[str]) -> tuple[list[str], str]:
    """Split off the comments at the beginning; give them and the first line after them."""
    for place, line in enumerate(lines):
        if line[0] not in "#c\\":
            return list(lines[:place]), line
    return list(lines), ""
