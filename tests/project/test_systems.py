"""What works on which operating system, with what Windows lacks taken away.

Neither Windows nor macOS is at hand. The host must not need anything that POSIX alone has; what is
built, simulators and bitstreams, is refused on Windows with a sentence.
"""

import subprocess
import sys

import pytest

from tensorspin import Board
from tensorspin.cli.main import main
from tensorspin.errors import TransportError
from tensorspin_gateware.build import bitstream, toolchain
from tensorspin_gateware.simulation import simulator

WITHOUT_POSIX = """
import importlib, os, pkgutil, signal, sys
# What others import is their business: pySerial, for one, takes other modules on Windows.
import dimod, matplotlib.pyplot, serial.tools.list_ports, sklearn.datasets, sklearn.model_selection
import amaranth.build.run, amaranth_boards.icebreaker, multiprocessing, subprocess, tempfile
for name in ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
for module, names in (
    (os, "fchmod fchown fork forkpty getegid geteuid getgid getloadavg getpgid getuid killpg mkfifo"
         " mknod openpty setsid sched_getaffinity uname O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW"
         " O_NONBLOCK WNOHANG"),
    (signal, "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGWINCH alarm setitimer"),
):
    for name in names.split():
        delattr(module, name)
for root in ("tensorspin", "tensorspin_gateware"):
    package = importlib.import_module(root)
    for found in pkgutil.walk_packages(package.__path__, f"{root}."):
        if ".benchmarks.peers." not in found.name and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
from tensorspin.cli.main import main
for command in (
    "train iris --epochs 2 --output iris.npz",
    "estimate iris.npz --board icebreaker",
    "run iris.npz --board golden://icebreaker --data iris",
    "info golden://icebreaker",
    "udev",
):
    assert main(command.split()) == 0, command
"""


def test_the_host_needs_nothing_that_posix_alone_has(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(toolchain.sys, "platform", "win32")


def test_simulators_are_refused_on_windows(windows, capsys):
    with pytest.raises(toolchain.ToolMissing, match="on Linux, not on Windows; .*WSL.* golden://"):
        simulator.load("icebreaker")
    with pytest.raises(TransportError, match="cannot open sim://icebreaker: .*not on Windows"):
        Board.open("sim://icebreaker")
    assert main(["info", "sim://icebreaker"]) == 1
    assert "not on Windows" in capsys.readouterr().err


def test_bitstreams_are_refused_on_windows(windows, capsys):
    with pytest.raises(toolchain.ToolMissing, match="not on Windows"):
        bitstream.build("icebreaker")
    assert main(["bitstream", "icebreaker"]) == 1
    assert "not on Windows" in capsys.readouterr().err


def test_the_golden_board_answers_on_windows(windows):
    with Board.open("golden://icebreaker") as board:
        assert board.info.board == "icebreaker"
