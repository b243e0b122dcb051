"""Single mode: what a contractor needs so that all of its groups can work on one sample.

`tensorspin.contract.contractor.rows` describes the mode and its latencies. Only contractors with
`ContractorSize.single_drain` have these parts. They stand beside those of throughput mode, and a
run uses either; memories and lanes serve both.

============ =======================================================================================
module       job
============ =======================================================================================
`reader`     the program memory as banks: a word for each group, or a stream of words
`headers`    where the headers stand, and the one of the node that comes next
`sequencer`  a row of elements a cycle
`elements`   which element of a row is a group's own
`levels`     the levels of a node's features, brought from the sample's group to all
`joiner`     the groups' partial sums, added up
`normaliser` sums to a vector, several entries a cycle
`operands`   operands of a group, whose vectors are written by rows
`group`      the data path of a group that does both modes
`mode`       joins all of these with the parts of throughput mode
============ =======================================================================================
"""

from .group import SharedGroup
from .mode import SingleMode
from .reader import RowReader

__all__ = ["RowReader", "SharedGroup", "SingleMode"]
