"""The host's end of the link: a reliable, pipelined exchange over a line that may lose bytes.

The rules are those of `tensorspin.contract.packets`. From the outside in:

============================  ======================================================
`tensorspin.link.requests`    what can be asked of a device
`tensorspin.link.changes`     the requests that change a memory's content, in few bytes
`tensorspin.link.session`     open, ask, notice a device that was restarted
`tensorspin.link.exchange`    one run of requests: send, take replies, repair losses
`tensorspin.link.greeting`    HELLO, and what is said when nobody answers
`tensorspin.link.window`      numbers and packets under way, and how many of what size
`tensorspin.link.line`        bytes out, packets in, times
`tensorspin.link.measure`     round trip and throughput
============================  ======================================================
"""
