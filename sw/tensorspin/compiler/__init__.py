"""From a trained network to the program that the contractor runs.

`chain` turns a matrix product state into bilinear nodes and orders them, `quantise` rounds tensors
to the engine's number formats, `network_program` holds the result, `capacity` tells whether a
device can take it, `program_file` keeps it in a file.
"""

from .network_program import NetworkProgram

__all__ = ["NetworkProgram"]
