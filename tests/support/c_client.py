"""The C driver as a library that Python calls; `c_lines` lead it to devices."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tensorspin.contract.contractor.latency import PIPELINES
from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin.contract.wire.packets import STATUS
from tensorspin.export.c_header import model_header
from tensorspin.export.model import ClientModel

SOURCES = Path(__file__).parents[2] / "sw" / "clients" / "c"
WARNINGS = (
    *("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow"),
    "-Werror",
)
FLAGS = "TENSORSPIN_CLIENT_FLAGS"
"""Environment variable with further flags of the compiler, such as those of a sanitizer."""

SIZES = b"""
#include "tensorspin.h"
size_t client_device_bytes(void) { return sizeof(tensorspin_device); }
size_t client_workspace_bytes(void) { return sizeof(tensorspin_workspace); }
size_t client_faults_offset(void) { return offsetof(tensorspin_device, faults); }
void client_set_mode(tensorspin_device *device, int mode);
void client_set_mode(tensorspin_device *device, int mode)
{
    tensorspin_set_mode(device, (tensorspin_mode)mode);
}
"""

OK, PENDING, BUSY, IDLE, TIMEOUT, OTHER_PROTOCOL, BAD_DEVICE, RESTARTED = range(0, -8, -1)
DOES_NOT_FIT, OUT_OF_RANGE, NOT_A_NUMBER, WRONG_ENERGY, WRONG_ANSWER, FAULT = range(-8, -14, -1)
NO_MODEL, CORRUPT = 4, 9
SINGLE, THROUGHPUT = range(2)

TRANSFER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)
READY = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)
MICROS = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)
COUPLING = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)


class Port(ctypes.Structure):
    _fields_ = [
        ("transfer", TRANSFER),
        ("ready", READY),
        ("micros", MICROS),
        ("context", ctypes.c_void_p),
    ]


class Model(ctypes.Structure):
    _fields_ = [
        ("image", ctypes.c_char_p),
        ("table", ctypes.c_char_p),
        ("image_bytes", ctypes.c_uint32),
        ("table_bytes", ctypes.c_uint32),
        ("digest", ctypes.c_uint32),
        ("cycles", ctypes.c_uint32),
        ("needs", ctypes.c_uint16 * 6),
        ("features", ctypes.c_uint16),
        ("outputs", ctypes.c_uint16),
        ("throughput_cycles", ctypes.c_uint32 * len(PIPELINES)),
        ("single_cycles", ctypes.c_uint32),
        ("groups", ctypes.c_uint16),
        ("single_drain", ctypes.c_uint16),
        ("is_signed", ctypes.c_uint8),
    ]

    @classmethod
    def of(cls, model: ClientModel) -> Model:
        size = model.board.require_contractor()
        return cls(
            model.image,
            model.table,
            len(model.image),
            len(model.table),
            model.digest,
            model.cycles,
            (ctypes.c_uint16 * 6)(*model.needs),
            model.features,
            model.outputs,
            (ctypes.c_uint32 * len(PIPELINES))(*model.cycles_of_pipelines),
            model.single_cycles,
            size.groups,
            size.single_drain,
            model.signed,
        )


class Result(ctypes.Structure):
    _fields_ = [
        ("cycles", ctypes.c_uint32),
        ("exponent", ctypes.c_uint16),
        ("best", ctypes.c_uint16),
        ("scores", ctypes.c_int16 * MAX_OUTPUTS),
    ]


class Problem(ctypes.Structure):
    _fields_ = [
        ("coupling", COUPLING),
        ("data", ctypes.c_void_p),
        ("variables", ctypes.c_uint16),
    ]


class Step(ctypes.Structure):
    _fields_ = [("q", ctypes.c_uint32), ("sweeps", ctypes.c_uint16)]


def compiler() -> str:
    """The C compiler, or a skip."""
    found = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if not found:
        pytest.skip("no C compiler: install gcc")
    return found


@cache
def library() -> ctypes.CDLL:
    """The driver, compiled with all warnings as errors; kept until the sources change."""
    command = [compiler(), *WARNINGS, "-g", "-O1", "-shared", "-fPIC"]
    command += os.environ.get(FLAGS, "").split()
    sources = sorted(SOURCES.glob("tensorspin*.[ch]"))
    digest = hashlib.sha256(" ".join(command).encode() + SIZES)
    for source in sources:
        digest.update(source.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"tensorspin-c-client-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{digest.hexdigest()[:24]}.so"
    if not path.exists():
        made = path.with_suffix(f".{os.getpid()}")
        files = [str(source) for source in sources if source.suffix == ".c"]
        command += [f"-I{SOURCES}", *files, "-x", "c", "-", "-o", str(made)]
        subprocess.run(command, input=SIZES, check=True)
        made.rename(path)
    found = ctypes.CDLL(str(path))
    for name in ("device_bytes", "workspace_bytes", "faults_offset"):
        getattr(found, f"client_{name}").restype = ctypes.c_size_t
    for name in ("number", "log_likelihood", "decision"):
        getattr(found, f"tensorspin_{name}").restype = ctypes.c_float
    found.tensorspin_is_outlier.restype = ctypes.c_bool
    return found


class Client:
    """The driver's functions for one device, called as C calls them.

    Parameters
    ----------
    line : object, optional
        Has `transfer` (bytes to bytes), `ready` and `micros`. None: the software contraction.
    wired : bool
        Whether the interrupt is.
    """

    def __init__(self, line=None, wired=True):
        self.library = library()
        # Guards on either side, in which nothing may be written.
        size = self.library.client_device_bytes()
        self._memory = ctypes.create_string_buffer(size)
        self.device = ctypes.byref(self._memory)
        self.line = line
        self._kept: list = []
        self._problem = None
        self.error: BaseException | None = None
        if line is None:
            self._workspace = ctypes.create_string_buffer(self.library.client_workspace_bytes())
            self.library.tensorspin_open_software(self.device, self._workspace)
            return

        def transfer(_, pointer, count):
            try:
                sent = bytes(pointer[:count])
                received = line.transfer(sent)
                assert len(received) == count
                ctypes.memmove(pointer, received, count)
            except BaseException as error:  # ctypes would only print it
                self.error = self.error or error

        ready = READY(lambda _: line.ready()) if wired else READY()
        self._port = Port(TRANSFER(transfer), ready, MICROS(lambda _: line.micros()), None)

    def __getattr__(self, name):
        """Call ``tensorspin_<name>(device, ...)``."""
        function = getattr(self.library, f"tensorspin_{name}")

        def call(*arguments):
            found = function(self.device, *arguments)
            if self.error is not None:
                raise self.error
            return found

        return call

    @property
    def faults(self) -> int:
        offset = self.library.client_faults_offset()
        return int.from_bytes(self._memory.raw[offset : offset + 4], "little")

    def open(self):
        return self.__getattr__("open")(ctypes.byref(self._port))

    def load(self, model: ClientModel | Model):
        packed = model if isinstance(model, Model) else Model.of(model)
        self._kept.append(packed)
        return self.__getattr__("load")(ctypes.byref(packed))

    def start(self, levels, result: Result):
        data = ctypes.create_string_buffer(bytes(levels), len(levels))
        self._kept.append(data)
        return self.__getattr__("start")(data, ctypes.byref(result))

    def run(self, levels) -> tuple[int, Result]:
        result = Result()
        data = ctypes.create_string_buffer(bytes(levels), len(levels))
        return self.__getattr__("run")(data, ctypes.byref(result)), result

    def set_mode(self, mode: int) -> None:
        self.library.client_set_mode(self.device, mode)

    def status(self) -> tuple[int, bytes]:
        counters = ctypes.create_string_buffer(STATUS.size)
        return self.__getattr__("status")(counters), counters.raw

    def anneal_load(self, couplings, linear):
        couplings, linear = np.asarray(couplings), np.asarray(linear)

        def coupling(_, i, j):
            assert i < len(linear) and j < len(linear)
            return int(linear[i] if i == j else couplings[i, j])

        self._problem = Problem(COUPLING(coupling), None, len(linear))
        return self.__getattr__("anneal_load")(ctypes.byref(self._problem))

    def anneal_start(self, steps, seed=0, refresh=0):
        packed = (Step * len(steps))(*[Step(*step) for step in steps])
        return self.__getattr__("anneal_start")(
            packed, len(steps), ctypes.c_uint32(seed), ctypes.c_uint16(refresh)
        )

    def anneal_read(self, replica):
        assert self._problem is not None
        states = (ctypes.c_int8 * self._problem.variables)()
        energy = ctypes.c_int32()
        error = self.__getattr__("anneal_read")(
            ctypes.byref(self._problem), ctypes.c_uint16(replica), states, ctypes.byref(energy)
        )
        return error, np.array(states), energy.value


EXPORTED = """
#include "model.h"
const tensorspin_model *exported_model(void) { return &model; }
const tensorspin_scale *exported_float(void) { return &model_float; }
const tensorspin_scale *exported_int16(void) { return &model_int16; }
int exported_self_test(tensorspin_device *device)
{
    tensorspin_result result;
    return tensorspin_self_test(device, &model_test, &result);
}
"""
"""Functions that hand out what an exported header has."""


def exported(model: ClientModel, folder: Path, more: str = "") -> ctypes.CDLL:
    """Compile an exported header, and further C that uses it, to a library."""
    (folder / "model.h").write_text(model_header(model))
    (folder / "model.c").write_text(EXPORTED + more)
    path = folder / "model.so"
    command = [compiler(), *WARNINGS, *os.environ.get(FLAGS, "").split(), "-shared", "-fPIC"]
    sources = map(str, SOURCES.glob("*.c"))
    command += [f"-I{SOURCES}", f"-I{folder}", *sources, str(folder / "model.c"), "-o", str(path)]
    subprocess.run(command, check=True)
    found = ctypes.CDLL(str(path))
    for name in ("model", "float", "int16", "numbers"):
        if name != "numbers" or more:
            getattr(found, f"exported_{name}").restype = ctypes.c_void_p
    for name in ("number", "log_likelihood", "decision"):
        getattr(found, f"tensorspin_{name}").restype = ctypes.c_float
    found.tensorspin_is_outlier.restype = ctypes.c_bool
    return found
