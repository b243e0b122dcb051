"""Numbers that say how they are known, and barriers that are made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MEASURED = "measured"
"""Observed on this machine in this run, or counted in the circuit or message itself."""

SIMULATED = "simulated"
"""Counted in a simulation that is exact to the cycle or to the bit."""

MODELLED = "modelled"
"""Computed from assumptions, which the source names."""

CITED = "cited"
"""Taken from a publication or another's data, which the source names."""

KINDS = (MEASURED, SIMULATED, MODELLED, CITED)
"""How a number can be known."""


@dataclass(frozen=True)
class Figure:
    """A number, and how it is known.

    Parameters
    ----------
    value : float, int, str or None
        The number, or a word. None: it is not known, and the source says why.
    unit : str
        Its unit without a prefix, such as "s"; empty for a plain number.
    kind : {"measured", "simulated", "modelled", "cited"}
        How it is known.
    source : str
        Where it is from: what was run, the assumptions, or the publication.

    Raises
    ------
    ValueError
        If the kind is none of these, or there is no source.

    Examples
    --------
    >>> Figure(0.0123, "s", "modelled", "an assumed round trip").text
    '12.3 ms'
    """

    value: float | str | None
    unit: str
    kind: str
    source: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if not self.source:
            raise ValueError(f"a number needs a source, {self.value!r} has none")

    @property
    def number(self) -> float:
        """The value as a number.

        Raises
        ------
        TypeError
            If it is a word, or not known.
        """
        if self.value is None or isinstance(self.value, str):
            raise TypeError(f"{self.value!r} is no number")
        return float(self.value)

    @property
    def text(self) -> str:
        """The value as people read it, with its unit."""
        if self.value is None:
            return "not known"
        if isinstance(self.value, str):
            return self.value
        if self.unit == "share":
            return f"{self.value:.1%}"
        if self.unit in ("s", "J", "W", "B"):
            return _with_prefix(float(self.value), self.unit)
        whole = isinstance(self.value, int) and self.value < 1e9
        number = f"{self.value:,d}" if whole else f"{self.value:.3g}"
        return f"{number} {self.unit}".rstrip()


@dataclass(frozen=True)
class Barrier:
    """One of the five barriers between a device and a quantum processor.

    Parameters
    ----------
    name : str
        Its name.
    rows : dict of str to Figure
        The numbers, by what they are.
    words : str
        What they say of this task, in a clause.
    load : float, optional
        The decisive number as a share of its limit: more than 1, and the barrier is not passed.
        None: the barrier has no limit, and decides nothing.
    known_by : str
        How the load is known.
    curves : dict of str to dict
        What the figure shows, by the name of a curve, each with its ``kind``.

    Examples
    --------
    >>> Barrier("noise", {}, "the area falls by 0.02", load=2.0).passed
    False
    """

    name: str
    rows: dict[str, Figure]
    words: str
    load: float | None = None
    known_by: str = MODELLED
    curves: dict[str, dict] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the barrier lets the task through, or decides nothing."""
        return self.load is None or self.load <= 1


_PREFIXES = {-12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def _with_prefix(value: float, unit: str) -> str:
    if not math.isfinite(value) or value == 0:
        return f"{value:g} {unit}"
    power = min(max(3 * math.floor(math.log10(abs(value)) / 3), -12), 9)
    if unit == "s":
        power = min(power, 0)
    return f"{value / 10.0**power:.3g} {_PREFIXES[power]}{unit}"
