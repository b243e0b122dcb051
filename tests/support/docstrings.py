"""Checks the docstrings of what is public: ``python -m tests.support.docstrings``.

Public is what the packages of `tensorspin` list in ``__all__``, with the methods of its classes.
ruff sees to the form of all docstrings; numpydoc's validation, here, to their content: every
parameter and return value is described, and each class and function has an example.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator

from numpydoc.validate import validate

import tensorspin

CODES = {"GL08", "PR01", "PR02", "PR07", "RT01", "RT03", "EX01"}
"""Checks of numpydoc: a docstring is there; parameters are all documented, exist, and are
described; return values are documented and described; there is an example."""

NOT_ON_METHODS = {"EX01"}
"""A class shows its methods in its own example."""


def public_packages() -> list[str]:
    """Names of the packages of `tensorspin` that have ``__all__``, its own first."""
    found = [tensorspin.__name__]
    for package in pkgutil.walk_packages(tensorspin.__path__, "tensorspin."):
        if package.ispkg and hasattr(importlib.import_module(package.name), "__all__"):
            found.append(package.name)
    return found


def public_objects() -> dict[str, object]:
    """Classes and functions of ``__all__``, each by the first name that it has."""
    found: dict[int, tuple[str, object]] = {}
    for package in public_packages():
        for name in importlib.import_module(package).__all__:
            thing = getattr(importlib.import_module(package), name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found.setdefault(id(thing), (f"{package}.{name}", thing))
    return dict(found.values())


def methods(name: str, kind: type) -> Iterator[str]:
    """Names of the public methods that a class of this project defines."""
    for attribute, value in vars(kind).items():
        function = getattr(value, "__func__", value)
        if not attribute.startswith("_") and inspect.isfunction(function):
            yield f"{name}.{attribute}"


def complaints(name: str, left_out: set[str]) -> list[str]:
    """What numpydoc has to say of a docstring."""
    return [
        f"{name}: {code} {text}"
        for code, text in validate(name)["errors"]
        if code in CODES - left_out
    ]


def main() -> int:
    """Print all complaints; 0 if there are none."""
    found = []
    objects = public_objects()
    for name, thing in objects.items():
        enumeration = isinstance(thing, type) and issubclass(thing, (BaseException, int))
        found += complaints(name, {"PR01", "EX01"} if enumeration else set())
        if inspect.isclass(thing):
            for method in methods(name, thing):
                found += complaints(method, NOT_ON_METHODS)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"docstrings: {len(objects)} public classes and functions, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
