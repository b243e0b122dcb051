"""The spatial engine: a tree tensor network whose shape is in the bitstream, its weights loaded.

Every product of the network has a multiplier of its own, and all of them work in every cycle, so
that a sample can begin in each cycle and its scores come a fixed number of cycles later.

=============== ===================================================================
module          subject
=============== ===================================================================
`size`          the shape of a network, and the widths of its numbers
`arithmetic`    how numbers are narrowed, and how wide sums become
`latency`       cycles of each part, from which the gateware builds its delays
`image`         the bytes of a network's weights, in the order in which they are loaded
`resources`     multipliers that a shape needs, and those that a device has
`description`   the file in which a shape is written down under a name
`engine`        the engine's row in the list of engines
=============== ===================================================================
"""

from .size import SpatialSize, TreeNode

__all__ = ["SpatialSize", "TreeNode"]
