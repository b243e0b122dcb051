"""Many clients at once get their own answers, one as many as the other."""

from __future__ import annotations

import pytest

from ..support.appliance_load import jobs, load, memory
from ..support.appliances import RunningAppliance


@pytest.mark.slow
def test_twenty_clients_at_once_and_a_thousand_jobs(tmp_path):
    appliance = RunningAppliance(tmp_path)
    try:
        jobs(appliance, 500)
        before = memory(appliance)
        jobs(appliance, 500)
        assert memory(appliance) - before < 20
        told = load(appliance, clients=20, seconds=3.0)
    finally:
        appliance.stop()
    assert told["clients"] == 20 and told["wrong"] == told["errors"] == 0
    assert told["fewest answers of a client"] >= 1
