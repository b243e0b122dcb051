"""The golden model of an annealer with windows: against a plain machine, and against Boltzmann."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import START, STEP_ROUNDS, AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.thresholds import expand_seed, generators
from tensorspin.contract.annealer.windows import LAG, MIN_TURN
from tensorspin.golden.annealer.generators import BLOCK, GoldenGenerator
from tensorspin.golden.annealer.metropolis import GoldenAnnealer, anneal
from tests.support.selection import slow_after
from tests.support.statistics import LEVEL, boltzmann, chi_square, random_terms, total_variation

SIZES = {
    "as many words as replicas need": AnnealerSize(
        128, 4, 10, 16, (2,) * 7, 128, 16, ring=0, window=16
    ),
    "more": AnnealerSize(64, 4, 10, 16, (1,) * 7, 128, 16, ring=0, window=8),
    "as few as a pass needs": AnnealerSize(64, 4, 10, 8, (1,) * 7, 128, 16, ring=0, window=8),
}


def numbers_of(size, seeds, cycles):
    """All uniform numbers, a list for each cycle."""
    columns = [
        np.concatenate([g.words() for _ in range(-(-cycles // BLOCK))])
        for g in (GoldenGenerator(i, seeds[i]) for i in range(generators(size)))
    ]
    return np.concatenate(columns, axis=1).tolist()


def spread_problem(size, couplings, linear):
    """The variables in windows of their own; those in between cannot flip."""
    places = np.arange(len(linear)) * size.window
    every = np.zeros((size.spins, size.spins), dtype=int)
    every[np.ix_(places, places)] = couplings
    # Positive spins with this term would need a threshold that does not exist.
    pinned = np.full(size.spins, -(1 << size.threshold_bits))
    pinned[places] = linear
    return IsingProblem(size, every, pinned), places


def counts(annealer, step, places, samples):
    """How often each replica saw each state, a number of sweeps apart."""
    replicas = annealer.problem.size.replicas
    annealer.fill()
    for _ in range(20):
        annealer.run(step)
    numbers = []
    for _ in range(-(-samples // replicas)):
        annealer.run(step)
        numbers.append((annealer.states[:, places] < 0) @ (1 << np.arange(len(places))))
    return np.array(numbers)


@pytest.mark.parametrize("name", slow_after(1, SIZES))
@pytest.mark.parametrize("spread", [False, True])
def test_samples_boltzmann(name, spread):
    size = SIZES[name]
    couplings, linear = random_terms(8, 8)
    expected = boltzmann(couplings, linear, 3.0)
    if spread:
        problem, places = spread_problem(size, couplings, linear)
    else:
        problem, places = IsingProblem(size, couplings, linear), np.arange(8)
    # So far apart that samples are hardly alike, as the chi-square test wants them.
    (step,) = steps = schedule([3.0], 15, size)
    annealer = GoldenAnnealer(AnnealJob(problem, steps, 1))
    seen = counts(annealer, step, places, 6_000 if spread else 16_000)
    every = np.bincount(seen.ravel(), minlength=256)
    assert total_variation(every, expected) < (0.06 if spread else 0.03)
    assert chi_square(every, expected) > LEVEL
    for replica in range(size.replicas):
        alone = np.bincount(seen[:, replica], minlength=256)
        assert chi_square(alone, expected) > LEVEL / size.replicas


@pytest.mark.parametrize("name", SIZES)
def test_replicas_are_not_correlated(name):
    """Neither at the same time nor one round, or two, after the other."""
    size = SIZES[name]
    couplings, linear = random_terms(8, 8)
    problem, places = spread_problem(size, couplings, linear)
    # Hot: replicas that saw the same samples at the same spins would soon be the same.
    (step,) = steps = schedule([8.0], 1, size)
    annealer = GoldenAnnealer(AnnealJob(problem, steps, 2))
    seen = counts(annealer, step, places, 500 * size.replicas)
    states = 1 - 2.0 * ((seen[..., None] >> np.arange(8)) & 1)
    states = (states - states.mean(axis=0)) / states.std(axis=0)
    other = ~np.eye(size.replicas, dtype=bool)
    for lag in range(3):
        pairs = np.einsum("tri,tsi->rsi", states[: len(states) - lag], states[lag:])
        pairs = pairs[other] / len(states)
        # With 500 samples, alike from one sweep to the next, this is five to seven standard
        # deviations of a pair, and more of their mean.
        assert np.abs(pairs).max() < 0.35
        assert abs(pairs.mean()) < 0.01


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(
    "variables, initial, refresh, temperatures",
    [(9, False, 0, [9.0, 3.0]), (61, True, 0, [6.0, 9.0]), (7, True, 2, [4.0])],
)
def test_equals_a_plain_machine(name, variables, initial, refresh, temperatures):
    """One replica, one spin at a time: sequential sweeps with nothing skipped."""
    size = replace(SIZES[name], coupling_bits=2)
    rng = np.random.default_rng(variables)
    couplings = np.triu(rng.integers(-1, 2, (variables, variables)), 1)
    couplings, linear = couplings + couplings.T, rng.integers(-3, 4, variables)
    problem = IsingProblem(size, couplings, linear)
    steps = schedule(temperatures, 3, size)
    seeds = expand_seed(5, size)
    start = rng.choice([-1, 1], (size.replicas, variables)) if initial else None
    run = anneal(AnnealJob(problem, steps, 5, refresh, start))

    turn = max(MIN_TURN, size.spins // size.window - problem.first // size.window)
    first = size.spins - turn * size.window
    stride, replicas = size.strides[0], range(size.replicas)
    numbers = numbers_of(size, seeds, run.cycles - START)
    drawn_at = []  # the step of each cycle so far

    def threshold(word, spin):
        cycle, place = divmod(word * size.window + problem.first - first + spin, stride)
        if cycle < 0:
            return 0
        drawn = (numbers[cycle][digit * stride + place] for digit in range(size.threshold_bits))
        limits = drawn_at[cycle].probabilities
        return sum((number < limit) << j for j, (number, limit) in enumerate(zip(drawn, limits)))

    states = np.ones((size.replicas, variables), dtype=int) if start is None else start.copy()
    fill = [size.replicas] * (problem.offset_rows + 1)
    if initial:
        fill += [max(1, (start[:, spin] < 0).sum()) for spin in range(variables)]
    drawn_at += [steps[0]] * (sum(fill) * turn)
    best = problem.energy(states)
    # A better state is kept two turns after the flip, as the state at the start is.
    better = [[False, True] for _ in replicas]
    resting = [0] * size.replicas
    for step in steps:
        left, cursor, spared = [step.sweeps] * size.replicas, [0] * size.replicas, set()
        begins = True
        for rounds_behind in range(STEP_ROUNDS):
            while rounds_behind or any(left):
                words = len(drawn_at) * stride // size.window
                turns = [replica for replica in replicas if replica not in spared]
                drawn_at += [step] * (len(turns) * turn)
                for place, replica in enumerate(turns):
                    state, energy = states[replica], best[replica]
                    keeps = better[replica][-2]
                    better[replica].append(False)
                    if resting[replica]:
                        resting[replica] -= 1
                        if left[replica]:
                            continue
                    if not left[replica]:
                        remain = size.replicas - len(spared)
                        if not (begins or keeps) and remain > size.least_turns:
                            spared.add(replica)
                        continue
                    for spin in range(cursor[replica], variables):
                        change = -2 * state[spin] * (linear[spin] + couplings[spin] @ state)
                        if change <= 2 * threshold(words + place - turn - LAG, spin):
                            state[spin] *= -1
                            cursor[replica] = spin + 1
                            energy = problem.energy(state)
                            break
                    else:
                        left[replica] -= 1
                        cursor[replica], resting[replica] = 0, refresh
                    if energy < best[replica]:
                        best[replica], better[replica][-1] = energy, True
                begins = False
                if rounds_behind:
                    break
    assert run.states.tolist() == states.tolist()
    assert run.cycles == START + len(drawn_at)
    assert run.energies.tolist() == problem.energy(run.states).tolist()
    assert run.best_energies.tolist() == best.tolist()
    assert run.best_energies.tolist() == problem.energy(run.best_states).tolist()
