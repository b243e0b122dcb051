"""What the methods make of a schedule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.size import Exchange, Moving
from tensorspin.sampling.methods import anneal_steps, plan

from ..support.annealer_boards import SIZE

TEMPERING = replace(SIZE, tempering=1)
BETAS = np.geomspace(0.2, 3.2, 100)


def sweeps_of(steps, moving):
    """Of the replicas that such steps move, in all steps."""
    return sum(step.sweeps for step in steps if step.moving in (Moving.ALL, moving))


def test_annealing_is_the_schedule():
    assert plan("annealing", BETAS, 1, SIZE) == (anneal_steps(BETAS, 1, SIZE), None)


def test_tempering_anneals_exchanges_and_cools():
    steps, ladder = plan("tempering", BETAS, 1, TEMPERING)
    exchanging = [step.exchange is not Exchange.NONE for step in steps]
    first, last = exchanging.index(True), len(steps) - exchanging[::-1].index(True)
    assert 0 < first < last < len(steps)
    assert all(exchanging[first:last])
    kinds = [step.exchange for step in steps[first:last]]
    assert kinds[:2] == [Exchange.EVEN, Exchange.ODD] and kinds[2:] == kinds[:-2]
    # The probability of a threshold's bit rises with the temperature.
    rising = [steps[-1].probabilities, *ladder.probabilities[::-1], steps[0].probabilities]
    assert rising == sorted(rising)
    assert rising[0] < rising[1] and rising[-2] < rising[-1]


def test_slices_begin_apart_and_are_coupled_more_and_more():
    steps, ladder = plan("quantum", BETAS, 1, SIZE)
    assert ladder is None
    rings = [step.ring for step in steps]
    slices = [place for place, ring in enumerate(rings) if ring]
    middle = steps[slices[0] : slices[-1] + 1]
    assert 0 < slices[0] and slices[-1] < len(steps) - 1
    assert [step.moving for step in middle] == [Moving.EVEN, Moving.ODD] * (len(middle) // 2)
    assert [step.ring for step in middle] == sorted(step.ring for step in middle)
    assert middle[0].ring < middle[-1].ring
    alike = steps[: slices[0]] + steps[slices[-1] + 1 :]
    assert {step.moving for step in alike} == {Moving.ALL}


@pytest.mark.parametrize("method", ["quantum", "tempering"])
@pytest.mark.parametrize("sweeps", [2, 5, 30, 100, 1000, 12345])
def test_sweeps_and_steps(method, sweeps):
    betas = np.geomspace(0.2, 3.2, sweeps)
    steps, _ = plan(method, betas, 1, TEMPERING)
    assert len(steps) <= SIZE.steps
    for moving in (Moving.EVEN, Moving.ODD):
        assert sweeps_of(steps, moving) == sweeps


@pytest.mark.parametrize("method", ["quantum", "tempering"])
@pytest.mark.parametrize("betas", [[1.0, 1.5], [1.5, 1.0], [0.0, 3.0]])
@pytest.mark.filterwarnings("error")
def test_ranges(method, betas):
    """Narrow ones, those that rise, and from any temperature."""
    steps, _ = plan(method, np.array(betas), 10, TEMPERING)
    assert sweeps_of(steps, Moving.EVEN) == 20


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="temperatures must fall"):
        plan("tempering", np.ones(3), 1, TEMPERING)
    with pytest.raises(ValueError, match="sweeps at most"):
        plan("quantum", np.ones(64), 65536, SIZE)
