"""Dask clusters on this computer whose workers hold boards."""

from __future__ import annotations

import os
from pathlib import Path

BOARDS = ("golden://ulx3s_25f_both", "golden://icebreaker")
PRELOAD = "tensorspin.distributed.worker"

_ROOT = Path(__file__).parents[2]
PATHS = os.pathsep.join(map(str, (_ROOT / "sw", _ROOT / "hw", _ROOT)))
"""Where processes find this checkout."""


def arguments(boards):
    """Arguments of the preload module."""
    return [word for board in boards for word in ("--board", board)]


def local_cluster(boards=BOARDS, *, processes=False, **options):
    """A cluster whose workers hold these boards each; without processes it begins at once."""
    from distributed import LocalCluster

    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    return LocalCluster(
        **settings | options,
        processes=processes,
        host="127.0.0.1" if processes else None,
        preload=[PRELOAD],
        preload_argv=arguments(boards),
    )
