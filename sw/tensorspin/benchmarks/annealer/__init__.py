"""Measurements behind ``make bench-annealer``.

`instances` defines which problems are solved; `boards` solves them on the golden models of the
boards, which take exactly the gateware's cycles. `quality` and `speed` measure one subject each and
return plain dictionaries; `run` puts them into one report; `tables` and `figures` render it.
``python -m tensorspin.benchmarks.annealer --help`` lists the options.
"""
