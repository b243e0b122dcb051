"""Progress of what takes time, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .board import Progress


@contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Progress]:
    """A bar on stderr, fed by the callback that it gives.

    Parameters
    ----------
    title, unit : str
    """
    from tqdm import tqdm

    with tqdm(desc=title, unit=unit, unit_scale=unit == "B") as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance
