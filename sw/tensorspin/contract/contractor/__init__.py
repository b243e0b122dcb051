"""The contractor, the tensor-network engine: what host, golden model and gateware agree on.

`program` defines the node program, `image` its bytes, `memory` the memories that hold them, `size`
what a device can hold, `latency` the pipeline's cycles, `rows` the mode in which all groups work on
one sample, and `results` the answers.
"""

from .memory import MemorySpace
from .program import Node, Operand, OperandKind
from .results import ContractorResults
from .rows import Mode
from .size import ContractorSize

__all__ = [
    "ContractorResults",
    "ContractorSize",
    "MemorySpace",
    "Mode",
    "Node",
    "Operand",
    "OperandKind",
]
