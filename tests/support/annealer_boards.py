"""Golden boards with small annealers."""

from __future__ import annotations

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import Engines
from tensorspin.driver.board import Board
from tensorspin.driver.transports.golden import GoldenTransport

SIZE = AnnealerSize(32, 4, 9, 10, (1,) * 8, 32, 64)
WIDE = AnnealerSize(32, 8, 14, 10, (1,) * 12, 64, 64)
MANY = AnnealerSize(8, 4, 9, 64, (1,) * 8, 16, 64)
"""Many replicas, so that few runs give enough reads for statistics."""

URL = "golden://ulx3s_25f_both"
"""A board of the table, for samplers that must be copied: copies open it by its URL."""


class RecordingBoard(Board):
    """Keeps the jobs of all runs."""

    def anneal_job(self, job, **options):
        self.runs.append(job)
        return super().anneal_job(job, **options)


def golden_board(size: AnnealerSize = SIZE) -> RecordingBoard:
    row = BoardSpec("test", "a test's", 10_000_000, 1_000_000, 4096, Engines(size))
    board = RecordingBoard.over(GoldenTransport(row))
    board.runs = []
    return board
