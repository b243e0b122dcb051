"""The contraction of a program in C on this computer: what a board must be compared with.

Two forms are compiled for this processor. The *bits of a board* are the software contraction of
``sw/clients/c``, which the drivers for microcontrollers have. *Float32* is the same network without
the board's rounding, written as straight code with a loop of constant length for each node.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....compiler import NetworkProgram
from ....contract.contractor.memory import LEVELS
from ....contract.contractor.program import Operand, OperandKind
from ....contract.device.boards import CONTRACTORS
from ....contract.fixed import MANTISSA
from ....export import ClientModel, model_header
from ....export.driver import driver_files
from ....golden.contractor.contraction import contract

FLAGS = ("-std=c99", "-O3", "-march=native", "-D_POSIX_C_SOURCE=199309L", "-shared", "-fPIC")
"""How both forms are compiled."""

SECONDS = 0.002
"""Time of one measurement, in which a call is repeated."""

REPEATS = 60
"""Measurements, of which the fastest counts: whatever else the computer does only adds time."""

_CLOCK = """
#include <time.h>
double seconds(const uint8_t *levels, unsigned samples, unsigned passes)
{
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (unsigned pass = 0; pass < passes; ++pass) {
        for (unsigned k = 0; k < samples; ++k) classify(levels + (size_t)k * FEATURES);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (double)(ended.tv_sec - began.tv_sec) + 1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
}
"""

_DRIVER = """
#include "tensorspin.h"
#include "model.h"
#define FEATURES MODEL_FEATURES
static tensorspin_device device;
static tensorspin_workspace workspace;
static tensorspin_result result;
int prepare(void)
{
    tensorspin_open_software(&device, &workspace);
    return tensorspin_load(&device, &model);
}
int classify(const uint8_t *levels)
{
    return tensorspin_run(&device, levels, &result) ? -1 : result.best;
}
"""


class Unavailable(RuntimeError):
    """A form that cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Timed:
    """What was measured of a form.

    Parameters
    ----------
    seconds : float
        Seconds of a sample, from levels to class.
    agreement : float
        Share of the samples whose class is that of the golden model, 0 to 1.
    """

    seconds: float
    agreement: float


def measure_bits(program: NetworkProgram, levels: np.ndarray) -> Timed:
    """Measure the software contraction of the drivers, which has the bits of a board.

    The order of the weights depends on the lanes of a board; the fastest of all counts.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    Timed
        Its time; its agreement is 1.

    Raises
    ------
    Unavailable
        If there is no compiler, or no board holds the program.
    """
    found, lanes = [], set()
    for board in CONTRACTORS.values():
        size = board.require_contractor()
        if size.lanes in lanes or not all(demand.fits for demand in program.demands(size)):
            continue
        lanes.add(size.lanes)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = driver_files("c") | {
                "model.h": model_header(ClientModel(program, board)).encode()
            }
            for path, content in files.items():
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).write_bytes(content)
            parts = [f"tensorspin_{part}.c" for part in ("link", "contractor", "software")]
            found.append(_measure(folder, _DRIVER + _CLOCK, parts, program, levels))
    if not found:
        raise Unavailable("no board holds the program")
    return min(found, key=lambda timed: timed.seconds)


def measure_float(program: NetworkProgram, levels: np.ndarray) -> Timed:
    """Measure the network in float32.

    Parameters
    ----------
    program : NetworkProgram
        The program, whose quantised weights are taken.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples; the first ones also tell by which power of two each node's result is scaled.

    Returns
    -------
    Timed
        Its time, and how often its class is that of the golden model.

    Raises
    ------
    Unavailable
        If there is no compiler.
    """
    with tempfile.TemporaryDirectory() as name:
        source = "\n".join(float_source(program, levels[:64])) + _CLOCK
        return _measure(Path(name), source, [], program, levels)


