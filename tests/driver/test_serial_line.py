"""The whole driver through pySerial and a pseudo-terminal, with the golden device at its end."""

import os
import select
import threading

import pytest

from tensorspin.cli.main import main
from tensorspin.driver.board import Board
from tensorspin.errors import LinkError, TransportError
from tensorspin.golden.device import GOLDEN_BUILD, GoldenDevice

from ..support.doubles import ROW, GarbageDevice, SilentDevice, assert_answers
from ..support.loaded_programs import chain_program, golden_answers, random_levels

tty = pytest.importorskip("tty")


class Adapter:
    """A pseudo-terminal; a thread serves a device at its other end."""

    def __init__(self, device):
        self.device = device
        self.primary, self.secondary = os.openpty()
        tty.setraw(self.primary)
        tty.setraw(self.secondary)
        self.url = os.ttyname(self.secondary)
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            ready, _, _ = select.select([self.primary, self._stop], [], [])
            if self._stop in ready:
                return
            try:
                data = os.read(self.primary, 4096)
            except OSError:
                return
            answer = self.device.respond(data)
            while answer:
                answer = answer[os.write(self.primary, answer) :]

    def close(self):
        if self._thread.is_alive():
            os.write(self._stopped, b"x")
            self._thread.join(5)
        for descriptor in (self.primary, self.secondary, self._stop, self._stopped):
            try:
                os.close(descriptor)
            except OSError:
                pass

    def unplug(self):
        os.write(self._stopped, b"x")
        self._thread.join(5)
        os.close(self.primary)
        os.close(self.secondary)


@pytest.fixture
def adapter():
    made = []

    def make(device=None):
        made.append(Adapter(device or GoldenDevice(ROW)))
        return made[-1]

    yield make
    for item in made:
        item.close()


def test_load_and_run(adapter):
    line = adapter()
    program, levels = chain_program(30, 10, 8), random_levels(200, 30)
    with Board.open(line.url) as board:
        board.load(program, verify=True)
        assert_answers(board.run(levels), golden_answers(program, levels))
        assert_answers(board.run(levels), golden_answers(program, levels))
        assert board.link_test(0.3).to_device > 0
        assert board.url == line.url
    with Board.open(line.url, baud=115200) as board:
        assert board.status().active


def test_silent_device(adapter):
    line = adapter(SilentDevice(ROW))
    with pytest.raises(LinkError, match=r"\(nothing received in 0.3 s\)"):
        Board.open(line.url, timeout=0.3)
    # The port was released.
    line.device = GoldenDevice(ROW)
    Board.open(line.url).close()


def test_another_program_at_the_port(adapter):
    line = adapter(GarbageDevice(ROW))
    with pytest.raises(LinkError, match="bytes of something else received"):
        Board.open(line.url, timeout=0.3)


def test_unplugged(adapter):
    line = adapter()
    with Board.open(line.url) as board:
        line.unplug()
        with pytest.raises(TransportError, match="is it still plugged in"):
            board.status()


@pytest.mark.parametrize("here", [None, GOLDEN_BUILD.hex(), "0123456789abcdef"])
def test_info_tells_of_another_build(adapter, monkeypatch, capsys, here):
    build = pytest.importorskip("tensorspin_gateware.build.bitstream")
    monkeypatch.setattr(build, "last_build", lambda board: here)
    assert main(["info", adapter().url]) == 0
    (told,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("build")]
    assert GOLDEN_BUILD.hex() in told
    another = f"built here is {here}: `tensorspin bitstream {ROW.name} --program`"
    assert (another in told) == (here == "0123456789abcdef")
