"""The contractor, the tensor-network engine: what host, golden model and gateware agree on.

`program` defines the node program, `image` its bytes, `memory` the memories that hold them, `size`
what a device can hold, `latency` the pipeline's cycles, and `results` the answers.
"""

from .memory import MemorySpace
from .program import Node, Operand, OperandKind
from .results import ContractorResults
from .size import ContractorSize

__all__ = [
    "ContractorResults",
    "ContractorSize",
    "MemorySpace",
    "Node",
    "Operand",
    "OperandKind",
]
