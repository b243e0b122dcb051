"""Measurements behind ``make bench BENCH_FLAGS='--suite tabular'``: tables that nobody tuned for.

Every set is split several times, and Tensorspin's classifiers, regressors and detectors are
compared with scikit-learn's usual ones on the same splits, with one set of parameters for all.
`sets` reads the sets and splits them, `models` defines what is compared, `fitting` trains and tests
one model on one split. `ledger` keeps each result, so that a run that was interrupted goes on, and
a later run does not train the others again. `run` puts all together; `results` computes means,
differences and ranks, `verdicts` says which aims are met, `tables` and `figures` render the report,
and `command` has the options.
"""
