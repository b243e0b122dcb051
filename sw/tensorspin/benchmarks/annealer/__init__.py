"""Measurements behind ``make bench-annealer``.

`instances` says what is solved; `boards` solves it on the golden models of the boards, cycle for
cycle; `peers` with other libraries, in processes of their own. `quality` and `speed` measure one
subject each and return plain dictionaries; `run` puts them into one report; `tables` and `figures`
render it. ``python -m tensorspin.benchmarks.annealer --help`` lists the options.
"""
