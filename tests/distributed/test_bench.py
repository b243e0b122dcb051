"""The benchmark of tables on a cluster finds what it finds on one computer."""

from __future__ import annotations

import pytest

from tensorspin.benchmarks.tabular.ledger import Ledger
from tensorspin.benchmarks.tabular.run import Plan, measure

PLAN = Plan(
    names=["iris"],
    targets=["classes"],
    models=["MPSClassifier"],
    bits=[8],
    splits=2,
    most_training=60,
    most_testing=60,
    quick=True,
)


def scores(report):
    rows = report["sets"][0]["rows"]
    return {(row["model"], row["bits"]): row["scores"] for row in rows}


@pytest.mark.slow
def test_splits_are_measured_by_the_workers(in_threads):
    kept = []
    ledger = Ledger()
    address = in_threads.scheduler.address
    found = measure(PLAN, ledger, lambda report: kept.append(len(ledger.results)), address)
    assert kept[1] == len(ledger.results)  # nothing was left to measure here
    assert scores(found) == scores(measure(PLAN, Ledger()))
