"""The tensor-network engine.

The way of the data, one module each: `samples` (what is filled in and what is contracted),
`program` (words from memory), `sequencer` (headers and elements), `weights`; for each sample of a
run a `group` of `operands` (vectors, features, product), `lanes` (multiply-accumulate) and
`normaliser` (block floating point); `results`. `contractor` joins them, `interface` has the ports.
"""

from .contractor import Contractor
from .interface import ContractorSignature

__all__ = ["Contractor", "ContractorSignature"]
