"""The router: executes requests by the rules of `tensorspin.contract.wire.packets`.

It stands between the link, which delivers intact packets in the right order, and the engines.

========= ================================================================================
module    subject
========= ================================================================================
`router`  the state machine that takes one request after another and sends the replies
`checks`  the kind of a request, and whether it may be executed
`samples` state of the contractor that outlives a request: model, sample begun, runs
`engines` the router's ports for the engines, and what stands there if one is missing
`copied`  what replies copy byte by byte: memories, description, counters
`reply`   a reply, byte by byte
`lock`    the check of a locked contractor
========= ================================================================================
"""

from .router import Router

__all__ = ["Router"]
