"""Checks the docstrings of what is public: ``python -m tests.support.docstrings``.

Public is what the packages of `tensorspin` list in ``__all__``, with the methods of its classes.
ruff sees to the form of all docstrings; numpydoc's validation, here, to their content: every
parameter and return value is described, and each class and function has an example.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator

from numpydoc.validate import validate

import tensorspin

CODES = {"GL08", "PR01", "PR02", "PR07", "RT01", "RT03", "EX01"}
"""Checks of numpydoc: a docstring is there; parameters are all documented, exist, and are
described; return values are documented and described; there is an example."""

NOT_ON_METHODS = {"EX01"}
"""A class shows its methods in its own example."""


NOT_PUBLIC = re.compile(r"tensorspin\.(benchmarks(\..*)?|cli|contract|driver\.(link|pool))")
"""Packages without ``__all__``: programs, the drivers' own tools, and a folder of packages."""


def public_packages() -> list[str]:
    """Names of the packages of `tensorspin` that have ``__all__``, its own first."""
    found = [tensorspin.__name__]
    for package in pkgutil.walk_packages(tensorspin.__path__, "tensorspin."):
        if not package.ispkg:
            continue
        if hasattr(importlib.import_module(package.name), "__all__"):
            found.append(package.name)
        elif not NOT_PUBLIC.fullmatch(package.name):
            raise AttributeError(f"{package.name} has no __all__, which says what is public in it")
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


def methods(kind: type) -> Iterator[str]:
    """Names of the public methods that a class has from this project, its bases included."""
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] != tensorspin.__name__:
            continue
        for attribute, value in vars(base).items():
            function = getattr(value, "__func__", value)
            if not attribute.startswith("_") and inspect.isfunction(function):
                yield f"{base.__module__}.{base.__qualname__}.{attribute}"


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
    of_classes: dict[str, None] = {}  # in the order in which they are found, each once
    for name, thing in objects.items():
        enumeration = isinstance(thing, type) and issubclass(thing, (BaseException, int, enum.Enum))
        found += complaints(name, {"PR01", "EX01"} if enumeration else set())
        if inspect.isclass(thing):
            of_classes.update(dict.fromkeys(methods(thing)))
    for method in of_classes:
        found += complaints(method, NOT_ON_METHODS)
    print(*found, sep="\n", end="\n" if found else "")
    counted = f"{len(objects)} public classes and functions, {len(of_classes)} methods"
    print(f"docstrings: {counted}, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
