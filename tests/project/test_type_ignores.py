"""What the type checker is told to overlook: little, and each time with a reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "sw").rglob("*.py"), *(ROOT / "hw").rglob("*.py")]
MOST = 40
"""Ignored complaints, in all of the host and the gateware."""

IGNORE = re.compile(r"#\s*type:\s*ignore(?P<codes>\[[\w, -]+\])?(?P<reason>\s+#\s+\w.*)?")


def ignores() -> list[tuple[str, re.Match]]:
    return [
        (f"{path.relative_to(ROOT)}: {line.strip()}", found)
        for path in SOURCES
        for line in path.read_text().splitlines()
        if (found := IGNORE.search(line))
    ]


def test_few_types_are_ignored_and_each_with_its_reason():
    found = ignores()
    assert len(found) <= MOST
    assert [line for line, match in found if not (match["codes"] and match["reason"])] == []


@pytest.mark.parametrize(
    ("line", "codes", "reason"),
    [
        ("x = y  # type: ignore", False, False),
        ("x = y  # type: ignore[arg-type]", True, False),
        ("x = y  # type: ignore[arg-type]  # sklearn has no stubs", True, True),
    ],
)
def test_what_an_ignore_lacks_is_seen(line, codes, reason):
    match = IGNORE.search(line)
    assert (bool(match["codes"]), bool(match["reason"])) == (codes, reason)


def test_no_module_is_left_out():
    """A file-wide ignore would hide what is counted here."""
    assert not [path for path in SOURCES if re.search(r"#\s*mypy:\s*ignore", path.read_text())]
