"""The reference: a page for each package and each public name of the host.

Public is what the check of docstrings calls so (`tests/support/docstrings.py`). Each package of the
gateware has a page, too, with its modules: whoever works there needs all of them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import shutil
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from tests.support.docstrings import public_objects, public_packages

FOLDER = Path(__file__).parents[1] / "api"
"""All of it but `index.md` and `gateware.md` is made here."""


def by_package() -> dict[str, list[str]]:
    """Public classes and functions of each package; each stands in the first that has it."""
    found = defaultdict(list)
    for name in public_objects():
        package, _, short = name.rpartition(".")
        found[package].append(short)
    return {package: found[package] for package in public_packages() if found[package]}


def summary(package: str, names: list[str]) -> str:
    """Text of a package's page."""
    lines = [package, "=" * len(package), "", f".. automodule:: {package}", "   :no-members:", ""]
    lines += [f".. currentmodule:: {package}", ""]
    for title, kind in (("Classes", inspect.isclass), ("Functions", inspect.isfunction)):
        of_kind = [name for name in names if kind(getattr(importlib.import_module(package), name))]
        if of_kind:
            lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree: names", ""]
            lines += [f"   {name}" for name in of_kind] + [""]
    return "\n".join(lines)


def gateware() -> dict[str, list[str]]:
    """Modules of each package of the gateware."""
    root = importlib.import_module("tensorspin_gateware")
    found: dict[str, list[str]] = {root.__name__: []}
    for each in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        if each.ispkg:
            found[each.name] = []
        else:
            found[each.name.rpartition(".")[0]].append(each.name)
    return found


def whole(package: str, modules: list[str]) -> str:
    """Text of the page of a package of the gateware."""
    lines = [package, "=" * len(package), "", f".. automodule:: {package}", "   :no-members:", ""]
    for module in modules:
        title = module.rpartition(".")[2]
        lines += [title, "-" * len(title), "", f".. automodule:: {module}", "   :members:", ""]
    return "\n".join(lines)


def write(*_: Any) -> None:
    """Write the packages' pages, before Sphinx looks for pages; those of names follow from them."""
    shutil.rmtree(FOLDER / "names", ignore_errors=True)
    for page in FOLDER.glob("*.rst"):
        page.unlink()
    for package, names in by_package().items():
        (FOLDER / f"{package}.rst").write_text(summary(package, names), encoding="utf-8")
    for package, modules in gateware().items():
        (FOLDER / f"{package}.rst").write_text(whole(package, modules), encoding="utf-8")


def skip(_app: Sphinx, _what: str, _name: str, thing: Any, skip: bool, _options: Any) -> bool:
    """Whether a class's page leaves a member out: those that other libraries give to a class."""
    module = getattr(thing, "__module__", None) or getattr(
        getattr(thing, "fget", None), "__module__", None
    )
    return skip or not str(module).startswith("tensorspin")


SECTIONS = ("Ports", "Members")
"""Sections of the gateware's docstrings that numpydoc does not know, and would leave out."""

MARK = ".. section: "
"""Comment that keeps the title of such a section, which numpydoc reads as notes."""


def mark_sections(*event: Any) -> None:
    """Turn the gateware's own sections into notes, before numpydoc reads the docstring."""
    lines: list[str] = event[-1]
    notes = "Notes" in lines
    for place in reversed(range(len(lines) - 1)):
        if lines[place] in SECTIONS and set(lines[place + 1]) == {"-"}:
            title = [f".. rubric:: {lines[place]}"] if notes else [MARK + lines[place]]
            lines[place : place + 2] = ([] if notes else ["Notes", "-----"]) + [*title, ""]
            notes = True


def name_sections(*event: Any) -> None:
    """Give such notes their title again."""
    lines: list[str] = event[-1]
    for place, line in enumerate(lines):
        if line.startswith(MARK):
            above = max(at for at in range(place) if lines[at] == ".. rubric:: Notes")
            lines[above], lines[place] = f".. rubric:: {line.removeprefix(MARK)}", ""


class LinkNames(SphinxTransform):
    """Makes links of public names that stand in code font in the documents."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Turn `MPSClassifier` into a reference to its page."""
        for literal in list(self.document.findall(nodes.literal)):
            home = HOMES.get(literal.astext())
            inside = isinstance(literal.parent, (nodes.reference, pending_xref, nodes.title))
            if home is None or inside or self.env.docname.startswith("api/"):
                continue
            reference = pending_xref(
                "", refdomain="py", reftype="obj", reftarget=home, refdoc=self.env.docname
            )
            literal.replace_self(reference)
            reference += literal


HOMES = {
    name.rpartition(".")[2]: name
    for name in public_objects()
    if name.rpartition(".")[0] in ("tensorspin", "tensorspin.hybrid")
}
"""Full names by short ones, of what most users need: other names may be those of something else."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    # numpydoc also reads the docstrings as they are, for signatures.
    warnings.filterwarnings("ignore", f"Unknown section ({'|'.join(SECTIONS)})", UserWarning)
    app.connect("config-inited", write)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", mark_sections, priority=400)
    app.connect("autodoc-process-docstring", name_sections, priority=600)
    app.add_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
