"""Figures in files."""

from __future__ import annotations

import pytest

from tensorspin.cli.figures import pyplot, save_figure


@pytest.mark.parametrize(
    ("name", "begin"),
    [("a.png", b"\x89PNG"), ("a.PNG", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")],
)
def test_a_figure_has_the_format_of_its_suffix(tmp_path, name, begin):
    plt = pyplot()
    figure = plt.figure()
    save_figure(tmp_path / name, figure)
    plt.close(figure)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes().startswith(begin)


def test_a_figure_that_can_not_be_drawn_leaves_the_old_one(tmp_path):
    class Broken:
        def savefig(self, file, **_):
            file.write(b"half")
            raise ValueError("no glyph")

    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="no glyph"):
        save_figure(path, Broken())
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
