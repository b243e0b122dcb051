"""Documents and files of the checkout that lie outside of docs/.

On a code host a link such as ``../CHANGELOG.md`` leads to the file. On the site it leads to a page
that shows the file, if it is Markdown, and else it offers the file for download. Links to folders,
which a site has nowhere to lead to, become plain text. The README is not shown: the site has a
page in its place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent

START = DOCS / "start.md"
"""What the site has in place of the README."""

FOLDER = DOCS / "checkout"
"""Where the pages stand that show a file of the checkout: each in the place that the file has
there. Nothing but their names matters; the text is read from the file."""

SHOWN = sorted([*ROOT.glob("C*.md"), *ROOT.glob("examples/*.md"), *ROOT.glob("sw/**/*.md")])

LINK = re.compile(
    r"(?P<text>\[(?:[^\[\]]|\[[^\]]*\])*\])"  # brackets in brackets: a picture that is a link
    r"\((?P<target>[^()\s#:]+)(?P<anchor>#[^()\s]*)?\)"
)


def page_of(file: Path) -> Path:
    """File of the page on which a file of the checkout is shown, or the file itself."""
    if file == ROOT / "README.md":
        return START
    return FOLDER / file.relative_to(ROOT) if file in SHOWN else file


def rewrite(text: str, folder: Path, page: Path) -> str:
    """Let the links of a document lead to pages of the site.

    Parameters
    ----------
    text : str
        Markdown.
    folder : Path
        Folder from which its links are meant.
    page : Path
        File of the page that shows the text.

    Returns
    -------
    str
        The Markdown of the page.
    """

    def link(found: re.Match[str]) -> str:
        file = (folder / found["target"]).resolve()
        if file.is_dir():
            return found["text"][1:-1]
        target = page_of(file)
        # A download has no headings to lead to, nor has the start those of the README.
        anchored = target.is_relative_to(DOCS) and (target != START or file == START)
        anchor = found["anchor"] if anchored and found["anchor"] else ""
        return f"{found['text']}({os.path.relpath(target, page.parent)}{anchor})"

    return LINK.sub(link, text)


def write(*_: Any) -> None:
    """Make the pages, before Sphinx looks for pages."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for file in SHOWN:
        page = page_of(file)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Take the place of a page's text before it is parsed."""
    page = Path(app.env.doc2path(name))
    file = ROOT / page.relative_to(FOLDER) if page.is_relative_to(FOLDER) else page
    if page.suffix == ".ipynb":
        notebook = json.loads(source[0])
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = rewrite("".join(cell["source"]), page.parent, page)
        source[0] = json.dumps(notebook)
    elif page.suffix == ".md":
        text = file.read_text(encoding="utf-8") if file != page else source[0]
        source[0] = rewrite(text, file.parent, page)


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.connect("config-inited", write)
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
