"""The driver of a device's spatial engine: it loads networks of the engine's shape, and runs them.

Programs are the same as for a contractor. What the engine is loaded with is computed from them,
see `tensorspin.compiler.spatial`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import numpy as np

from ..compiler.spatial import SpatialProgram, check_shape
from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode
from ..contract.device.description import DeviceDescription
from ..contract.spatial.image import SpatialSpace, image_bytes
from ..contract.spatial.latency import latency
from ..contract.spatial.size import SpatialSize
from ..golden.spatial import GoldenSpatial
from .contractor import ContractorDriver

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram


class SpatialDriver(ContractorDriver):
    """Loads programs into a spatial engine and runs them, as `tensorspin.Board` describes.

    Parameters
    ----------
    session : Session
        The session with a device that has a spatial engine.
    """

    _size: SpatialSize
    _probed: enum.IntEnum = SpatialSpace.IMAGE
    _fitted: SpatialProgram | None = None
    """What was computed of the program that was used last."""

    def _engine_size(self, description: DeviceDescription) -> SpatialSize:
        return description.engines.require(SpatialSize)

    def _check(self, program: NetworkProgram) -> None:
        check_shape(program, self._size, f"the board at {self._url}")

    def _digest(self, program: NetworkProgram) -> int:
        return self._fit(program).digest

    def _images(self, program: NetworkProgram) -> dict[enum.IntEnum, bytes]:
        return {SpatialSpace.IMAGE: self._fit(program).image}

    def _signs(self) -> bool:
        return False

    def _checks_table(self) -> bool:
        return False

    def _locked(self) -> bool:
        return False

    def _shares_samples(self) -> bool:
        return False

    def _cycles(self, program: NetworkProgram, mode: Mode) -> int:
        return latency(self._size)

    def _most_cycles(self) -> int:
        return latency(self._size)

    def expected(self, program: NetworkProgram, levels: np.ndarray) -> ContractorResults:
        """Compute the scores of a device that has no fault."""
        return GoldenSpatial(self._size, self._fit(program).parameters).run(levels)

    def _space_bytes(self, space: enum.IntEnum) -> int:
        return image_bytes(self._size)

    def _fit(self, program: NetworkProgram) -> SpatialProgram:
        """Compute what the engine is loaded with, unless it was computed before."""
        if self._fitted is None or self._fitted.program is not program:
            self._fitted = SpatialProgram(program, self._size)
        return self._fitted
