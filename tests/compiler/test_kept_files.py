"""Program files that were written once are read for ever.

Each file is kept as the version of the format that its name tells has written it. Whoever raises
the version adds a file of the new one (see "Two rules" in docs/architecture.md).
"""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin import Board, NetworkProgram
from tensorspin.compiler import program_file

KEPT = Path(__file__).parent / "kept"
FILES = sorted(KEPT.glob("*.npz"))

SCORES = [[4390, -18576, -25800], [-22030, 944, 1238], [-28854, -7748, 14670]]
"""Mantissas for the first flower of each species, as the version that wrote the file gave them."""
EXPONENTS = [29, 29, 29]


def test_a_file_of_this_version_is_kept():
    assert f"iris_version_{program_file.VERSION}.npz" in [path.name for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kept_file_gives_the_same_scores(path):
    program = NetworkProgram.load(path)
    with Board.open("golden://icebreaker") as board:
        board.load(program)
        results = board.run(program.levels(load_iris().data[::50]))
    np.testing.assert_array_equal(results.scores, SCORES)
    np.testing.assert_array_equal(results.exponents, EXPONENTS)
    assert program.classes.tolist() == [0, 1, 2]
