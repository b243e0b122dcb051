"""A hybrid sampler with what real quantum annealers are used through."""

from __future__ import annotations

import dimod
import pytest
from dwave.system import EmbeddingComposite, FixedEmbeddingComposite
from dwave.system.testing import MockDWaveSampler

from tensorspin import BoardSampler
from tensorspin.hybrid import HybridSampler
from tensorspin.hybrid.dimod_sampler import _timed


@pytest.fixture
def remote():
    return EmbeddingComposite(MockDWaveSampler(topology_type="pegasus", topology_shape=[2]))


def test_the_mock_of_an_annealer_answers_through_an_embedding(remote):
    bqm = dimod.generators.ran_r(1, 6, seed=2)
    local = BoardSampler("golden://ulx3s_25f_annealer")
    with HybridSampler(remote, local, deadline=60.0) as sampler:
        found = sampler.sample(bqm, num_reads=20, num_sweeps=20, seed=1)
    assert found.info["source"] == "remote", found.info["detail"]
    assert found.first.energy == pytest.approx(bqm.energy(found.first.sample))
    assert "timing" in found.info


def test_a_model_that_can_not_be_embedded_is_answered_locally(remote):
    bqm = dimod.generators.ran_r(1, 60, seed=2)
    local = BoardSampler("golden://ulx3s_25f_annealer")
    with HybridSampler(remote, local, deadline=60.0) as sampler:
        found = sampler.sample(bqm, num_reads=4, num_sweeps=20, seed=1)
    assert (found.info["source"], found.info["reason"]) == ("local", "failed")
    assert "embedding" in found.info["detail"]


def test_minorminer_is_told_when_to_give_up(remote):
    assert _timed(remote, {}, 0.8) == {"embedding_parameters": {"timeout": 0.4}}
    fixed = FixedEmbeddingComposite(remote.child, {"a": remote.child.nodelist[:1]})
    found = HybridSampler(fixed, dimod.ExactSolver(), deadline=60.0).sample_ising({"a": 1.0}, {})
    assert found.info["source"] == "remote", found.info["detail"]
    bqm = dimod.generators.gnp_random_bqm(150, 1, "SPIN", random_state=1)  # it searches for minutes
    local = dimod.RandomSampler()
    # The search stops the other threads of this process, and gives up at half of the deadline.
    found = HybridSampler(remote, local, deadline=3.0).sample(bqm)
    assert found.info["source"] == "local" and found.info["reason"] in ("failed", "late")
