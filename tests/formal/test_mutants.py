"""Every mutant still applies to the source that it was written for.

Most mutants run only in `make test-slow`. One whose text has left the source, or is in it twice by
now, is found here at once.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.proof import Mutant

PROOFS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path != Path(__file__))


def mutants_of(value: object) -> Iterator[Mutant]:
    """Find the mutants in a value: itself, or what its dictionaries and sequences hold."""
    if isinstance(value, Mutant):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from mutants_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from mutants_of(item)


def sources_of(proof: types.ModuleType) -> set[Path]:
    """List the files of the gateware's modules that a proof, or a harness of its, imports."""
    sources = set()
    for value in vars(proof).values():
        if not isinstance(value, types.ModuleType):
            value = importlib.import_module(getattr(value, "__module__", None) or __name__)
            if value is proof or not value.__name__.startswith("tests.formal."):
                continue
            sources |= sources_of(value)
        elif value.__name__.startswith("tensorspin_gateware."):
            sources.add(Path(value.__file__))
    return sources


@pytest.mark.parametrize("name", PROOFS)
def test_text_of_each_mutant_is_once_in_a_source(name):
    proof = importlib.import_module(f"tests.formal.{name}")
    sources = [path.read_text() for path in sources_of(proof)]
    for mutant in mutants_of([value for name, value in vars(proof).items() if name.isupper()]):
        assert [text.count(mutant.old) for text in sources].count(1) == 1, mutant.old
