"""What the documentation site makes of the documents; `make docs` builds it."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def extension(name: str):
    """A module of the site's extensions, which are no package."""
    spec = importlib.util.spec_from_file_location(
        f"site_{name}", DOCS / "extensions" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


checkout, links, stored, diagrams = map(extension, ("checkout", "links", "stored", "diagrams"))
NOTEBOOKS = sorted(DOCS.rglob("*.ipynb"))


@pytest.mark.parametrize(
    ("page", "text", "shown"),
    [
        # Markdown from elsewhere has a page, with its headings; the README is replaced by another.
        ("link.md", "[all](../CHANGELOG.md#added)", "[all](checkout/CHANGELOG.md#added)"),
        ("api/index.md", "[x](../../CONTRIBUTING.md)", "[x](../checkout/CONTRIBUTING.md)"),
        ("link.md", "[x](../README.md#try-it)", "[x](start.md)"),
        # Another file is a download, which has no headings; a folder cannot be shown.
        ("boards.md", "[`a`](../setup.py#x)", "[`a`](../setup.py)"),
        ("boards.md", "see [`examples/`](../examples) there", "see `examples/` there"),
        # What needs no change stays.
        ("boards.md", "[a](#wiring) [b](link.md#x) [c](https://d.e/f#g)", None),
        ("boards.md", "[a](start.md#x) ![a picture](wiring_pico.svg)", None),
    ],
)
def test_links_lead_to_pages_of_the_site(page, text, shown):
    page = DOCS / page
    assert checkout.rewrite(text, page.parent, page) == (text if shown is None else shown)


def test_links_of_a_shown_file_are_meant_from_where_it_lies():
    file = ROOT / "sw" / "clients" / "c" / "README.md"
    page = checkout.page_of(file)
    assert page == DOCS / "checkout" / "sw" / "clients" / "c" / "README.md"
    text = "[x](../../../docs/link.md#packets) [y](tensorspin.h) [z](../micropython/README.md)"
    assert checkout.rewrite(text, file.parent, page) == (
        "[x](../../../../link.md#packets) [y](../../../../../sw/clients/c/tensorspin.h) "
        "[z](../micropython/README.md)"
    )


GOOD = '<h1 id="top">A</h1><a href="b.html#here">b</a><a href="#top">up</a><img src="c.svg"/>'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD, None),
        ('<a href="https://elsewhere.example/">x</a>', None),
        ('<a href="d.html">x</a>', "a.html: nothing is at d.html"),
        ('<a href="b.html#there">x</a>', "a.html: b.html#there has no such anchor"),
        ('<a href="#there">x</a>', "a.html: #there has no such anchor"),
        ('<img src="d.svg"/>', "a.html: nothing is at d.svg"),
        (
            '<script src="https://cdn.example/x.js"></script>',
            "a.html: loads https://cdn.example/x.js from elsewhere",
        ),
        (
            '<link rel="stylesheet" href="//cdn.example/x.css"/>',
            "a.html: loads //cdn.example/x.css from elsewhere",
        ),
    ],
)
def test_links_of_the_built_site_are_checked(tmp_path, text, complaint):
    (tmp_path / "a.html").write_text(text)
    (tmp_path / "b.html").write_text('<p id="here">b</p>')
    (tmp_path / "c.svg").touch()
    assert links.complaints(tmp_path) == ([] if complaint is None else [complaint])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_stored_in_a_notebook_are_those_of_its_code(path):
    """After a change: python docs/extensions/stored.py NOTEBOOK, where its extra is installed."""
    notebook = json.loads(path.read_text())
    assert notebook["metadata"]["outputs_of"] == stored.digest(notebook)
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    assert len(outputs) > 3
    assert {output["output_type"] for output in outputs} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert "/" + "tmp/" not in json.dumps(outputs)


def test_links_of_notebooks_lead_somewhere():
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text())["cells"]
        text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        targets = [found["target"] for found in checkout.LINK.finditer(text)]
        assert targets
        assert [name for name in targets if not (path.parent / name).exists()] == []


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_pictures_are_drawn_of_the_diagrams(name):
    """After a change: python docs/extensions/diagrams.py, where the extra `docs` is installed."""
    diagram, picture = diagrams.DIAGRAMS[name], (DOCS / f"{name}.svg").read_text()
    assert f"drawn of {diagram.digest()}" in picture
    assert f"<title>{diagram.told}</title>" in picture
    ends = [end.partition(".")[0] for arrow in diagram.arrows for end in (arrow.start, arrow.end)]
    assert set(ends) == set(diagram.blocks)


def test_every_document_is_on_the_site():
    pages = {
        path.relative_to(DOCS).with_suffix("").as_posix()
        for path in (*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb"))
        if not path.is_relative_to(checkout.FOLDER)
    }
    listed = {"index"}
    for page in pages:
        path = DOCS / f"{page}.md"
        text = path.read_text() if path.exists() else ""
        for toc in re.findall(r"^```{toctree}\n(.*?)^```", text, re.M | re.S):
            names = [line for line in toc.splitlines() if line and line[0] not in ":"]
            folder = page.rpartition("/")[0]
            listed |= {f"{folder}/{name}".lstrip("/") for name in names}
    assert pages - listed == set()
