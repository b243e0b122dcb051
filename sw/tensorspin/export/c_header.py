"""A program for one board as a C header, for the driver in ``sw/clients/c``.

All tables are const, so that they stay in flash, and each is an object of its own: what a program
does not name, its linker leaves out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

import numpy as np

from ..contract.wire.packets import PROTOCOL_VERSION
from .model import ClientModel
from .thresholds import Thresholds

_WIDTH = 98
"""Greatest length of a line."""

_KEYWORDS = frozenset(
    "alignas alignof and asm atomic auto bitand bitor bool break case catch char class compl "
    "concept const consteval constexpr constinit continue decltype default delete do double else "
    "enum explicit export extern false float for friend goto if import inline int linux long "
    "module mutable namespace new noexcept not null nullptr operator or private protected public "
    "register requires restrict return short signed sizeof static struct switch template this "
    "throw true try typedef typeid typename typeof union unix unsigned using virtual void "
    "volatile while xor main setup loop".split()
)
"""Words of C and C++, macros that compilers define, and functions that a program already has."""


_RESERVED = (
    "tensorspin.*|.*_t|(const|dynamic|reinterpret|static)_cast|co_(await|return|yield)|static_assert"
    "|thread_local|atomic_(cancel|commit|noexcept)|(and|or|xor|not)_eq"
)
"""Form of names of the driver, and of words of C and C++ with an underscore: types end in _t."""


def check_name(name: str) -> None:
    """Refuse a name that symbols in C cannot begin with.

    Parameters
    ----------
    name : str
        The name.

    Raises
    ------
    ValueError
        If it is no identifier of C in lower case, or is a word of C or C++, or the driver's.

    Examples
    --------
    >>> check_name("digits")
    >>> check_name("2nd model")
    Traceback (most recent call last):
        ...
    ValueError: a name must be letters (a-z), digits and _, and begin with a letter, not '2nd model'
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(
            f"a name must be letters (a-z), digits and _, and begin with a letter, not {name!r}"
        )
    if name in _KEYWORDS or re.fullmatch(_RESERVED, name):
        raise ValueError(f"the name {name!r} is taken in C or by the driver; choose another")


def model_header(model: ClientModel, name: str = "model") -> str:
    """Write a program as a C header.

    Parameters
    ----------
    model : ClientModel
        The program for a board.
    name : str
        What all names in the header begin with.

    Returns
    -------
    str
        C99, also valid in C++.

    Raises
    ------
    ValueError
        If symbols in C cannot begin with the name.

    Examples
    --------
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.contract.device.boards import find_board
    >>> classifier = MPSClassifier(bond_dim=2, epochs=1, random_state=0)
    >>> program = classifier.fit([[0.0, 1.0], [1.0, 0.0]], ["low", "high"]).quantize()
    >>> header = model_header(ClientModel(program, find_board("icebreaker_spi")))
    >>> [line for line in header.splitlines() if "model_classes" in line]
    ['static const char *const model_classes[] = {"high", "low"};']
    """
    check_name(name)
    content = "\n".join(_lines(model, name))
    # Of two models with one name a guard by the name alone would leave out the second in silence.
    guard = f"TENSORSPIN_MODEL_{name.upper()}_{zlib.crc32(content.encode()):08X}_H"
    return f"{_HEAD.format(model.board.name)}#ifndef {guard}\n#define {guard}\n{content}\n#endif\n"


_HEAD = """/* A program for the board {}, written by tensorspin export.
 * Include it in one file of your program. Each model of a program needs a name of its own:
 * tensorspin export --name. */
"""


