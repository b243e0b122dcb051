"""The wheel and the sdist hold the packages and nothing else, and work where no checkout is.

The tests marked `slow` make both with the module `build`, and install the wheel into a virtual
environment of its own. They need the network, or pip's cache, for what the wheel depends on.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
PACKAGES = {"tensorspin": ROOT / "sw", "tensorspin_gateware": ROOT / "hw"}

BESIDE = {
    "CHANGELOG.md",
    "CITATION.cff",
    "MANIFEST.in",
    "PKG-INFO",
    "README.md",
    "pyproject.toml",
    "setup.py",
}
"""Files at the root of the sdist, without those that setuptools adds for itself."""

KERNEL = "tensorspin/models/kernel/_compiled"
"""The compiled training kernel, without the endings that tell of the system."""

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
assert "site-packages" in package.__file__, package.__file__
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    # Programs of other libraries are run, not imported; a module `__main__` is run, too.
    if ".benchmarks.peers." not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""


def sources(package: str) -> set[str]:
    """Files of a package in the checkout, as paths from the folder that the package is in."""
    folder = PACKAGES[package]
    return {
        path.relative_to(folder).as_posix()
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        # What was compiled in the checkout is not a source.
        if path.suffix not in (".so", ".pyd")
    }


def drivers(folder: str) -> set[str]:
    """Files of the drivers for microcontrollers, as paths in a folder."""
    clients = ROOT / "sw" / "clients"
    return {
        f"{folder}/{path.relative_to(clients).as_posix()}"
        for name in ("c", "micropython")
        for path in (clients / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


WITH_DRIVERS = "tensorspin/export/clients"
"""Where a wheel has them."""


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_not_python_is_declared_as_data_of_its_package(package):
    declared = PROJECT["tool"]["setuptools"]["package-data"][package]
    data = {name.partition("/")[2] for name in sources(package) if not name.endswith(".py")}
    assert "py.typed" in data
    assert {name for name in data if not any(fnmatch.fnmatch(name, of) for of in declared)} == set()


def build(folder: Path, source: Path, *options: str, **environment: str) -> tuple[Path, ...]:
    """Run the module `build`, and return the files that it makes, by name."""
    command = [sys.executable, "-m", "build", *options, "--outdir", folder, source]
    subprocess.run(command, check=True, env={**os.environ, **environment})
    return tuple(sorted(folder.iterdir()))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is made from it."""
    wheel, sdist = build(tmp_path_factory.mktemp("dist"), ROOT)
    return sdist, wheel


@pytest.fixture(scope="module")
def plain(made, tmp_path_factory) -> Path:
    """The wheel that is made from the sdist where the compiler fails."""
    source = tmp_path_factory.mktemp("source")
    shutil.unpack_archive(made[0], source, filter="data")
    folder = tmp_path_factory.mktemp("plain")
    (wheel,) = build(folder, source / f"tensorspin-{VERSION}", "--wheel", CC="false")
    return wheel


@pytest.mark.slow
def test_without_a_compiler_the_wheel_runs_anywhere(plain):
    assert plain.name == f"tensorspin-{VERSION}-py3-none-any.whl"
    names = zipfile.ZipFile(plain).namelist()
    assert not [name for name in names if name.startswith(f"{KERNEL}.") and ".pyi" not in name]
    assert {name for name in names if ".dist-info/" not in name} == set().union(
        *map(sources, PACKAGES), drivers(WITH_DRIVERS)
    )


@pytest.mark.slow
def test_the_wheel_has_the_packages_and_nothing_else(made):
    names = set(zipfile.ZipFile(made[1]).namelist())
    about = {name for name in names if name.startswith(f"tensorspin-{VERSION}.dist-info/")}
    compiled = {f"{KERNEL}.abi3.so"} if "-abi3-" in made[1].name else set()
    assert bool(compiled) == (shutil.which("cc") is not None)
    assert names - about == compiled.union(*map(sources, PACKAGES), drivers(WITH_DRIVERS))
    licences = {name.name for name in ROOT.glob("LICEN[CS]E*")}
    assert licences <= {Path(name).name for name in about}


