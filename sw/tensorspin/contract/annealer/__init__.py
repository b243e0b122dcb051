"""The annealer: what host, golden model and gateware agree on.

The annealer samples the Ising model ``E(s) = sum_i h_i s_i + sum_(i<j) J_ij s_i s_j``, written as
dimod writes it, with spins of +1 and -1. The algorithm is Metropolis' with sequential visits:

- The *local field* of spin i is ``F_i = h_i + sum_j J_ij s_j``. A flip of the spin changes the
  energy by ``dE_i = -2 s_i F_i``, and every other field by ``F_k += -2 J_ki s_i`` (s_i before the
  flip).
- A *sweep* visits the spins in the order of their indices. A *visit* flips the spin if
  ``dE_i <= T e`` for an exponential random number ``e``, that is with probability
  ``min(1, exp(-dE_i / T))``. As ``dE_i / 2`` is an integer, the gateware compares it with the
  integer *threshold* ``floor(T e / 2)``. `tensorspin.contract.annealer.thresholds` describes how
  thresholds are drawn.

Several *replicas* of the problem, copies with states of their own, are annealed at the same time.

*Turns.* All spins of a replica are compared with their thresholds in one cycle, its *turn*, and the
first spin that accepts is flipped. That completes all visits up to the flip: the visits in between
are rejections and cost nothing. The next turn of the replica begins after the flipped spin; a turn
without a flip ends the sweep. A sweep therefore takes one turn more than it flips spins. The
replicas take turns, one a cycle; a *round* is one turn of each replica, so it lasts as many cycles
as there are replicas.

*Steps.* The schedule is a list of steps, each with one temperature and a number of sweeps. All
replicas work on the same step: a replica that has done its sweeps waits for the others, or goes on
sweeping in their place (`tensorspin.contract.annealer.sharing`).

*Ring.* In a step only the even or only the odd replicas may move (`Moving`). Then the replicas can
be coupled along a *ring*, in which the first replica follows on the last. A visit that would flip a
spin fails with the step's ring probability if the spin equals the same spin of both neighbouring
replicas, which do not move. That is Metropolis' algorithm with one factor for the problem and one
for the ring: each factor is in detailed balance by itself, and a flip needs the consent of both
(M. Michel, S. C. Kapfer and W. Krauth, J. Chem. Phys. 140, 054116, 2014). With it the replicas can
serve as Trotter slices (`tensorspin.contract.annealer.transverse`).

*Windows.* A small build compares the spins of one *window* after another instead of all spins in
one cycle; a turn then takes several cycles (`tensorspin.contract.annealer.windows`).

*Tempering.* With parallel tempering (`tensorspin.contract.annealer.tempering`) each replica has a
temperature of its own, and replicas exchange their temperatures after a step.

*Place of a problem.* A problem with n variables uses the last n spins; the other spins are never
visited.

*Fill.* Rounds before the first comparison bring thresholds, fields and states to their start. In
the first rounds one *offset row* each is added to the fields of all replicas, until the fields are
those of a state in which all spins are positive. If the replicas begin in other states, a round for
each variable follows, in which those replicas flip it that begin with it negative.
`AnnealerSize.fill_rounds` counts these rounds.

================ ============================================================
module           subject
================ ============================================================
`size`           sizes of a build, number formats, latencies
`thresholds`     random digits: sequences of samples, generators, seeds
`steps`          the schedule: temperatures as probabilities of these digits
`sharing`        steps whose sweeps the replicas share
`transverse`     schedules of simulated quantum annealing
`tempering`      schedules and ladders of parallel tempering
`windows`        builds that compare one window of spins after another
`problem`        the Ising problem in integers
`image`          the device's memories by byte
`job`            problem, schedule and seed of one run
`results`        what a run gives
`signature`      the check of the memories after a run
================ ============================================================
"""

from __future__ import annotations

from .job import AnnealJob
from .problem import IsingProblem
from .results import AnnealResults
from .size import AnnealerSize, Exchange, Moving
from .steps import Step, highest_temperature, schedule
from .tempering import Ladder, ladder, tempering_schedule
from .transverse import transverse_schedule

__all__ = [
    "AnnealJob",
    "AnnealResults",
    "AnnealerSize",
    "Exchange",
    "IsingProblem",
    "Ladder",
    "Moving",
    "Step",
    "highest_temperature",
    "ladder",
    "schedule",
    "tempering_schedule",
    "transverse_schedule",
]
