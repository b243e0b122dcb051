"""What is wrong with the links of a built site, anchors included.

Sphinx tells of Markdown's links that lead nowhere. Whether the pages themselves hold together,
those that are made of docstrings and notebooks included, is seen in the finished HTML.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Page(HTMLParser):
    """Anchors of a page, where its links lead, and what it loads.

    Attributes
    ----------
    anchors : set of str
        Values of ``id`` and of an anchor's ``name``.
    links : list of str
        Targets of links.
    loaded : list of str
        Pictures, scripts and style sheets.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element says."""
        values = {name: value for name, value in attrs if value}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if "src" in values:
            self.loaded.append(values["src"])
        if "href" in values:
            is_link = tag == "a" or values.get("rel") in ("next", "prev", "index", "search")
            (self.links if is_link else self.loaded).append(values["href"])


def complaints(folder: Path) -> list[str]:
    """Find links that lead nowhere, and whatever a page would load from elsewhere.

    Parameters
    ----------
    folder : Path
        Where the site was built.

    Returns
    -------
    list of str
        A line for each fault.
    """
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.html")
        if "_static" not in path.relative_to(folder).parts  # the theme's own templates
    }
    found = []
    for path, page in pages.items():
        here = path.relative_to(folder.resolve())
        for target in page.links + page.loaded:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loaded and parts.scheme != "data":
                    found.append(f"{here}: loads {target} from elsewhere")
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not there.is_file():
                found.append(f"{here}: nothing is at {target}")
            elif there in pages and parts.fragment:
                if unquote(parts.fragment) not in pages[there].anchors:
                    found.append(f"{here}: {target} has no such anchor")
    return sorted(set(found))


def check(app: Sphinx, error: Exception | None) -> None:
    """Refuse the site that has just been built."""
    from sphinx.errors import SphinxError

    if error is None and app.builder.format == "html" and (found := complaints(Path(app.outdir))):
        raise SphinxError("\n".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
