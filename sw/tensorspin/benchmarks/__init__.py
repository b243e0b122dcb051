"""Measurements of both engines, each beside other libraries.

`contractor` is behind ``make bench``, `annealer` behind ``make bench-annealer``, and `common` holds
what the two share. `peers` has the programs in which other libraries train and solve, in processes
of their own.
"""
