"""The spatial engine of a golden device: its memory, its model, and the samples that it is sent."""

from __future__ import annotations

import numpy as np

from ...contract.contractor.results import ContractorResults
from ...contract.spatial.image import SpatialSpace
from ..contractor.device import DeviceContractor
from .contraction import GoldenSpatial


class DeviceSpatial(DeviceContractor):
    """What requests do to a spatial engine: the same as to a contractor, but for its memory.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Examples
    --------
    >>> from tensorspin.contract.spatial import SpatialSize
    >>> from tensorspin.contract.wire.packets import OFFSET, PacketType
    >>> engine = DeviceSpatial(SpatialSize.of_tree(2, [(0, 1, 3)], components=2))
    >>> engine.execute(PacketType.RUN, OFFSET.pack(0) + b"level", cycle=0)
    (<Status.NO_MODEL: 4>, b'')
    """

    def read_memories(self, n_features: int) -> _AnyFeatures:
        """Make a model of what the memory holds; see `DeviceContractor.read_memories`."""
        image = bytes(self.memories[SpatialSpace.IMAGE])
        return _AnyFeatures(GoldenSpatial.of_image(self.size, image))


class _AnyFeatures:
    """Runs samples of any number of features, as a device does if its host tells it a wrong one.

    Features that are not sent have level 0, and those that nothing reads have no effect.
    """

    def __init__(self, model: GoldenSpatial) -> None:
        self._model = model

    def run(self, levels: np.ndarray) -> ContractorResults:
        """Compute the scores of samples."""
        inputs = self._model.size.inputs
        missing = max(0, inputs - levels.shape[1])
        return self._model.run(np.pad(levels[:, :inputs], ((0, 0), (0, missing))))
