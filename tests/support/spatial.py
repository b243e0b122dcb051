"""Random networks for spatial engines."""

from __future__ import annotations

import numpy as np

from tensorspin.contract.spatial.image import (
    LEVELS,
    NetworkNumbers,
    pack_image,
    tables,
    weight_counts,
    weight_shape,
)
from tensorspin.contract.spatial.size import SpatialSize

BALANCED = SpatialSize.of_tree(
    4, [(0, 1, 4), (2, 3, 4), (4, 5, 3)], components=2, value_bits=12, weight_bits=8, multipliers=64
)
"""A tree of four features, as for iris; some products with weights have multipliers."""

CROOKED = SpatialSize.of_tree(
    5,
    [(0, 1, 3), (5, 2, 2), (3, 0, 5), (6, 7, 4), (8, 4, 1)],
    components=3,
    value_bits=9,
    weight_bits=5,
    multipliers=20,
)
"""Nodes of all kinds, of operands that come at different times; a feature is read twice, there is
one score, and more products of data than multipliers."""

WIDE = SpatialSize.of_tree(
    8,
    [(0, 1, 4), (2, 3, 4), (4, 5, 4), (6, 7, 4), (8, 9, 4), (10, 11, 4), (12, 13, 10)],
    components=2,
    value_bits=14,
    weight_bits=7,
    multipliers=144,
)
"""A tree of eight features and ten scores, as for digits by eight principal components."""

SIZES = {"balanced": BALANCED, "crooked": CROOKED, "wide": WIDE}


def random_parameters(size: SpatialSize, rng: np.random.Generator) -> NetworkNumbers:
    """Draw all numbers of an image at random, with extremes among them."""

    def numbers(bits: int, shape: tuple[int, ...]) -> np.ndarray:
        limit = 1 << (bits - 1)
        drawn = rng.integers(-limit, limit, shape)
        ends = rng.choice([-limit, limit - 1, 0, -1, 1], shape)
        return np.where(rng.random(shape) < 0.3, ends, drawn)

    return NetworkNumbers(
        [numbers(size.value_bits, (LEVELS, table.entries)) for table in tables(size)],
        {
            index: numbers(size.weight_bits, weight_shape(size, size.tree[index]))
            for index, count in enumerate(weight_counts(size))
            if count
        },
        [int(shift) for shift in rng.integers(0, 8, len(size.nodes))],
        int(rng.integers(0, 1 << 16)),
    )


def random_image(size: SpatialSize, rng: np.random.Generator) -> bytes:
    """Draw an image at random."""
    return pack_image(size, random_parameters(size, rng))
