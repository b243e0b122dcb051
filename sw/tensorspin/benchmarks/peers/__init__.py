"""Programs that train or solve with one library each, in a process of its own.

The other libraries may be installed in another environment than Tensorspin, and must not share a
process with it, as each brings its own threads. So each library has a program ``train_NAME`` or
``solve_NAME``, which `tensorspin.benchmarks.common.scripts` starts with ``python -m``; there this
package is the top-level package ``peers``. Its modules therefore import each other relatively and
nothing else of Tensorspin, except `train_tensorspin`, whose library Tensorspin is.

`process` has what all programs share, `training` what is trained and answered, `solving` the same
for the annealer's rivals.
"""
