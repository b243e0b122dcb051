"""The check of a locked contractor: `tensorspin.contract.contractor.lock` says what is checked.

=========== ==============================================================================
module      subject
=========== ==============================================================================
`microcode` the permutation of Chaskey as operations on bytes, and where the key stands
`engine`    the code of a message, byte by byte
`check`     what the message is: what ACTIVATE brings, and the contractor's memories
`joined`    the check within the router
=========== ==============================================================================
"""

from .check import LockCheck
from .engine import ChaskeyEngine

__all__ = ["ChaskeyEngine", "LockCheck"]
