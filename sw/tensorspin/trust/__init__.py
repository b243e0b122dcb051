"""What a device does when something is wrong with it, and what a model does when it is attacked.

==============  ===================================================================
module          what it has
==============  ===================================================================
`faults`        single bits of a board's memory that are flipped after loading
`scrubbing`     changed bits that are found by reading a board's memories back
`memory_map`    which bits a program uses, and for what
`campaign`      many faults, one after the other, and a table of what came of them
`subject`       a program with its samples as numbers that can be moved
`judges`        when an answer is wrong, by the task of the program
`attacks`       samples that are moved by little, so that answers become wrong
`intervals`     how sure a measured number is
`auditing`      all of it as one report: numbers, and a model card
==============  ===================================================================

Signatures of program files, the other half of docs/security.md, are in
`tensorspin.compiler.signing`, below the programs that they protect.
"""

from .auditing import AuditReport, Settings, audit
from .campaign import CampaignReport, Outcome, campaign
from .faults import Fault, inject, sample_faults
from .scrubbing import ScrubReport, scrub

__all__ = [
    "AuditReport",
    "CampaignReport",
    "Fault",
    "Outcome",
    "ScrubReport",
    "Settings",
    "audit",
    "campaign",
    "inject",
    "sample_faults",
    "scrub",
]