@pytest.mark.slow
def test_the_sdist_has_what_the_wheel_is_made_from(made):
    prefix = f"tensorspin-{VERSION}/"
    with tarfile.open(made[0]) as archive:
        names = {member.name.removeprefix(prefix) for member in archive if member.isfile()}
    packages = {
        f"{folder.name}/{name}" for package, folder in PACKAGES.items() for name in sources(package)
    }
    packages |= drivers("sw/clients")
    rest = {name for name in names - packages if not name.startswith("tensorspin.egg-info/")}
    licences = {name.name for name in ROOT.glob("LICEN[CS]E*")}
    assert packages <= names and rest == BESIDE | {"setup.cfg"} | licences


class Installed:
    """A virtual environment with the wheel, used from a folder that has nothing of the checkout."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self.here = folder / "here"
        self.here.mkdir()
        self._bin = folder / "venv" / "bin"
        self._wheel = wheel
        self._cache = folder / "cache"
        self.install("")

    def install(self, extras: str) -> None:
        """Install the wheel with some extras, such as ``"[plot]"``."""
        pip = [self._bin / "python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", f"{self._wheel}{extras}"], check=True)
        subprocess.run([*pip, "check"], check=True)

    def run(self, *command: object, status: int = 0) -> str:
        """Run a program of the environment, and return what it says on both of its streams."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        # Pip's tools keep what they compile for themselves in this folder; the rest is new.
        env.setdefault("YOWASP_CACHE_DIR", str(Path.home() / ".cache" / "YoWASP"))
        env["XDG_CACHE_HOME"] = str(self._cache)
        done = subprocess.run(
            [self._bin / str(command[0]), *map(str, command[1:])],
            cwd=self.here,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def packages(self) -> dict[str, str]:
        """Files of our packages in the environment, but for compiled ones, with their hashes."""
        (site,) = self._bin.parent.glob("lib/python*/site-packages")
        return {
            str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in site.glob("tensorspin*/**/*")
            if path.is_file() and "__pycache__" not in path.parts
        }


@pytest.fixture(scope="module")
def installed(made, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("elsewhere"), made[1])


@pytest.mark.slow
def test_the_wheel_works_without_a_checkout(installed):
    before = installed.packages()
    # The host alone.
    assert installed.run("tensorspin", "--version") == f"tensorspin {VERSION}\n"
    installed.run("python", "-c", IMPORT_ALL, "tensorspin")
    told = installed.run(*("tensorspin train iris --epochs 5 --output iris.npz".split()))
    assert ("compiled kernel" in told) == (shutil.which("cc") is not None)
    assert "accuracy" in installed.run(
        *("tensorspin run iris.npz --board golden://icebreaker --data iris".split())
    )
    for form in ("c", "micropython"):
        installed.run(
            *("tensorspin export iris.npz --board icebreaker_spi --format".split()),
            *(form, "--with-driver", "--output", "firmware"),
        )
    names = {
        path.relative_to(installed.here / "firmware" / "tensorspin").as_posix()
        for path in (installed.here / "firmware" / "tensorspin").rglob("*")
        if path.is_file()
    }
    assert names == {name.split("/", 2)[2] for name in drivers("drivers")}
    shutil.rmtree(installed.here / "firmware")
    missing = "pip install 'WHEEL[gateware]'"
    assert missing in installed.run("tensorspin", "info", "sim://icebreaker", status=1)
    assert missing in installed.run("tensorspin", "bitstream", "icebreaker", status=1)
    # With the gateware, too.
    installed.install("[gateware,plot]")
    installed.run("python", "-c", IMPORT_ALL, "tensorspin_gateware")
    told = installed.run("tensorspin", "demo", "--quick", "--board", "sim://icebreaker")
    assert "Board and golden model agree on every bit" in told
    assert (installed.here / "results" / "demo.png").exists()
    told = installed.run("tensorspin", "bitstream", "icebreaker", "--output", ".")
    assert "clock: " in told and f"bitstream: {Path('icebreaker.bin')}\n" in told
    assert (installed.here / "icebreaker.bin").stat().st_size > 100_000
    found = {path.name for path in installed.here.iterdir()}
    assert found == {"iris.npz", "results", "icebreaker.bin"}
    assert installed.packages() == before
    shutil.rmtree(installed.here)
