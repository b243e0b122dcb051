"""These tests need the extras ``quantum`` and ``appliance``, which `make test-hybrid` installs."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

# `make test-hybrid` always has the packages, and fails if it collects nothing; everything else runs
# without them.
collect_ignore_glob = [] if find_spec("qiskit") and find_spec("fastapi") else ["test_*.py"]


@pytest.fixture(scope="module")
def appliance(tmp_path_factory):
    """An appliance that measures the first parameter's value; its start takes seconds."""
    from ..support.appliances import RunningAppliance

    running = RunningAppliance(tmp_path_factory.mktemp("appliance"), "--queue", "4")
    yield running
    running.stop()


@pytest.fixture
def sampler(appliance):
    """A client of the appliance."""
    from tensorspin.hybrid import ApplianceSampler

    with ApplianceSampler(appliance.url, **appliance.arguments()) as client:
        yield client
