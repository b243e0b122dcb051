"""Sizes of annealers that the tests of their gateware go through: the least, and uneven ones."""

from __future__ import annotations

from tensorspin.contract.annealer.size import MIN_REPLICAS, AnnealerSize

SIZES = {
    "least": AnnealerSize(8, 2, 6, MIN_REPLICAS, (1,) * 4, 12, 4, ring=0),
    "uneven": AnnealerSize(27, 4, 9, 12, (2, 1, 3, 1, 1, 2), 16, 8),
    "many groups": AnnealerSize(150, 3, 10, 16, (1,) * 7, 20, 8),
    "tempering": AnnealerSize(19, 3, 8, 11, (3, 1, 2, 1, 1, 2, 1), 20, 8, ring=0, tempering=1),
    "tempering on a ring": AnnealerSize(16, 3, 8, MIN_REPLICAS, (2,) * 6, 20, 8, tempering=1),
    "shared sweeps": AnnealerSize(29, 3, 9, 11, (1, 2, 1, 1, 1, 1), 16, 8, ring=0, shared_sweeps=1),
    "shared sweeps, all else": AnnealerSize(
        48, 2, 9, 16, (2,) * 6, 8, 8, tempering=1, flips=2, shared_sweeps=1
    ),
    "two flips": AnnealerSize(36, 2, 8, 12, (1,) * 6, 8, 8, flips=2),
    "three flips, tempering": AnnealerSize(
        57, 3, 9, MIN_REPLICAS, (2,) * 7, 6, 8, tempering=1, flips=3
    ),
    "four flips": AnnealerSize(80, 2, 9, 16, (1,) * 6, 8, 4, ring=0, flips=4),
    "signature": AnnealerSize(19, 3, 8, 12, (2,) * 5, 12, 4, tempering=1, signature=1),
    "signature, few rows": AnnealerSize(8, 3, 8, 14, (1,) * 4, 2, 16, ring=0, signature=1),
    "signature, two flips": AnnealerSize(
        28, 3, 8, MIN_REPLICAS, (1,) * 5, 6, 4, ring=0, flips=2, shared_sweeps=1, signature=1
    ),
    "signature, windows": AnnealerSize(72, 2, 8, 4, (2,) * 5, 8, 4, ring=0, window=8, signature=1),
    # The schedule has more lines than the couplings.
    "signature, many steps": AnnealerSize(
        64, 8, 13, 4, (2,) * 8, 1, 40, ring=0, window=8, signature=1
    ),
    # Problems that need more offset rows have them in the rows of spins that they do not use.
    "one offset row": AnnealerSize(15, 2, 7, MIN_REPLICAS, (1,) * 5, 1, 4),
    "two offset rows": AnnealerSize(17, 2, 7, 11, (1,) * 5, 2, 4, ring=0),
    "windows, one offset row": AnnealerSize(64, 2, 8, 4, (2,) * 5, 1, 4, ring=0, window=8),
    "many windows": AnnealerSize(88, 2, 8, 16, (1,) * 5, 20, 8, ring=0, window=8),
    "wide windows": AnnealerSize(144, 4, 11, 24, (2,) * 6, 20, 8, ring=0, window=16),
    "windows, many thresholds": AnnealerSize(64, 8, 16, 16, (1,) * 13, 20, 8, ring=0, window=8),
    "the least replicas": AnnealerSize(128, 8, 13, 4, (4,) * 6, 12, 8, ring=0, window=16),
}
