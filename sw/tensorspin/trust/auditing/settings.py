"""What an audit does, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

MOST_FLIPS = 100_000
"""Most bits that are flipped at once."""


@dataclass(frozen=True)
class Settings:
    """How much an audit tries. The defaults take about a minute for handwritten digits.

    Parameters
    ----------
    eps_linf, eps_l2 : tuple of float
        Movements that attacks may use, rising, in shares of the columns' spans.
    steps, restarts : int
        Steps of a start of the white-box attack, and its starts.
    queries : int
        Answers that the black-box attack sees of each sample.
    attack_samples : int
        Samples that are attacked, evenly spread over those given; 0: none.
    flips : tuple of int
        Numbers of bits that are flipped at once, rising.
    trials : int
        Draws of each number of bits.
    fault_samples : int
        Samples that are run with each.
    faults : int
        Single bits that are flipped in each region of the memories, to see what is noticed; also
        bounds the search for the worst bits. 0: no faults are tried at all.
    upset_rate : float or None
        Upsets of a bit in a day, from which accuracy over time follows; None: it is left out.
    seed : int
        Seed of all that is drawn.

    Raises
    ------
    ValueError
        If a number is outside of its range.

    Examples
    --------
    >>> Settings(eps_linf=(0.1,), flips=(1, 50)).flips
    (1, 50)
    """

    eps_linf: tuple[float, ...] = (0.05, 0.1, 0.2)
    eps_l2: tuple[float, ...] = (0.25, 0.5, 1.0)
    steps: int = 20
    restarts: int = 3
    queries: int = 200
    attack_samples: int = 100
    flips: tuple[int, ...] = (1, 10, 100, 1000)
    trials: int = 8
    fault_samples: int = 100
    faults: int = 100
    upset_rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("eps_linf", "eps_l2"):
            values = tuple(map(float, getattr(self, name)))
            object.__setattr__(self, name, values)
            if not all(0 < value < float("inf") for value in values) or _falls(values):
                raise ValueError(f"{name} must be rising numbers above 0, not {values}")
        flips = tuple(map(int, self.flips))
        object.__setattr__(self, "flips", flips)
        if not all(1 <= count <= MOST_FLIPS for count in flips) or _falls(flips):
            raise ValueError(f"flips must be rising numbers, 1 to {MOST_FLIPS}, not {flips}")
        for name, least in (
            ("steps", 1),
            ("restarts", 1),
            ("queries", 1),
            ("attack_samples", 0),
            ("trials", 1),
            ("fault_samples", 1),
            ("faults", 0),
            ("seed", 0),
        ):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"{name} must be {least} or more, not {value}")
        rate = self.upset_rate
        if rate is not None and not 0 < rate <= 1:
            raise ValueError(f"upset_rate must be above 0 and at most 1 a bit and day, not {rate}")


def _falls(values: tuple) -> bool:
    return any(second <= first for first, second in zip(values, values[1:]))
