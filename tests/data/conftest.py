"""What the tests of tables of text use."""

from __future__ import annotations

import pytest

from tensorspin.data import Reading, load_samples


@pytest.fixture
def read(tmp_path):
    """Write text to a file and read its samples."""

    def read_text(text, name="data.csv", **said):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_samples(str(path), reading=Reading(**said))

    return read_text
