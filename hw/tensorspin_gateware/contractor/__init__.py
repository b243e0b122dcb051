"""The contractor: the engine that evaluates tensor networks.

A network is a list of *nodes*, ``out[k] = sum over a, b of W[k, a, b] * left[a] * right[b]``. The
engine reads the nodes and their weights from its program memory, once for each run, and applies
them to the samples that the host has filled in. *Lanes* are multiply-accumulators, one for each
output k that is computed at the same time. A *group* is a set of lanes with the memories of one
sample; several groups contract several samples with the same weights.

The way of the data, one module each:

================ ===================================================================================
module           job
================ ===================================================================================
`sample_queue`   which samples are filled in, wait, or are contracted
`program`        words from the program memory, in order
`sequencer`      headers and weights taken from these words; one product (*element*) a cycle
`correcting`     the same, with headers corrected on the way, if the size asks for it
`protection`     the correction of headers and weights
`weights`        the weights of an element, taken from a word
`group`          the parts that each sample has for itself:
`operands`       - feature levels, feature table and vectors; the product of two operands
`lanes`          - products times weights, summed up
`normaliser`     - sums to a vector of 16-bit numbers with one exponent (block floating point)
`score_buffer`   results that wait to be read
`interface`      the ports
`contractor`     joins all of these
================ ===================================================================================
"""

from __future__ import annotations

from .contractor import Contractor
from .interface import ContractorSignature

__all__ = ["Contractor", "ContractorSignature"]
