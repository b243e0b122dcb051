"""Measurements behind ``make bench``.

`splits` and `classifiers` say what is compared, and on what; `accuracy`, `capacity`, `latency`,
`host` and `training` measure one subject each and return plain dictionaries; `run` puts them
together into one report; `tables` and `figures` render it. `scripts` runs other libraries, `report`
and `panels` are what commands and pictures have in common.
``python -m tensorspin.benchmarks --help`` lists the options.
"""
