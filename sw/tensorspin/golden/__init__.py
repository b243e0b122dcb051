"""Bit-exact NumPy models of the engines, and of a whole device.

`contractor` and `annealer` model the engines: results bit for bit, and clock cycles exactly.
`device` puts them behind the packets of the line, so that the driver can talk to a device without
hardware or simulator; `engine` is what it asks of an engine, so that a new one can join.
"""
