"""Messages that the troubleshooting page quotes exist in the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
MESSAGE = re.compile(r"^\| `([^`|]+)` \|", re.MULTILINE)
"""What stands alone in the first cell of a row."""


@cache
def texts() -> list[str]:
    """All strings of host and gateware, with `...` for what is put in, and the Makefile."""
    found = [(ROOT / "Makefile").read_text()]
    for path in (*(ROOT / "sw").rglob("*.py"), *(ROOT / "hw").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "..." for part in node.values
                )
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[a-z]", "...", node.value))
    return found


def is_said(message: str) -> bool:
    """Whether a string of the code has all parts of a message, in their order."""
    parts = [re.escape(part) for part in message.split("...") if part]
    pattern = re.compile(".*".join(parts), re.DOTALL)
    return any(pattern.search(text) for text in texts())


MESSAGES = MESSAGE.findall(PAGE.read_text())


def test_the_page_quotes_messages():
    assert len(MESSAGES) > 25


@pytest.mark.parametrize("message", MESSAGES)
def test_quoted_messages_exist(message):
    assert is_said(message)


@pytest.mark.parametrize(
    "message", ["no Tensorspin appliance answers at ...", "(nothing received) at ... answers"]
)
def test_others_do_not(message):
    assert not is_said(message)
