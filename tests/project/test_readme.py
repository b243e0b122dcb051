"""The Python of README.md and docs/python.md runs as it stands there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = "\n".join((ROOT / name).read_text() for name in ("README.md", "docs/python.md"))
BLOCKS = list(dict.fromkeys(re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)))


def test_there_are_blocks():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # The golden model gives the same bits as the simulated gateware, and needs no compiler.
    exec(compile(block.replace("sim://", "golden://"), "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()
