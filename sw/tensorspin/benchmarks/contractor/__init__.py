"""Measurements behind ``make bench``: classifiers, programs and the boards that run them.

`splits` and `classifiers` say what is compared, and on what; `accuracy`, `capacity`, `latency`,
`host` and `training` measure one subject each and return plain dictionaries; `run` puts them
together into one report; `tables` and `figures` render it. `peers` has the scripts that train with
other libraries. ``python -m tensorspin.benchmarks.contractor --help`` lists the options.
"""
