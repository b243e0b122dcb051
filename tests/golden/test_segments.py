"""Several flips a turn: the golden model against plain loops, and against Boltzmann."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import START, STEP_ROUNDS, AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.thresholds import WORD_BITS, WORDS, expand_seed
from tensorspin.golden.annealer.metropolis import GoldenAnnealer, anneal
from tests.support.statistics import LEVEL, boltzmann, chi_square, random_terms

from .test_annealer import plain_states

SIZE = AnnealerSize(12, 3, 8, 10, (1,) * 5, 12, 8, ring=0)
SMALL = AnnealerSize(8, 3, 8, 256, (1,) * 7, 64, 16)


def random_job(size, variables, together, seed=0, temperatures=(4.0, 2.0, 1.0)):
    rng = np.random.default_rng([seed, variables])
    couplings = np.triu(rng.integers(-2, 3, (variables, variables)), 1)
    problem = IsingProblem(size, couplings + couplings.T, rng.integers(-3, 4, variables))
    states = rng.choice([-1, 1], (size.replicas, variables)) if seed % 2 else None
    steps = schedule(temperatures, 3, size)
    flips = size.flips if together else 1
    return AnnealJob(problem, steps, seed, seed % 3, states, None, flips).fit(size)


class PlainThresholds:
    """Samples of all digits, drawn one by one."""

    def __init__(self, size, seed):
        self._size = size
        self._generators = [
            plain_states(i, s, 1 << 16) for i, s in enumerate(expand_seed(seed, size))
        ]
        self._drawn = [[0] * (size.spins - 1) for _ in size.strides]

    def draw(self, step):
        words = []
        for generator in self._generators:
            state = next(generator)
            for word in range(WORDS):
                bits = state[word * WORD_BITS : (word + 1) * WORD_BITS]
                words.append(sum(bit << place for place, bit in enumerate(bits)))
        for drawn, word, limit in zip(self._drawn, words, step.probabilities):
            drawn.append(int(word < limit))

    def threshold(self, spin):
        place = spin - self._size.spins
        return sum(drawn[place] << digit for digit, drawn in enumerate(self._drawn))


def plain_run(job, seed):
    """States, energies and cycles, replica by replica, spin by spin."""
    problem, size = job.problem, job.problem.size
    spins = problem.spins.tolist()
    segments = [
        [i for i, spin in enumerate(spins) if spin // size.segment == number]
        for number in range(size.flips)
    ]
    thresholds = PlainThresholds(size, seed)
    states = job.start_states.astype(int)
    energies, bests = [], [problem.energy(state) for state in states]
    cycles = START
    visited = [[0] * size.flips for _ in states]  # variables of each segment, in this sweep
    rest = [0] * len(states)

    def turn(replica, left):
        state = states[replica]
        fields = problem.linear + problem.couplings @ state
        found = []
        for number, own in enumerate(segments):
            for place in range(visited[replica][number], len(own)):
                i = own[place]
                if -state[i] * fields[i] <= thresholds.threshold(spins[i]):
                    found.append((number, place, i))
                    break
            if found and job.flips == 1:
                break
        if not found:
            visited[replica] = [0] * size.flips
            rest[replica] = job.refresh
            return left - 1
        flipping = {number: place for number, place, _ in found}
        for number, own in enumerate(segments):
            if number in flipping:
                visited[replica][number] = flipping[number] + 1
            elif job.flips > 1 or number < found[0][0]:
                visited[replica][number] = len(own)
        for _, _, i in found:
            state[i] = -state[i]
        bests[replica] = min(bests[replica], problem.energy(state))
        return left

    def a_round(step, left=None):
        nonlocal cycles
        for replica in range(size.replicas):
            thresholds.draw(step)
            cycles += 1
            if left is not None and rest[replica]:
                rest[replica] -= 1
            elif left is not None and left[replica]:
                left[replica] = turn(replica, left[replica])

    def a_shared_round(step):
        left = [1] * size.replicas
        a_round(step, left)
        return left.count(0)

    for _ in range(job.fill_rounds):
        a_round(job.steps[0])
    ended = due = 0
    for number, step in enumerate(job.steps):
        if number < job.shared_steps:
            due += step.sweeps * size.replicas
            while ended < due:
                ended += a_shared_round(step)
            # Its sweeps go to the next step.
            ended += a_shared_round(step)
            continue
        left = [step.sweeps] * size.replicas
        while any(left):
            a_round(step, left)
        for _ in range(STEP_ROUNDS - 1):
            a_round(step, left)
    energies = [problem.energy(state) for state in states]
    return states, energies, bests, cycles


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("flips, variables", [(2, 12), (2, 7), (3, 10), (4, 11), (4, 3)])
def test_equals_a_machine_of_plain_loops(flips, variables, together):
    for seed in range(2):
        job = random_job(replace(SIZE, flips=flips), variables, together, seed)
        found = anneal(job)
        states, energies, bests, cycles = plain_run(job, seed)
        assert np.array_equal(found.states, states)
        assert found.energies.tolist() == energies
        assert found.best_energies.tolist() == bests
        assert found.cycles == cycles


def test_with_one_flip_a_turn_flips_are_those_of_other_builds():
    """All spins are in use, so that they stand at the same places with any number of segments."""
    jobs = [random_job(replace(SIZE, flips=flips), 12, False, seed=2) for flips in (1, 2, 3, 4)]
    first, *others = [anneal(job) for job in jobs]
    for other in others:
        assert np.array_equal(other.states, first.states)
        assert other.cycles == first.cycles


def frequencies(flips, together):
    """How often states were seen at a fixed temperature, and how often Boltzmann sees them."""
    couplings, linear = random_terms(8)
    problem = IsingProblem(replace(SMALL, flips=flips), couplings, linear)
    (step,) = steps = schedule([3.0], 5, SMALL)
    annealer = GoldenAnnealer(AnnealJob(problem, steps, 1, flips=flips if together else 1))
    annealer.fill()
    for _ in range(20):
        annealer.run(step)
    seen = np.zeros(256, dtype=np.int64)
    for _ in range(400):
        annealer.run(step)
        seen += np.bincount((annealer.states < 0) @ (1 << np.arange(8)), minlength=256)
    return seen, boltzmann(couplings, linear, 3.0)


@pytest.mark.parametrize("together", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_one_flip_a_turn_samples_boltzmann_and_several_do_not(together):
    seen, expected = frequencies(4, together)
    assert (chi_square(seen, expected) > LEVEL) != together


def test_several_flips_take_fewer_cycles_to_energies_as_low():
    size = AnnealerSize(96, 2, 9, 16, (1,) * 6, 48, 32, ring=0, flips=4)
    rng = np.random.default_rng(3)
    couplings = np.triu(rng.choice([-1, 1], (96, 96)) * (rng.random((96, 96)) < 0.2), 1)
    problem = IsingProblem(size, couplings + couplings.T, np.zeros(96, int))
    steps = schedule(np.geomspace(8, 1, 20), 4, size)
    alone, together = (anneal(AnnealJob(problem, steps, 1, flips=flips)) for flips in (1, 4))
    assert together.cycles < 0.5 * alone.cycles
    assert together.best_energies.mean() < 0.97 * alone.best_energies.mean()
