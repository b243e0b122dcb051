"""What is imported stays light, and names of modules in prose are names of modules.

import-linter checks the directions between the project's own packages. Here are other libraries:
the gateware is elaborated where scikit-learn need not be installed, and the contract imports
NumPy alone.
"""

import importlib
import pickle
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tensorspin.sampling

ROOT = Path(__file__).parents[2]
HEAVY = {"amaranth", "dimod", "matplotlib", "numpy", "scipy", "serial", "sklearn", "tqdm"}
"""Libraries that a package imports only if its work needs them."""

LIGHT = {
    "tensorspin": set(),
    "tensorspin.contract": set(),
    "tensorspin.contract.annealer": {"numpy"},
    "tensorspin.contract.contractor": {"numpy"},
    "tensorspin.contract.device": {"numpy"},
    "tensorspin.contract.wire": set(),
    "tensorspin.compiler": {"numpy"},
    "tensorspin.data": {"dimod", "numpy"},
    "tensorspin.driver": {"numpy", "tqdm"},
    "tensorspin.feasibility": set(),
    "tensorspin.hybrid": set(),
    "tensorspin.sampling": {"dimod", "numpy", "scipy", "tqdm"},
    "tensorspin.server": set(),
    "tensorspin_gateware.accelerator": {"numpy", "amaranth"},
}
"""What a package may import of `HEAVY`."""

PROSE = sorted(
    path
    for pattern in ("*.md", "Makefile", "docs/*.md", "examples/*", "sw/**/*.py", "hw/**/*.py")
    for path in ROOT.glob(pattern)
    if path.is_file() and path.name != "CHANGELOG.md"  # which names what was, too
)
NAME = re.compile(r"\b(tensorspin(?:_gateware)?(?:\.[A-Za-z_]\w*)+)(?!\.?\w)")
FILE_NAME = re.compile(r"\.(rules|md|npz|bin|h|c)$")
PEERS = "tensorspin.benchmarks.peers."
"""Programs for other libraries, which need not be installed."""


@pytest.mark.parametrize("package", LIGHT)
def test_a_package_imports_no_more_than_it_needs(package):
    code = f"import sys, {package}; print(*set({sorted(HEAVY)}).intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= LIGHT[package]


@pytest.mark.parametrize("package", [tensorspin, tensorspin.sampling])
def test_names_that_are_imported_late_are_listed_and_at_home(package):
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        thing = getattr(package, name)
        assert pickle.loads(pickle.dumps(thing)) is thing
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        package.nonesuch  # noqa: B018


@cache
def exists(name: str) -> bool:
    """Whether a dotted name is that of a module, or of something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            fields = getattr(thing, "__annotations__", {})  # of a dataclass: not attributes
            if not hasattr(thing, part):
                return part in fields
            thing = getattr(thing, part)
        return True
    return False


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_dotted_names_are_those_of_modules(path):
    named = {name for name in NAME.findall(path.read_text()) if not FILE_NAME.search(name)}
    assert [name for name in sorted(named) if not name.startswith(PEERS) and not exists(name)] == []