def float_source(program: NetworkProgram, levels: np.ndarray) -> Iterator[str]:
    """Write the contraction of a program in float32.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples whose results must be of the order of 1.

    Yields
    ------
    str
        Lines of C99: ``prepare`` and ``classify``.
    """
    yield "#include <stddef.h>\n#include <stdint.h>"
    yield f"#define FEATURES {program.n_features}"
    components = len(program.table)
    table = np.ldexp(program.table.T.astype(np.float64), -MANTISSA.f_bits)
    yield f"static const float table[{LEVELS}][{components}] = {{{_numbers(table)}}};"
    shapes = {(node.left.size, node.right.size, node.outputs) for node in program.nodes}
    for left, right, outputs in sorted(shapes):
        sizes = {"left": left, "right": right, "outputs": outputs}
        yield _FUNCTION.format(**sizes, pairs=_pairs(left, right), width=_width(outputs))
    body = []
    vectors: dict[int, np.ndarray] = {}
    for index, (node, weights) in enumerate(zip(program.nodes, program.weights)):
        operands = [_values(each, vectors, table, levels) for each in (node.left, node.right)]
        result = np.einsum("oab,na,nb->no", weights.astype(np.float64), *operands)
        scale = 2.0 ** -np.ceil(np.log2(max(np.abs(result).max(), 1e-300)))
        vectors[node.destination] = result * scale
        # Weights of one pair of entries lie together, and fill a vector.
        left, right = node.left.size, node.right.size
        ordered = np.zeros((_pairs(left, right), _width(node.outputs)))
        ordered[: left * right, : node.outputs] = (weights * scale).reshape(node.outputs, -1).T
        aligned = "__attribute__((aligned(64)))"
        yield f"static const float w{index}[] {aligned} = {{{_numbers(ordered)}}};"
        destination = "scores" if node.last else f"v{node.destination}"
        shape = f"{node.left.size}_{node.right.size}_{node.outputs}"
        places = f"{_place(node.left)}, {_place(node.right)}"
        body.append(f"    node_{shape}(w{index}, {places}, {destination});")
    entries = max(node.outputs for node in program.nodes)
    slots = {node.destination for node in program.nodes if not node.last}
    yield "int prepare(void) { return 0; }"
    yield "int classify(const uint8_t *levels)\n{"
    yield from (f"    float v{slot}[{entries}];" for slot in sorted(slots))
    yield f"    float scores[{program.n_outputs}];"
    yield f"    int best = 0;\n    (void)levels;\n{chr(10).join(body)}"
    yield f"    for (int k = 1; k < {program.n_outputs}; ++k) {{"
    yield "        if (scores[k] > scores[best]) best = k;\n    }\n    return best;\n}"


_FUNCTION = """
typedef float vector_{left}_{right}_{outputs} __attribute__((vector_size(4 * {width}), aligned(4)));
static inline void node_{left}_{right}_{outputs}(const float *weights, const float *left,
                                                 const float *right, float *out)
{{
    const vector_{left}_{right}_{outputs} *w = (const vector_{left}_{right}_{outputs} *)weights;
    vector_{left}_{right}_{outputs} sums = {{0}}, s1 = {{0}}, s2 = {{0}}, s3 = {{0}};
    float products[{pairs}] = {{0}};
    for (int a = 0; a < {left}; ++a) {{
        for (int b = 0; b < {right}; ++b) products[a * {right} + b] = left[a] * right[b];
    }}
    for (int k = 0; k < {pairs}; k += 4) {{
        sums += w[k] * products[k];
        s1 += w[k + 1] * products[k + 1];
        s2 += w[k + 2] * products[k + 2];
        s3 += w[k + 3] * products[k + 3];
    }}
    sums += s1 + (s2 + s3);
    for (int o = 0; o < {outputs}; ++o) out[o] = sums[o];
}}"""
"""A node. Four sums are made at once: a processor begins an addition before the last is done."""


def _pairs(left: int, right: int) -> int:
    """Pairs of entries, filled up to a multiple of the sums that are made at once."""
    return -(-left * right // 4) * 4


def _width(outputs: int) -> int:
    """Entries of a vector of the compiler that holds so many outputs."""
    return 1 << (outputs - 1).bit_length()


def _values(operand: Operand, vectors, table: np.ndarray, levels: np.ndarray) -> np.ndarray:
    if operand.kind is OperandKind.FEATURE:
        return table[levels[:, operand.index], : operand.size]
    return vectors[operand.index][:, : operand.size]


def _place(operand: Operand) -> str:
    if operand.kind is OperandKind.FEATURE:
        return f"table[levels[{operand.index}]]"
    return f"v{operand.index}"


def _numbers(values: np.ndarray) -> str:
    return ", ".join(f"{value:.8e}f" for value in np.ravel(values).tolist())


def _measure(
    folder: Path, source: str, parts: list[str], program: NetworkProgram, levels: np.ndarray
) -> Timed:
    """Compile a form, compare its classes with the golden model's, and time it."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Unavailable("there is no C compiler")
    (folder / "main.c").write_text(source)
    words = [*compiler.split(), *FLAGS, "main.c", *parts, "-o", "main.so"]
    found = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if found.returncode:
        told = [line for line in found.stderr.splitlines() if "error" in line] or [""]
        raise Unavailable(f"the C compiler failed: {told[0].strip()}")
    library = ctypes.CDLL(str(folder / "main.so"))
    library.seconds.restype = ctypes.c_double
    if error := library.prepare():
        raise Unavailable(f"the software contraction does not hold the program (error {error})")
    packed = np.ascontiguousarray(levels, dtype=np.uint8)
    classes = [library.classify(sample.tobytes()) for sample in packed]
    golden = contract(program.nodes, program.weights, program.table, packed, lanes=8).classes
    data, count = packed.tobytes(), len(packed)

    def took(passes: int) -> float:
        return library.seconds(data, ctypes.c_uint(count), ctypes.c_uint(passes))

    passes = max(1, round(SECONDS / max(took(1), 1e-9)))
    times = [took(passes) / (passes * count) for _ in range(REPEATS)]
    return Timed(min(times), float(np.mean(np.array(classes) == golden)))
