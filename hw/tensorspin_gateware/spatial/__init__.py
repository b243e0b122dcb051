"""The spatial engine: a tree tensor network in which every product has a multiplier of its own.

Where data come from and go to, top to bottom:

============== =====================================================================
module         subject
============== =====================================================================
`engine`       the engine behind a router: memory, samples, results
`stream`       the core between AXI-stream-like ports, for designs of others
`core`         levels in, scores out, one sample a cycle
`unpacker`     the bytes of a network on their way into tables and registers
`nodes`        one node of the tree: with tables, or with weights
`weighted_sum` numbers times weights, summed; by multipliers or by look-up tables
`digits`       multiplication by look-up tables
`arithmetic`   products, trees of adders, delays, narrowing
`greatest`     the index of the greatest score
============== =====================================================================
"""

from .core import SpatialCore
from .engine import Spatial
from .stream import SpatialStream

__all__ = ["Spatial", "SpatialCore", "SpatialStream"]
