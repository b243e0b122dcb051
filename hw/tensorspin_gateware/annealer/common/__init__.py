"""The parts that both builds of the annealer share.

`interface` has the ports and the structures of bits behind them. `host` decodes what the host
writes, and `store` connects the memories that it goes to. `generator` makes random bits. `run`
counts a run's steps and cycles, and `header` puts the count in front of the results. `delay` and
`ports` are tools for wiring.

Everything here but `HostWrites` and `Generator` is a plain function that adds statements to the
module of its caller. A component of its own would appear as a level of hierarchy in the netlist and
rename the signals in it, and a board's digest covers those names.
"""

from __future__ import annotations
