"""Many boards that are used as one.

`BoardPool` holds boards of this computer, and boards that servers share. `predicting` brings
estimators to whichever boards there are, and `sampling` models of the annealer. Both know nothing
of where the boards are: `tensorspin.distributed` puts those of a cluster of computers behind them.
"""

from __future__ import annotations

from .board_pool import BoardPool

__all__ = ["BoardPool"]
