"""The gateware: what becomes a bitstream.

`accelerator` joins the parts that every board has: `link` (bytes to packets), `router` (packets to
the engines), and the engines `contractor`, `annealer` and `spatial`. `primitives` holds the
memories and multipliers of each FPGA family, `boards` the table of boards, `build` makes
bitstreams, and `simulation` makes virtual boards.
"""
