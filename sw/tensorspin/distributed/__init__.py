"""Boards of a cluster of computers, on Dask.

Each worker of the cluster announces the boards that it holds (`tensorspin.distributed.worker`, a
preload module of ``dask worker``), and `DaskBoardPool` uses all of them as one. Dask is imported
when a pool is made: ``pip install 'tensorspin[distributed]'``.

`cluster` sends pieces of work through Dask's scheduler and sees to their results; `pieces` is what
runs on a worker; `collections` predicts Dask's arrays and data frames, block by block.
"""

from __future__ import annotations

from .dask_pool import DaskBoardPool

__all__ = ["DaskBoardPool"]
