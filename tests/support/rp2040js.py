"""The firmware of an RP2040 on rp2040js, an emulator that others keep.

So what the firmware takes for an RP2040 is the model of two authors. rp2040js has the chip's
instructions with their cycles, its pins and its SPI. It runs in a process of node, which sends what
happens at the pins, and asks for what comes in.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from .elf import Elf
from .rp2040 import FLASH, FirmwareError

SCRIPT = Path(__file__).parents[1] / "clients" / "firmware" / "rp2040js.cjs"
MESSAGE = struct.Struct("<cdI")
SCK_DIVISOR = 6
"""Cycles of the peripherals' clock in one of SCK, as the firmware sets it."""


def node() -> str:
    """The command of node, or a skip."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed, which rp2040js needs")
    words = [found, "-e", "require('rp2040js')"]
    if subprocess.run(words, cwd=SCRIPT.parent, capture_output=True).returncode:
        pytest.skip("rp2040js is not installed: npm install --no-save rp2040js@1.4.1")
    return found


class RP2040JS:
    """One core with its flash, at the pins of a board, as `tests.support.rp2040.RP2040`.

    Parameters
    ----------
    firmware : Path
        ELF file.
    pins : VirtualPins
        Pins of the board, whose SCK has the frequency that the firmware sets.

    Attributes
    ----------
    words : list of int
        What the firmware has written to the mailbox.
    marks : list of (int, float)
        Marks of the firmware: value and seconds.
    """

    def __init__(self, firmware: Path, pins):
        self.firmware, self.pins = firmware, pins
        self.words: list[int] = []
        self.marks: list[tuple[int, float]] = []
        self.status: int | None = None
        self._begin = pins.now()

    def run(self, most_seconds=2.0) -> int:
        """Execute from the reset to the end; return the status that the firmware tells."""
        with tempfile.TemporaryDirectory() as name:
            image = Path(name) / "flash.bin"
            image.write_bytes(self._image())
            words = [node(), str(SCRIPT), str(image), str(most_seconds * 1e9)]
            with subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                try:
                    self._serve(process)
                finally:
                    process.kill()
                told = process.stderr.read().decode()
        if self.status is None:
            raise FirmwareError(told[-2000:] or "the firmware does not end")
        return self.status

    def _image(self) -> bytes:
        flash = bytearray()
        for address, content in Elf.read(self.firmware).segments:
            at = address - FLASH[0]
            flash.extend(bytes(max(0, at + len(content) - len(flash))))
            flash[at : at + len(content)] = content
        return bytes(flash)

    def _serve(self, process):
        while len(message := process.stdout.read(MESSAGE.size)) == MESSAGE.size:
            letter, nanoseconds, value = MESSAGE.unpack(message)
            now = nanoseconds * 1e-9
            if letter in b"BQS":
                ahead = now - (self.pins.now() - self._begin)
                if ahead > 0:
                    self.pins.wait(ahead)
            reply = None
            if letter == b"B":
                (reply,) = self.pins.transfer(bytes([value]))
            elif letter == b"Q":
                reply = int(self.pins.irq)
            elif letter == b"S":
                self.pins.select(not value)
            elif letter == b"M":
                self.marks.append((value, now))
            elif letter == b"W":
                self.words.append(value)
            elif letter == b"E":
                self.status = value - (1 << 32) if value >> 31 else value
                return
            if reply is not None:
                process.stdin.write(struct.pack("<I", reply))
                process.stdin.flush()
