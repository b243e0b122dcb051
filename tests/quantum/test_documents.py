"""The code of docs/hybrid.md runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path

HYBRID = Path(__file__).parents[2] / "docs" / "hybrid.md"


def test_the_first_example_prints_what_it_promises(capsys):
    example, connections = re.findall(r"^```python\n(.*?)^```", HYBRID.read_text(), re.M | re.S)[:2]
    exec(compile(example, "hybrid.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "8 13"
    assert lines[1] == "OPENQASM 3.0;"
    compile(connections, "hybrid.md", "exec")  # needs accounts and networks
