"""The tensor-network engine.

The way of the data, one module each: `program` (words from memory), `sequencer` (headers and
elements), `operands` (vectors, features, product), `lanes` (multiply-accumulate), `normaliser`
(block floating point), `results`; `contractor` joins them, `interface` has the ports.
"""

from .contractor import Contractor
from .interface import ContractorSignature

__all__ = ["Contractor", "ContractorSignature"]
