"""What must be installed: packages and megabytes, as this machine has them, and what ran."""

from __future__ import annotations

import platform
import re
from importlib import metadata

from .figure import MEASURED, Barrier, Figure
from .sources import QUANTUM_SPACE

LOCAL = ("numpy", "scipy", "scikit-learn", "dimod", "pyserial")
"""What the path to a board needs on a host; a microcontroller needs nothing but its C code."""

REMOTE = (
    "qiskit",
    "qiskit-aer",
    "qiskit-ibm-runtime",
    "qiskit-braket-provider",
    "mqt-core",
    "dwave-system",
    "httpx",
    "fastapi",
)
"""What paths to quantum processors and appliances need, each one its own."""

MISSING = "not installed"
"""What stands for the version of a package that is not there."""


def tooling_barrier(ran: str | None) -> Barrier:
    """Tell what is installed, how large it is, and what ran.

    Parameters
    ----------
    ran : str or None
        The sampler that ran in this report.

    Returns
    -------
    Barrier
        The numbers, which decide nothing: packages can be installed.
    """
    rows = {
        "Python": Figure(platform.python_version(), "", MEASURED, "this interpreter"),
        "sampler that ran": Figure(
            ran or "none", "", MEASURED, "this report" if ran else "--sampler was not given"
        ),
    }
    missing = []
    for name in (*LOCAL, *REMOTE):
        rows[name] = _package(name)
        if rows[name].value == MISSING and name in REMOTE:
            missing.append(name)
    for title, names in (("to a board", LOCAL), ("to quantum processors", REMOTE)):
        found = needed(names)
        rows[f"packages on the way {title}"] = Figure(
            len(found), "", MEASURED, "installed ones, with what they need"
        )
        rows[f"bytes on the way {title}"] = Figure(
            sum(map(_bytes, found)), "B", MEASURED, "files of these packages"
        )
    if "qiskit" in missing:
        rows["space that Qiskit would take"] = QUANTUM_SPACE
    words = f"not installed: {', '.join(missing)}" if missing else "all packages are installed"
    return Barrier("tooling", rows, f"{words}; {ran or 'no sampler'} ran")


def needed(names: tuple[str, ...]) -> set[str]:
    """Follow what packages need, among those that are installed.

    Parameters
    ----------
    names : tuple of str
        Names of packages.

    Returns
    -------
    set of str
        Names, in the normal form, of those of them that are installed, and of what they need
        without extras.

    Examples
    --------
    >>> "numpy" in needed(("scipy",))
    True
    """
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = re.sub(r"[-_.]+", "-", pending.pop()).lower()
        if name in found:
            continue
        try:
            requirements = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        for requirement in requirements:
            named = re.match(r"[A-Za-z0-9._-]+", requirement)
            if named and "extra ==" not in requirement:
                pending.append(named[0])
    return found


def _package(name: str) -> Figure:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Figure(MISSING, "", MEASURED, "looked for on this machine")
    return Figure(version, "", MEASURED, f"installed, {_bytes(name) / 1e6:.1f} MB of files")


def _bytes(name: str) -> int:
    """Add the sizes of a package's files, as its list of them says."""
    return sum(file.size or 0 for file in metadata.files(name) or [])
