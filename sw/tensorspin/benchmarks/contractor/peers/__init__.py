"""One training run of one library each, as a script of its own.

The other libraries may live in another environment than Tensorspin, so that `train_tensorkrowch`
and `train_tn4ml` import nothing of this package but `protocol`, and are started by their path.
"""
