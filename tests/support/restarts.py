"""A device that restarts when it should not."""

from __future__ import annotations

import dataclasses

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.golden.device import GoldenDevice

from .doubles import ROW
from .loaded_programs import chain_program

TABLE = chain_program().table.copy()
TABLE[1] = 0  # Written or not, a restarted device has this.
PROGRAM = dataclasses.replace(chain_program(), table=TABLE)


class RestartingDevice(GoldenDevice):
    """Restarts after certain requests, and refuses to make half a program active.

    Parameters
    ----------
    restarts : collection of int
        Restart after the n-th request executed since the beginning.
    replies_get_out : bool
        The replies that were not sent by then are sent all the same.
    row : tensorspin.contract.device.boards.BoardSpec
    """

    def __init__(self, restarts=(), replies_get_out=True, row=ROW):
        self.restarts = restarts
        self.replies_get_out = replies_get_out
        self.executed = 0
        self._expected = 0
        super().__init__(row)

    def restart(self):
        expected = self._expected
        super().restart()
        self._expected = expected  # as if that were the number after a restart

    def holds_program(self):
        images = (PROGRAM.image(8), PROGRAM.table_bytes())
        return all(
            self.memories[space].startswith(image) for space, image in zip(MemorySpace, images)
        )

    def _execute(self, answers, received, request):
        super()._execute(answers, received, request)
        self.executed += 1
        if self.executed in self.restarts:
            if not self.replies_get_out:
                answers.clear()
            self.restart()

    def _activate(self, payload):
        assert self.holds_program()
        return super()._activate(payload)
