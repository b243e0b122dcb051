"""Describe the computer on which a benchmark ran, without anything that identifies its owner."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("tensorspin", "numpy", "scipy", "scikit-learn")
"""Packages whose versions decide how fast the host computes."""


def describe_machine() -> dict:
    """Describe processor, operating system and versions.

    Returns
    -------
    dict
        ``processor``, ``architecture``, ``cores``, ``system``, ``python`` and ``packages``, the
        versions by the packages' names.
    """
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    """Name the model of the processor, or at least its architecture."""
    # platform.processor() is empty on most Linux systems.
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
