"""Measurements behind ``make bench``.

`classifiers` names what is compared; `accuracy`, `capacity`, `latency`, `host` and `training`
measure one subject each and return plain dictionaries; `run` puts them together into one report;
`tables` and `figures` render it. ``python -m tensorspin.benchmarks --help`` lists the options.
"""
