"""How sure measured numbers are."""

from __future__ import annotations

import numpy as np

from tensorspin.trust.intervals import bootstrap, share


def test_intervals_of_shares_are_wilsons():
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I
    for hits, total, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        found = share(np.arange(total) < hits)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert share(np.zeros(20, bool))[:2] == (0, 0) and share(np.zeros(20, bool)).high > 0.1


def test_the_bootstrap_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(60):
        found = bootstrap(rng.normal(size=50), lambda each: each.mean(axis=-1), seed)
        hits += found.low <= 0 <= found.high
    assert hits >= 52
