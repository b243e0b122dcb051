"""Documents name modules and headings that exist.

`test_rooms` checks whole paths, `test_imports` names with dots. Here are shortened paths, such as
``link/cobs.py`` and ``cobs.py``, and links to headings, such as ``glossary.md#bond``.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
BASES = (ROOT / "sw", ROOT / "hw", ROOT / "sw" / "tensorspin", ROOT / "hw" / "tensorspin_gateware")

SHORT_PATH = re.compile(r"`([a-z_]+(?:/[a-z_0-9]+)*/(?:[a-z_0-9]+\.py)?)`")
BARE_NAME = re.compile(r"`([a-z_0-9]+\.py)`")
LINK = re.compile(r"\]\(([^)#:\s]*)#([\w-]+)\)")
MADE_LATER = {"results/"}
"""Folders that commands make."""


def anchors(document: Path) -> set[str]:
    """Anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_modules_exist(document):
    # A changelog names what was, too.
    named = set() if document.name == "CHANGELOG.md" else SHORT_PATH.findall(document.read_text())
    bases = (ROOT, document.parent, *BASES)
    lost = [name for name in named if not any((base / name).exists() for base in bases)]
    assert sorted(set(lost) - MADE_LATER) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_without_a_path_exist(document):
    if document.name == "CHANGELOG.md":
        return
    there = {
        path.name
        for base in ("sw", "hw", "tests", "examples")
        for path in (ROOT / base).rglob("*.py")
    }
    assert set(BARE_NAME.findall(document.read_text())) - there == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_headings_exist(document):
    lost = [
        (name, anchor)
        for name, anchor in LINK.findall(document.read_text())
        if anchor not in anchors(document.parent / name if name else document)
    ]
    assert lost == []


def test_one_version_everywhere():
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()
