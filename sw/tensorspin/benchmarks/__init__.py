"""Measurements of both engines, each beside other libraries.

`contractor` is behind ``make bench``, with `tabular` as its suite of many tables, `annealer` behind
``make bench-annealer``, and `common` holds what they share. `peers` has the programs in which other
libraries train and solve, in processes of their own.
"""
