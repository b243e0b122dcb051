"""Outputs that notebooks are stored with: ``python docs/extensions/stored.py FILE...``.

Notebooks need an extra. Where it is installed they are executed when the site is built; elsewhere
the site shows what is stored in them. This executes them in place, and notes of which code the
outputs are, so that a test can tell when one was changed without the other.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def digest(notebook: dict) -> str:
    """Hash the code of all cells."""
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()[:16]


def whole(outputs: list) -> list:
    """Leave out a cell's progress, and join text that arrived in pieces."""
    kept: list = []
    for output in outputs:
        if output.get("name") == "stderr":
            continue
        if output.get("name") == "stdout" and kept and kept[-1].get("name") == "stdout":
            kept[-1]["text"] += output["text"]
        else:
            kept.append(output)
    return kept


def store(path: Path) -> None:
    """Execute a notebook in place.

    Parameters
    ----------
    path : Path
        The notebook. Its outputs are replaced; progress and warnings are left out.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": path.parent}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
        if cell.cell_type == "code":
            cell.outputs = whole(cell.outputs)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "outputs_of": digest(json.loads(nbformat.writes(notebook))),
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (ROOT / "sw", ROOT / "hw", ROOT)))
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in sys.argv[1:]:
        store(Path(name).resolve())
