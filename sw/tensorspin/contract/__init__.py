"""What host and gateware must agree on, said once.

The gateware imports this package when it is elaborated, the host when it runs. Nothing here imports
Amaranth or any other part of `tensorspin`, so that neither side pulls the other in. Every constant
that both sides use (a latency, a limit, the place of a byte) stands here, and both compute with it.

============= ==================================================================================
name          subject
============= ==================================================================================
`fixed`       number formats of the datapath, rounding, saturation
`wire`        the bytes on the line: packets, and the frames around them
`engine`      what an engine is, whichever it is: its number, its requests, its memory spaces
`contractor`  the tensor-network engine: size, program, memories, latencies, results
`annealer`    the Ising engine: size, problems, schedules, thresholds, memories, results
`device`      a device with its engines: description, requests, memory spaces, table of boards
============= ==================================================================================

Each row may import those above it, except that the two engines do not know each other.
"""
