"""Measurements behind ``make bench``: classifiers, programs and the boards that run them.

`splits` and `classifiers` define which classifiers are compared, and on which samples. `accuracy`,
`capacity`, `latency`, `host` and `training` measure one subject each and return plain dictionaries.
`run` puts them together into one report; `tables` and `figures` render it.
``python -m tensorspin.benchmarks.contractor --help`` lists the options.
"""
