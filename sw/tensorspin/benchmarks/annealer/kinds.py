"""Random models with constraints, as people bring them to an annealer.

Each kind is a function of a seed. Penalties are as large as they must be, not larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dimod
import numpy as np


def travelling_salesman(seed: int, cities: int = 7) -> dimod.BinaryQuadraticModel:
    """Make a round trip through random cities of a square: a variable for each city and place.

    The first city is fixed at the first place.

    Parameters
    ----------
    seed : int
        Seed of the cities.
    cities : int, default=7
        Number of cities, at least 3.

    Returns
    -------
    dimod.BinaryQuadraticModel
        A model of ``(cities - 1)**2`` binary variables, labelled (city, place).

    Examples
    --------
    >>> travelling_salesman(1, 5).num_variables
    16
    """
    places = np.random.default_rng(seed).uniform(0, 100, (cities, 2))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    others = range(1, cities)
    bqm = dimod.BinaryQuadraticModel("BINARY")
    for city in others:
        for other in others:
            if other == city:
                continue
            for place in range(1, cities - 1):
                bqm.add_quadratic((city, place), (other, place + 1), distances[city, other])
        for place in (1, cities - 1):
            bqm.add_linear((city, place), distances[0, city])
    weight = float(distances.max())
    for one in others:
        for group in ([(one, other) for other in others], [(other, one) for other in others]):
            bqm.add_linear_equality_constraint([(label, 1) for label in group], weight, -1)
    return bqm


def knapsack(seed: int, items: int = 10, greatest: int = 99) -> dimod.BinaryQuadraticModel:
    """Make a knapsack problem with room for half of the weights.

    Parameters
    ----------
    seed : int
        Seed of weights and values, from 1 to `greatest`.
    items : int, default=10
        Number of items.
    greatest : int, default=99
        Greatest weight and value.

    Returns
    -------
    dimod.BinaryQuadraticModel
        A model of one binary variable for each item, and some for the room that is left.
    """
    rng = np.random.default_rng(seed)
    weights, values = rng.integers(1, greatest + 1, (2, items))
    bqm = dimod.BinaryQuadraticModel(dict(enumerate(-values.astype(float))), {}, "BINARY")
    bqm.add_linear_inequality_constraint(
        list(enumerate(weights.tolist())), float(values.max()), "room", ub=int(weights.sum() // 2)
    )
    return bqm


def partition(seed: int, numbers: int = 20, greatest: int = 999) -> dimod.BinaryQuadraticModel:
    """Divide random numbers into two heaps: the energy is the square of the difference.

    Parameters
    ----------
    seed : int
        Seed of the numbers, from 1 to `greatest`.
    numbers : int, default=20
        Number of numbers.
    greatest : int, default=999
        Greatest number.

    Returns
    -------
    dimod.BinaryQuadraticModel
        A model of spins.
    """
    values = np.random.default_rng(seed).integers(1, greatest + 1, numbers).tolist()
    pairs = {(i, j): 2.0 * values[i] * values[j] for i in range(numbers) for j in range(i)}
    return dimod.BinaryQuadraticModel({}, pairs, float(sum(v * v for v in values)), "SPIN")


def portfolio(seed: int, assets: int = 20) -> dimod.BinaryQuadraticModel:
    """Choose half of some assets with high returns and a low variance.

    Parameters
    ----------
    seed : int
        Seed of the returns.
    assets : int, default=20
        Number of assets.

    Returns
    -------
    dimod.BinaryQuadraticModel
        A model of binary variables.
    """
    rng = np.random.default_rng(seed)
    covariance = np.cov(rng.standard_normal((assets, 60)) * rng.uniform(0.1, 0.4, (assets, 1)))
    returns = rng.uniform(0, 0.2, assets)
    bqm = dimod.BinaryQuadraticModel(dict(enumerate(covariance.diagonal() - returns)), {}, "BINARY")
    for i in range(assets):
        for j in range(i):
            bqm.add_quadratic(i, j, 2 * covariance[i, j])
    bqm.add_linear_equality_constraint(
        [(asset, 1) for asset in range(assets)], float(returns.max()), -(assets // 2)
    )
    return bqm


def colouring(seed: int, nodes: int = 12, colours: int = 4) -> dimod.BinaryQuadraticModel:
    """Colour a random graph, where each colour has a cost at each node.

    Parameters
    ----------
    seed : int
        Seed of edges and costs.
    nodes : int, default=12
        Number of nodes; a third of their pairs are edges.
    colours : int, default=4
        Number of colours.

    Returns
    -------
    dimod.BinaryQuadraticModel
        A model of a binary variable for each node and colour.
    """
    rng = np.random.default_rng(seed)
    bqm = dimod.BinaryQuadraticModel("BINARY")
    for node in range(nodes):
        for colour in range(colours):
            bqm.add_linear((node, colour), rng.uniform())
        bqm.add_linear_equality_constraint([((node, c), 1) for c in range(colours)], 2.0, -1)
    for node in range(nodes):
        for other in range(node):
            if rng.uniform() < 1 / 3:
                for colour in range(colours):
                    bqm.add_quadratic((node, colour), (other, colour), 2.0)
    return bqm


def assignment(seed: int, sites: int = 8) -> dimod.BinaryQuadraticModel:
    """Assign facilities to sites: flows times distances (quadratic assignment).

    Parameters
    ----------
    seed : int
        Seed of flows and distances, integers from 0 to 9.
    sites : int, default=8
        Number of sites, and of facilities.

    Returns
    -------
    dimod.BinaryQuadraticModel
        A model of a binary variable for each facility and site.
    """
    rng = np.random.default_rng(seed)
    flows, distances = (np.triu(rng.integers(0, 10, (sites, sites)), 1) for _ in range(2))
    flows, distances = flows + flows.T, distances + distances.T
    bqm = dimod.BinaryQuadraticModel("BINARY")
    for one in range(sites):
        for other in range(one):
            for here in range(sites):
                for there in range(sites):
                    if here != there:
                        cost = 2.0 * flows[one, other] * distances[here, there]
                        bqm.add_quadratic((one, here), (other, there), cost)
    weight = float(np.abs(bqm.quadratic.max())) if bqm.num_interactions else 1.0
    for one in range(sites):
        for group in ([(one, x) for x in range(sites)], [(x, one) for x in range(sites)]):
            bqm.add_linear_equality_constraint([(label, 1) for label in group], weight, -1)
    return bqm


KINDS: dict[str, Callable[[int], dimod.BinaryQuadraticModel]] = {
    "travelling salesman, 6": lambda seed: travelling_salesman(seed, 6),
    "travelling salesman, 7": travelling_salesman,
    "knapsack, weights to 99": knapsack,
    "knapsack, weights to 9": lambda seed: knapsack(seed, greatest=9),
    "partition to 999": partition,
    "portfolio of 20": portfolio,
    "colouring, 12 nodes": colouring,
    "assignment, 8": assignment,
}
"""All kinds, in the order of the table."""


def _each(labels: Sequence, axes: Sequence[int]) -> list[tuple[list, int]]:
    """List the groups of labels that are equal along an axis, of which one must be chosen."""
    groups: dict[tuple, list] = {}
    for label in labels:
        for axis in axes:
            groups.setdefault((axis, label[axis]), []).append(label)
    return [(group, 1) for group in groups.values()]


SUMS: dict[str, Callable[[Sequence], list[tuple[list, int]]]] = {
    "travelling salesman, 6": lambda labels: _each(labels, (0, 1)),
    "travelling salesman, 7": lambda labels: _each(labels, (0, 1)),
    "portfolio of 20": lambda labels: [(list(labels), len(labels) // 2)],
    "assignment, 8": lambda labels: _each(labels, (0, 1)),
}
"""For the kinds whose constraints say how many of some variables are 1: groups of the model's
labels, and the number of each."""


def feasible(kind: str, found: dimod.SampleSet) -> np.ndarray | None:
    """Tell which samples keep the constraints.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    found : dimod.SampleSet
        Samples of a model of this kind.

    Returns
    -------
    ndarray of bool of shape (n_samples,), or None
        Whether a sample does; None if the kind is not among `SUMS`.
    """
    if kind not in SUMS:
        return None
    place = {label: number for number, label in enumerate(found.variables)}
    states = found.record.sample
    kept = np.ones(len(states), bool)
    for group, number in SUMS[kind](list(found.variables)):
        kept &= states[:, [place[label] for label in group]].sum(axis=1) == number
    return kept
