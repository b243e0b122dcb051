"""The host's end of the link: a reliable, pipelined exchange over a line that may lose bytes.

The rules are those of `tensorspin.contract.wire.packets`. From the outside in:

============================  ======================================================
`tensorspin.driver.link.requests`    what can be asked of a device
`tensorspin.driver.link.changes`     the requests that change a memory's content, in few bytes
`tensorspin.driver.link.session`     open, ask, notice a device that was restarted
`tensorspin.driver.link.exchange`    one run of requests: send, take replies, repair losses
`tensorspin.driver.link.greeting`    HELLO, and what is said when nobody answers
`tensorspin.driver.link.window`      numbers and packets under way, and how many of what size
`tensorspin.driver.link.line`        bytes out, packets in, times
`tensorspin.driver.link.measure`     round trip and throughput
============================  ======================================================
"""
