"""The tree stays easy to live in: short modules, and documents that name files that are there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
PATH = re.compile(r"`((?:docs|examples|hw|sw|tests)/[\w./-]*\w/?)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)")


def sources() -> list[Path]:
    """Python files that git tracks, or would if they were added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a checkout of git")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).exists()]


def test_no_module_is_longer_than_a_few_screens():
    lengths = {path: len(path.read_text().splitlines()) for path in sources()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_in_documents_exist(document):
    text = document.read_text()
    named = [ROOT / name for name in PATH.findall(text)]
    linked = [document.parent / name for name in LINK.findall(text)]
    assert [path for path in named + linked if not path.exists()] == []
