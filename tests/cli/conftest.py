"""What the tests of several commands use."""

from dataclasses import replace

import pytest

from tensorspin.cli.main import main
from tensorspin.contract.device.boards import BOARDS, find_board


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A program file: a small network for iris."""
    path = tmp_path_factory.mktemp("models") / "iris.npz"
    assert main(["train", "iris", "--bond-dim", "4", "--epochs", "20", "--output", str(path)]) == 0
    return path


@pytest.fixture
def sharing(monkeypatch):
    """A board whose groups can work on one sample, in the table while the test runs."""
    row = find_board("ulx3s_25f")
    size = replace(row.require_contractor(), single_drain=2)
    row = replace(row, name="sharing", engines=row.engines.with_sizes(size))
    monkeypatch.setitem(BOARDS, row.name, row)
    return row
