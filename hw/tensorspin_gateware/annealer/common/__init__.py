"""What both builds of the annealer share: ports, host writes, random bits, counters of a run.

Everything here but `host` and `generator` is a plain function that adds statements to the module
of its caller. A component of its own would appear as a level of hierarchy in the netlist and rename
the signals in it, and a board's digest covers those names.
"""

from __future__ import annotations
