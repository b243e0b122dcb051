"""The Ising engine of devices without distributed RAM: one window of spins after another.

`tensorspin.contract.annealer.windows` says in which order it works. `turns` (windows, turns,
rounds, steps),
`lanes` (states, local fields, comparison), `thresholds` (drawn into a ring buffer), `search` (the
first spin of a pass that accepts), `records` (what is kept of each replica), `memories` (what the
host writes), `results` (what it reads). `annealer` joins them.
"""

from .annealer import WindowedAnnealer

__all__ = ["WindowedAnnealer"]
