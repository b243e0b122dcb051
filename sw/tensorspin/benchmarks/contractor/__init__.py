"""Measurements behind ``make bench``: classifiers, programs and the boards that run them.

`splits` and `classifiers` define which classifiers are compared, and on which samples. `accuracy`,
`capacity`, `latency`, `host` and `training` measure one subject each and return plain dictionaries.
`opening` opens the boards in turn. `run` puts all together into one report; `lines` tells results
as they come, `tables` and `figures` render the report.
``python -m tensorspin.benchmarks.contractor --help`` lists the options.
"""
