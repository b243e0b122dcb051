"""An audit: the evidence that a reviewer asks for, of a model as it runs on a board.

==============  ===============================================================
module          what it has
==============  ===============================================================
`evidence`      `audit`, which gathers all of it
`settings`      how much is tried
`answers`       accuracy, float and on the board; calibration
`robustness`    accuracy under attack
`upsets`        flipped bits: curve, worst ones, over time, what is noticed
`unusual`       samples of another kind, with and without a guard
`guarding`      a guard on the same board
`fields`        what only people know
`report`        the document, and files
`card`          the model card
==============  ===============================================================
"""

from .evidence import audit
from .report import AuditReport
from .settings import Settings

__all__ = ["AuditReport", "Settings", "audit"]
