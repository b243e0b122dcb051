"""From a trained network to the program that the contractor runs.

`chain` and `tree` turn a matrix product state and a tree tensor network into bilinear `nodes` and
order them, `quantise` rounds tensors to the engine's number formats, `network_program` holds the
result, `outputs` says what its scores mean, `capacity` tells whether a device can take it, and
`program_file` keeps it in a file.
"""

from .network_program import NetworkProgram

__all__ = ["NetworkProgram"]
