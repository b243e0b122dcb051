"""These tests need the extras ``quantum`` and ``appliance``, which `make test-hybrid` installs."""

from __future__ import annotations

from importlib.util import find_spec

# `make test-hybrid` always has the packages, and fails if it collects nothing; everything else runs
# without them.
collect_ignore_glob = [] if find_spec("qiskit") and find_spec("fastapi") else ["test_*.py"]
