"""Which kernel computes: the compiled one with some set of instructions, or NumPy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_info

try:
    from . import _compiled
except ImportError:  # no compiler when Tensorspin was installed, or another kind of computer
    _compiled = None  # type: ignore[assignment]  # a module may be missing

VARIABLE = "TENSORSPIN_KERNEL"
"""Name of the environment variable that chooses the kernel."""

MOST_THREADS = 2
"""Most threads that a contraction uses: one for each half-chain."""

THREAD_WORK = 2_000_000
"""Least number of products of weights and vectors' entries, in a batch, that two threads share: it
takes some ten microseconds to wake the second one, in which one thread computes a million."""

_chosen: str | None = None  # None: nothing was chosen yet


def instructions() -> str | None:
    """Tell which kernel trains.

    Returns
    -------
    None or str
        The set of instructions that the compiled kernel uses; None if NumPy computes.

    Raises
    ------
    ValueError
        If the environment variable ``TENSORSPIN_KERNEL`` asks for what this computer does not have.

    Examples
    --------
    >>> from tensorspin.models import kernel
    >>> kernel.instructions() in {"avx512", "avx2", "portable", None}
    True
    """
    if _chosen is None:
        choose(os.environ.get(VARIABLE) or None)
    return None if _chosen == "numpy" else _chosen


def available() -> list[str]:
    """List what can be chosen on this computer, the best first.

    Returns
    -------
    list of str
        Names for `choose`; the last is ``"numpy"``.

    Examples
    --------
    >>> from tensorspin.models import kernel
    >>> kernel.available()[-1]
    'numpy'
    """
    if _compiled is None:
        return ["numpy"]
    before = _compiled.instructions()
    names = [name for name in ("avx512", "avx2", "portable") if _compiled.use_instructions(name)]
    _compiled.use_instructions(before)
    return [*names, "numpy"]


def choose(name: str | None) -> None:
    """Choose what computes from now on, in the whole process.

    Parameters
    ----------
    name : None or str
        One of `available`; None: the first of them.

    Raises
    ------
    ValueError
        If this computer does not have it.

    Examples
    --------
    >>> from tensorspin.models import kernel
    >>> kernel.choose("numpy")
    >>> print(kernel.instructions())
    None
    >>> kernel.choose(None)
    """
    global _chosen
    names = available()
    if name is None:
        name = names[0]
    if name not in names:
        hint = "" if _compiled else "; to compile the kernel, install Tensorspin with a C compiler"
        raise ValueError(f"{VARIABLE} must be one of {', '.join(names)}, not {name!r}{hint}")
    if name != "numpy":
        _compiled.use_instructions(name)
    _chosen = name


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Choose what computes in a ``with`` block.

    Parameters
    ----------
    name : str
        One of `available`.

    Yields
    ------
    None
        Afterwards the choice is what it was before.

    Raises
    ------
    ValueError
        If this computer does not have it.

    Examples
    --------
    >>> from tensorspin.models import kernel
    >>> with kernel.chosen("numpy"):
    ...     print(kernel.instructions())
    None
    """
    before = instructions() or "numpy"
    choose(name)
    try:
        yield
    finally:
        choose(before)


def usable_threads(products: int) -> int:
    """Tell how many threads a training may use.

    It uses no more than NumPy's matrix products would: what limits these, such as the environment
    variable ``OMP_NUM_THREADS`` or the library threadpoolctl, limits the kernel, too.

    Parameters
    ----------
    products : int
        Number of products of weights and vectors' entries in the contraction of a batch. Small
        batches are faster on one thread.

    Returns
    -------
    int
        1 or 2.
    """
    if instructions() is None or products < THREAD_WORK:
        return 1
    limits = [library["num_threads"] for library in threadpool_info()]
    if hasattr(os, "sched_getaffinity"):
        limits.append(len(os.sched_getaffinity(0)))
    else:
        limits.append(os.cpu_count() or 1)
    threads = min(MOST_THREADS, *limits)
    return threads if threads == 1 or _compiled.prepare_worker() else 1


if _compiled is not None and hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_compiled.forget_worker)
