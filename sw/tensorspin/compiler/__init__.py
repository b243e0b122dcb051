"""From a trained network to the program that the contractor runs.

`chain` and `tree` turn a matrix product state and a tree tensor network into bilinear `nodes` and
order them; `ensemble` joins several networks into one, by the `references` that it gives their
vectors. `quantise` rounds tensors to the engine's number formats, `mixed_bits` chooses the nodes
that are stored in 4 bits, `scaling` rounds features to levels, and `columns` does so for pipelines
that were folded into a program. `network_program` holds the result, and its base in
`device_program` makes the bytes that a device is given; `once` lets it make them only once.
`outputs` says what the scores mean, `capacity` tells whether a device can take the program, and
`program_file` keeps it in a file.
"""

from .chain import chain_nodes
from .network_program import NetworkProgram
from .nodes import FloatNode
from .outputs import Classification, OutlierDetection, Regression
from .program_file import ProgramFileError
from .tree import tree_nodes

__all__ = [
    "Classification",
    "FloatNode",
    "NetworkProgram",
    "OutlierDetection",
    "ProgramFileError",
    "Regression",
    "chain_nodes",
    "tree_nodes",
]
