"""The host's end of the link: a reliable, pipelined exchange over a line that may lose bytes.

The rules of the link are those of `tensorspin.contract.wire.packets`. The modules, from the outside
in:

============  ======================================================================
`session`     open, ask, notice a device that was restarted
`measure`     round trip and throughput
`exchange`    one exchange: send requests, take replies, repair losses
`greeting`    HELLO, and what the user reads when nobody answers
`window`      numbers and packets under way, and how many of what size
`requests`    what can be asked of a device
`changes`     the requests that change a memory's content, in few bytes
`line`        bytes out, packets in, what they say, times
============  ======================================================================
"""
