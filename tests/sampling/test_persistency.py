"""Variables that are decided without a search."""

from __future__ import annotations

import dimod
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.sampling.persistency import decided_variables

COUNT = 6
PAIRS = [(i, j) for j in range(COUNT) for i in range(j)]
COEFFICIENTS = st.integers(-6, 6).map(float)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.lists(COEFFICIENTS, min_size=COUNT, max_size=COUNT),
    st.dictionaries(st.sampled_from(PAIRS), COEFFICIENTS),
    st.sampled_from(["SPIN", "BINARY"]),
)
def test_every_ground_state_has_these_values(linear, quadratic, vartype):
    bqm = dimod.BinaryQuadraticModel(dict(enumerate(linear)), quadratic, 1.0, vartype)
    decided = decided_variables(bqm)
    for state in dimod.ExactSolver().sample(bqm).lowest(atol=1e-9).samples():
        assert decided.items() <= state.items()
    # Nothing is left that could be decided.
    rest = bqm.copy()
    rest.fix_variables(decided)
    assert decided_variables(rest) == {}


@pytest.mark.parametrize("vartype, low", [("SPIN", -1), ("BINARY", 0)])
def test_isolated_variables(vartype, low):
    linear = {"a": 1e6, "b": -1e-6, "c": 0.0}
    bqm = dimod.BinaryQuadraticModel(linear, {}, 0.0, vartype)
    assert decided_variables(bqm) == {"a": low, "b": 1}


def test_a_chain_is_decided_from_its_end():
    chain = {(i, i + 1): 50.0 - i for i in range(40)}
    bqm = dimod.BinaryQuadraticModel({0: 51.0}, chain, 0.0, "SPIN")
    assert decided_variables(bqm) == {i: -1 if i % 2 == 0 else 1 for i in range(41)}


def test_ties_are_left_open():
    tie = dimod.BinaryQuadraticModel(
        {"a": 1.0, "b": 0.3}, {"ab": 1.0, "bc": 0.1, "bd": 0.2}, "SPIN"
    )
    assert "a" not in decided_variables(tie) and "b" not in decided_variables(tie)
    # 0.1 + 0.2 is more than 0.3 only by rounding, and 0.1 * 3 too.
    for field in (0.1 + 0.2, 0.1 * 3):
        tie = dimod.BinaryQuadraticModel({"b": field}, {"bc": 0.1, "bd": 0.2}, "SPIN")
        assert decided_variables(tie) == {}


def test_nothing_to_decide():
    assert decided_variables(dimod.BinaryQuadraticModel("SPIN")) == {}
    rng = np.random.default_rng(1)
    free = dimod.BinaryQuadraticModel({}, {pair: rng.standard_normal() for pair in PAIRS}, "SPIN")
    assert decided_variables(free) == {}