def _lines(model: ClientModel, name: str) -> Iterator[str]:
    upper = name.upper()
    yield ""
    yield '#include "tensorspin.h"'
    yield ""
    yield f"#if TENSORSPIN_PROTOCOL_VERSION != {PROTOCOL_VERSION}"
    yield f'#error "this model is for protocol version {PROTOCOL_VERSION}: export it again"'
    yield "#endif"
    yield ""
    yield f"#define {upper}_FEATURES {model.features}  /* levels of a sample */"
    yield f"#define {upper}_COLUMNS {model.float_scale.n_columns}  /* readings of a sample */"
    yield f"#define {upper}_OUTPUTS {model.outputs}  /* scores */"
    yield ""
    yield from _array("uint8_t", f"{name}_image", model.image)
    yield from _array("uint8_t", f"{name}_table", model.table)
    needs = ", ".join(map(str, model.needs))
    sizes = f"{model.features}, {model.outputs}"
    yield f"static const tensorspin_model {name} = {{"
    yield f"    {name}_image, {name}_table, {len(model.image)}, {len(model.table)},"
    yield f"    0x{model.digest:08x}, {model.cycles}, {{{needs}}}, {sizes},"
    throughput = ", ".join(map(str, model.cycles_of_pipelines))
    size = model.board.require_contractor()
    yield f"    {{{throughput}}}, {model.single_cycles}, {size.groups}, {size.single_drain},"
    yield f"    {int(model.signed)}"
    yield "};"
    if model.labels:
        yield ""
        yield "/* Names of the classes, by the index of the greatest score. */"
        names = ", ".join(map(_string, model.labels))
        yield from _wrapped(f"static const char *const {name}_classes[] = {{", names, "};")
    for column, known in model.categories.items():
        yield ""
        yield f"/* Categories of column {column}: the reading is the place of one in this list. */"
        if None in known:
            yield "/* NULL stands for any other. */"
        if column in model.gaps_for_others:
            yield "/* A missing reading stands for any other. */"
        names = ", ".join("NULL" if each is None else _string(each) for each in known)
        head = f"static const char *const {name}_categories_{column}[{len(known)}] = {{"
        yield from _wrapped(head, names, "};")
    if (numbers := model.regression) is not None:
        yield ""
        yield "/* What tensorspin_number makes of a score. */"
        values = f"{_float(numbers.offset)}, {_float(numbers.factor)}, {numbers.power}"
        yield f"static const tensorspin_regression {name}_regression = {{{values}}};"
    if (found := model.outliers) is not None:
        yield ""
        yield "/* What tensorspin_is_outlier, _log_likelihood and _decision make of a score. */"
        yield from _array("uint16_t", f"{name}_least", found.least or (0,))
        yield f"static const tensorspin_outliers {name}_outliers = {{"
        yield f"    {_float(found.offset)}, {found.scale_whole}, {found.scale_fraction}u,"
        yield f"    {found.first_exponent}, {name}_least, {len(found.least)}"
        yield "};"
    yield from _scale(model.float_scale, f"{name}_float", 32)
    yield from _scale(model.short_scale, f"{name}_int16", 16)
    tests = model.self_tests
    yield ""
    yield "/* Samples with known answers: tensorspin_self_test compares. */"
    yield from _array("uint8_t", f"{name}_test_levels", b"".join(test.levels for test in tests))
    scores = (score for test in tests for score in test.scores)
    yield from _array("int16_t", f"{name}_test_scores", scores)
    ends = (number for test in tests for number in (test.exponent, test.best))
    yield from _array("uint16_t", f"{name}_test_numbers", ends)
    arrays = ", ".join(f"{name}_test_{array}" for array in ("levels", "scores", "numbers"))
    head = f"static const tensorspin_test {name}_test = {{"
    yield from _wrapped(head, f"{arrays}, {len(tests)}", "};")
    yield ""


def _scale(scale: Thresholds, name: str, bits: int) -> Iterator[str]:
    """Write how readings become levels: thresholds that no reading reaches are left out."""
    greatest = np.iinfo(f"i{bits // 8}").max
    if bits == 32:
        greatest -= 1  # stands for a threshold that is never reached
    counts = (scale.rows <= greatest).sum(axis=1)
    starts = np.cumsum(counts) - counts
    kept = np.concatenate([row[:count] for row, count in zip(scale.rows, counts)])
    yield ""
    yield f"/* How readings of {'float' if bits == 32 else 'int16_t'} become levels. */"
    missing = scale.missing.clip(0)
    if scale.missing_key is not None:
        # In columns that miss no values the key is a number, and has its level.
        number = [np.searchsorted(scale.rows[row], scale.missing_key, "right") for row in scale.row]
        missing = np.where(scale.accepts_missing[scale.columns], missing, number)
    numbers = np.stack([starts[scale.row], scale.columns, counts[scale.row], missing], axis=1)
    features = ", ".join(f"{{{', '.join(map(str, each))}}}" for each in numbers)
    head = f"static const tensorspin_feature {name}_feature[{len(scale.columns)}] = {{"
    yield from _wrapped(head, features, "};")
    yield from _array(f"int{bits}_t", f"{name}_thresholds", kept if len(kept) else (0,))
    yield from _array("int32_t", f"{name}_limits", scale.limits.ravel())
    accepts = "NULL"
    if scale.accepts_missing.any():
        accepts = f"{name}_accepts_missing"
        yield from _array("uint8_t", accepts, scale.accepts_missing.astype(int))
    yield f"static const tensorspin_scale {name} = {{"
    yield f"    {len(scale.columns)}, {scale.n_columns}, {bits}, {name}_feature, {name}_thresholds,"
    yield f"    {name}_limits, {accepts}"
    yield "};"


def _array(kind: str, name: str, numbers: Iterable[int]) -> Iterator[str]:
    listed = [_integer(int(number), kind) for number in numbers]
    head = f"static const {kind} {name}[{len(listed)}] = {{"
    yield from _wrapped(head, ", ".join(listed), "};")


def _wrapped(head: str, content: str, tail: str) -> Iterator[str]:
    """Break a list into lines where it is long; strings and what is in braces stay whole."""
    if len(head) + len(content) + len(tail) <= _WIDTH:
        yield head + content + tail
        return
    yield head
    line = "   "
    for part in re.findall(r'(?:"(?:\\.|[^"\\])*"|\{[^}]*\}|[^",])+,?', content):
        part = part.strip()
        if len(line) + 1 + len(part) > _WIDTH:
            yield line
            line = "   "
        line += f" {part}"
    yield line
    yield tail


def _integer(number: int, kind: str) -> str:
    # The least number has no literal: C would take the minus for an operator.
    return "(-2147483647 - 1)" if number == -(1 << 31) and kind == "int32_t" else str(number)


def _float(number: float) -> str:
    most = float(np.finfo(np.float32).max)
    return f"{float(np.float32(np.clip(number, -most, most))):.9e}f"


def _string(text: str) -> str:
    """Write text as a string of C: UTF-8, its other bytes as octal numbers of three digits."""
    # A question mark is escaped, since two of them begin a trigraph.
    plain = {ord(c) for c in map(chr, range(32, 127)) if c not in '"\\?'}
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode("utf-8")) + '"'
