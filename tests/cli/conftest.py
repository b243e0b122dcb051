"""What the tests of several commands use."""

import pytest

from tensorspin.cli.main import main


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A program file: a small network for iris."""
    path = tmp_path_factory.mktemp("models") / "iris.npz"
    assert main(["train", "iris", "--bond-dim", "4", "--epochs", "20", "--output", str(path)]) == 0
    return path
