"""The training kernel: what takes the time of a training, compiled where that was possible.

Installing Tensorspin compiles the C files in ``source`` if there is a C compiler. They do the same
arithmetic as `tensorspin.models.contraction` and `tensorspin.models.tree_network`, in another
order, so that results agree but for rounding in float32. A batch is kept sample by sample, with the
entries of a bond side by side: these are the vectors of the processor. Products of a few samples
are summed in its registers, and what a step needs stays in its cache. On x86-64 the best set of
instructions is chosen when the module is imported. Without the compiled module everything is
computed in NumPy, and training takes several times as long.

The environment variable ``TENSORSPIN_KERNEL`` chooses: ``numpy``, or one of the sets of
instructions ``avx512``, ``avx2`` and ``portable``; by default the best of what there is.
"""

from __future__ import annotations

from .switch import available, choose, chosen, instructions

__all__ = ["available", "choose", "chosen", "instructions"]
