"""Steps that end without waiting: the replicas share the sweeps of a step.

The random digits that move past the spins have one temperature at a time for all replicas
(`tensorspin.contract.annealer.thresholds`), so all replicas go on to the next step at once. A
replica that has done the sweeps of a step would have to wait for the slowest one, and whoever waits
does nothing: at 800 spins, and with a step for each sweep, that takes an eighth to a quarter of all
turns.

With shared sweeps a step ends when the replicas *together* have done as many sweeps as all of them
should. A replica that is ahead of the others goes on with the next sweep in their place, at the
step's temperature, and one that is behind goes on with its present sweep at the next temperature.
How many sweeps a replica does at each temperature is random; their sum over all replicas is that of
the schedule, but for those that end in the step's last round. These are counted for the next step.

Sweeps are counted in whole ones of all replicas: a counter of ended sweeps begins anew when it has
come to the number of replicas, which makes one sweep less to do. It goes on over the ends of steps.
The sweeps that end in a round are known in the next one; a step ends with the round in which the
count of those before it has been found to be complete. So a step of one cold sweep, which ends in
one round, takes no other. Without sharing it takes `STEP_ROUNDS`.

The sweeps of the last step are not shared. Each replica does all of them, whatever it has left of
its present sweep counting as the first, and waits for the others. So the states that a run gives
are those at the ends of sweeps, and the last flips have taken effect. A run of one step shares
nothing.

Shared sweeps are for annealing alone:

- How long a replica stays at a temperature depends on how many spins flip, in it and in others. So
  the states follow no distribution, as they would after a fixed number of visits.
- On a ring half of the replicas wait for the others, which is the order of the algorithm.
- An exchange of temperatures needs the energies of two replicas that have both done their sweeps.
"""

from __future__ import annotations

from collections.abc import Sequence

from .size import STEP_ROUNDS, AnnealerSize, Exchange, Moving
from .steps import Step


def check_sharing(steps: Sequence[Step], size: AnnealerSize) -> None:
    """Refuse a schedule whose sweeps the replicas cannot share.

    Parameters
    ----------
    steps : sequence of Step
        The schedule.
    size : AnnealerSize
        Size of the device.

    Raises
    ------
    ValueError
        If the device cannot do it, or in a step some replicas wait, or exchange temperatures.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 2, offset_rows=16, steps=8, shared_sweeps=1)
    >>> check_sharing([Step((30000, 9000), sweeps=3)], size)
    """
    if not size.shared_sweeps:
        raise ValueError("shared_sweeps must be False, the device has no such steps")
    for index, step in enumerate(steps):
        if step.moving is not Moving.ALL or step.exchange is not Exchange.NONE:
            raise ValueError(
                f"with shared sweeps all replicas move and none exchanges its temperature, see "
                f"step {index}"
            )


def least_shared_rounds(steps: Sequence[Step], refresh: int) -> int:
    """Count the rounds that shared sweeps take at least: if no visit is a flip.

    Parameters
    ----------
    steps : sequence of Step
        The schedule.
    refresh : int
        Turns that a replica sits out between two sweeps.

    Returns
    -------
    int
        Number of rounds from the first comparison on.

    Examples
    --------
    >>> steps = [Step((9, 4), sweeps=1), Step((8, 3), sweeps=2), Step((7, 2), sweeps=1)]
    >>> least_shared_rounds(steps, refresh=0)
    6
    """
    shared, last = sum(step.sweeps for step in steps[:-1]), steps[-1].sweeps
    # The last sweep of all replicas ends in one round, and the step in the next.
    return sum((sweeps - 1) * (1 + refresh) + STEP_ROUNDS for sweeps in (shared, last) if sweeps)
