"""The results of a run of the annealer, and the bytes in which the device holds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .image import RESULT_HEADER
from .problem import IsingProblem


@dataclass(frozen=True, eq=False)
class AnnealResults:
    """States and energies of all replicas at the end of a run.

    Parameters
    ----------
    states, best_states : ndarray of int8 of shape (replicas, n)
        The last state of each replica, and the state of lowest energy that it has met (the first
        one, if it has met several).
    energies, best_energies : ndarray of int64 of shape (replicas,)
        Energies of these states, in units of the couplings.
    ranks : ndarray of int64 of shape (replicas,)
        Rank of each replica on the ladder of temperatures at the end; the number of the replica
        where there is no ladder.
    cycles : int
        Clock cycles from the start of the run to the end of its last round.

    Examples
    --------
    >>> import numpy as np
    >>> states, energies = np.array([[1, -1]], np.int8), np.array([-3])
    >>> AnnealResults(states, states, energies, energies, np.array([0]), cycles=120).cycles
    120
    """

    states: np.ndarray
    best_states: np.ndarray
    energies: np.ndarray
    best_energies: np.ndarray
    ranks: np.ndarray
    cycles: int

    def blocks(self, problem: IsingProblem) -> list[bytes]:
        """Pack the results as they lie in the device's memory.

        A block is `RESULT_HEADER`, the last state, and the best state. A state holds spin 0 in its
        lowest bit, 1 for a negative spin, in whole bytes.

        Parameters
        ----------
        problem : IsingProblem
            The problem whose results these are.

        Returns
        -------
        list of bytes
            One block for each replica, `tensorspin.contract.annealer.image.result_bytes` each.
        """
        # Energies in the device count from the state with all spins positive, in halves.
        origin = problem.energy(np.ones(problem.variables))
        blocks = []
        for replica in range(problem.size.replicas):
            halves = [
                int(energies[replica] - origin) // 2
                for energies in (self.energies, self.best_energies)
            ]
            blocks.append(RESULT_HEADER.pack(*halves, self.cycles, self.ranks[replica]))
            for states in (self.states, self.best_states):
                negative = np.zeros(problem.size.spins, dtype=np.uint8)
                negative[problem.spins] = states[replica] < 0
                blocks[-1] += np.packbits(negative, bitorder="little").tobytes()
        return blocks

    @classmethod
    def unpack(cls, problem: IsingProblem, blocks: Iterable[bytes]) -> AnnealResults:
        """Read the results from the device's blocks: the inverse of `blocks`.

        Parameters
        ----------
        problem : IsingProblem
            The problem that the device has annealed.
        blocks : iterable of bytes
            One block for each replica, in order.

        Returns
        -------
        AnnealResults
            Energies are those that the device states; whether its states have them is not checked.
        """
        size = problem.size
        length = -(-size.spins // 8)
        headers, states = [], []
        for block in blocks:
            headers.append(RESULT_HEADER.unpack_from(block))
            packed = np.frombuffer(block, dtype=np.uint8, offset=RESULT_HEADER.size)
            bits = np.unpackbits(packed.reshape(2, length), axis=1, bitorder="little")
            states.append(1 - 2 * bits[:, problem.spins].astype(np.int8))
        energies, best_energies, cycles, ranks = np.array(headers, dtype=np.int64).T
        origin = problem.energy(np.ones(problem.variables))
        final, best = np.swapaxes(states, 0, 1)
        return cls(
            final, best, origin + 2 * energies, origin + 2 * best_energies, ranks, int(cycles[0])
        )
