"""Keys of builds cover what builds depend on, and one process at a time builds in a folder."""

import ast
import dataclasses
import queue
import shutil
import threading
from pathlib import Path

import pytest

import tensorspin_gateware
from tensorspin.contract.device.boards import find_board
from tensorspin.driver.transports import open_transport
from tensorspin.errors import TransportError
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import cache
from tensorspin_gateware.build.cache import locked

BOARD = find_board("icebreaker")
PACKAGE = Path(tensorspin_gateware.__file__).parent


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the gateware package, of which digests are taken instead."""
    copied = shutil.copytree(PACKAGE, tmp_path / "copy", ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(cache, "__file__", str(copied / "build" / "cache.py"))
    return copied


def changes_digest(path):
    """Whether another comment in a source changes the digest of the sources."""
    before = cache.build_digest(BOARD)
    text = path.read_text()
    path.write_text(f"{text}# another comment\n")
    changed = cache.build_digest(BOARD) != before
    path.write_text(text)
    return changed


def imported(path):
    """Modules of the gateware package that a module of it imports, wherever it does."""
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.ImportFrom) and statement.level:
            origin = path.parents[statement.level - 1] / (statement.module or "").replace(".", "/")
            for name in statement.names:
                for found in (origin / f"{name.name}.py", origin.with_suffix(".py")):
                    if found.exists():
                        yield found
            if (origin / "__init__.py").exists():
                yield origin / "__init__.py"


def test_digest_covers_what_a_netlist_depends_on_and_nothing_else(copy):
    design, found = {copy / "build" / "top.py", copy / "accelerator.py"}, set()
    # Platforms of our own are found by the names in the table of boards.
    platforms = [hardware.platform.partition(":")[0].split(".") for hardware in HARDWARE.values()]
    design |= {copy / f"{names[1]}.py" for names in platforms if names[0] == "tensorspin_gateware"}
    while design:
        path = design.pop()
        found.add(path)
        design |= set(imported(path)) - found
    # A package that only names modules of its own changes nothing.
    modules = [path for path in copy.rglob("*.py") if path.name != "__init__.py"]
    covered = {path for path in modules if changes_digest(path)}
    assert covered == {path for path in found if path.name != "__init__.py"}


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("contractor/lanes.py", True),
        ("build/top.py", True),
        ("primitives/carry.v", True),
        ("boards.py", True),
        ("build/records.py", False),
        ("build/bitstream.py", False),
        ("simulation/simulator.py", False),
        ("simulation/compilation.py", False),
        ("simulation/simulator.cpp", False),
    ],
)
def test_digest_changes_with_sources_of_hardware_alone(name, matters, copy):
    assert changes_digest(copy / name) == matters


def test_digest_is_the_same_wherever_the_sources_lie(copy):
    elsewhere = cache.build_digest(BOARD)
    cache.__file__ = str(PACKAGE / "build" / "cache.py")
    assert cache.build_digest(BOARD) == elsewhere


def test_digest_depends_on_the_row():
    digest = cache.build_digest(BOARD)
    assert len(digest) == cache.BUILD_BYTES
    assert digest == cache.build_digest(BOARD)
    assert digest != cache.build_digest(dataclasses.replace(BOARD, baud=115_200))


@pytest.mark.parametrize(("name", "matters"), [("a.v", True), ("b.py", True), ("c.md", False)])
def test_digest_depends_on_every_source(name, matters, copy):
    (copy / name).write_text("")
    assert changes_digest(copy / name) == matters


def test_second_process_says_that_it_waits(tmp_path):
    lines = queue.Queue()
    entered = threading.Event()

    def build():
        with locked(tmp_path, lines.put):
            entered.set()

    other = threading.Thread(target=build, daemon=True)
    with locked(tmp_path, lines.put):
        other.start()
        assert "another process builds here" in lines.get(timeout=60)
        assert not entered.is_set()
    other.join(timeout=60)
    assert entered.is_set() and lines.empty()


@pytest.mark.parametrize(
    ("parent", "checkout"),
    # The second is a package that was installed into a folder of somebody else's project.
    [("project/hw", True), ("project/vendor", False), ("venv/lib/site-packages", False)],
)
def test_only_a_checkout_keeps_builds_in_itself(tmp_path, monkeypatch, parent, checkout):
    module = tmp_path / parent / "tensorspin_gateware" / "build" / "cache.py"
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    monkeypatch.setattr(cache, "__file__", str(module))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    build, kept = tmp_path / "project" / "build", tmp_path / "cache" / "tensorspin"
    assert cache.path("icebreaker") == (build if checkout else kept) / "icebreaker"


def test_a_cache_that_cannot_be_made_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(cache, "path", lambda name: tmp_path / "file" / name)
    with pytest.raises(OSError, match="cannot make .*file/x, where builds are kept .*XDG_CACHE_HO"):
        cache.directory("x")
    with pytest.raises(TransportError, match="cannot open sim://icebreaker: cannot make "):
        open_transport("sim://icebreaker")
