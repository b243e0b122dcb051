"""Faults on purpose: single bits of the engines' memories that are flipped."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..contract.annealer.image import AnnealerSpace
from ..contract.contractor.memory import MemorySpace
from ..contract.engine import EngineKind
from ..driver.annealer import AnnealerDriver
from ..driver.board import Board
from ..driver.contractor import ContractorDriver
from ..driver.flips import Place


@dataclass(frozen=True)
class Fault:
    """A bit of a memory that has changed, as radiation does it.

    Parameters
    ----------
    space : MemorySpace or AnnealerSpace
        The memory: of the contractor that of the program (headers and weights), or the feature
        table; of the annealer its couplings, steps, initial states, or ladder.
    address : int
        Byte address in it, from 0.
    bit : int
        Bit of that byte, 0 (least significant) to 7.

    Raises
    ------
    ValueError
        If a number is outside of its range.

    Examples
    --------
    >>> from tensorspin.contract.contractor import MemorySpace
    >>> Fault(MemorySpace.PROGRAM, address=3, bit=7)
    Fault(space=<MemorySpace.PROGRAM: 0>, address=3, bit=7)
    """

    space: MemorySpace | AnnealerSpace
    address: int
    bit: int

    def __post_init__(self) -> None:
        annealers = self.space in set(AnnealerSpace)
        kind = AnnealerSpace if annealers else MemorySpace
        try:
            object.__setattr__(self, "space", kind(self.space))
        except ValueError:
            raise ValueError(
                f"space must be a MemorySpace or an AnnealerSpace, not {self.space!r}"
            ) from None
        if not isinstance(self.bit, Integral) or not 0 <= self.bit <= 7:
            raise ValueError(f"bit must be 0 to 7, not {self.bit!r}")
        if not isinstance(self.address, Integral) or self.address < 0:
            raise ValueError(f"address must be 0 or more, a whole number, not {self.address!r}")


def inject(board: Board, *faults: Fault) -> None:
    """Flip bits in the memory of a board that holds what it works with; the same again undoes it.

    A contractor must have an active program. An annealer must have run a job, and holds what that
    has written, until another job overwrites it. What the host has sent stays what it is, and host
    and board go on as if nothing had happened: the board states the same digest, and the driver
    compares what it always does. So whatever is noticed, would be noticed of a real fault.

    Parameters
    ----------
    board : Board
        An open board, best a virtual one (``golden://``, ``sim://``).
    *faults : Fault
        The bits to flip.

    Raises
    ------
    ValueError
        If an address is beyond the end of its memory, or nothing was written there.
    TensorspinError
        If no program is loaded or no job was run, the board lacks the engine, or is lost.

    Examples
    --------
    A flipped bit of a weight changes the scores, or the board says so itself:

    >>> import numpy as np
    >>> from tensorspin import Board, MPSClassifier
    >>> from tensorspin.contract.contractor import MemorySpace
    >>> from tensorspin.errors import FaultError
    >>> X, y = np.eye(4), [0, 1, 2, 3]
    >>> program = MPSClassifier(4, epochs=5, random_state=0).fit(X, y).quantize()
    >>> with Board.open("golden://icebreaker") as board:
    ...     board.load(program)
    ...     before = board.run(program.levels(X)).scores
    ...     inject(board, Fault(MemorySpace.PROGRAM, address=16, bit=7))
    ...     try:
    ...         right = bool((board.run(program.levels(X)).scores == before).all())
    ...     except FaultError:
    ...         right = False
    >>> right
    False
    """
    with board.exclusive():
        if program := _places(faults, MemorySpace):
            board._driver(EngineKind.CONTRACTOR, ContractorDriver).flip_bits(program)
        if problem := _places(faults, AnnealerSpace):
            board._driver(EngineKind.ANNEALER, AnnealerDriver).flip_bits(problem)


def _places(faults: Sequence[Fault], spaces: type[enum.IntEnum]) -> list[Place]:
    """Give the faults in the memories of one engine."""
    return [(each.space, each.address, each.bit) for each in faults if type(each.space) is spaces]


def sample_faults(
    program: NetworkProgram,
    lanes: int,
    n_faults: int,
    *,
    random_state: int | np.random.Generator | None = None,
) -> list[Fault]:
    """Draw bits that a program uses, each with the same probability, none twice.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    lanes : int
        Lanes of the contractor, ``board.info.contractor.lanes``.
    n_faults : int
        Number of faults; no more than there are bits are drawn.
    random_state : int, Generator or None, default=None
        Where the randomness comes from, as for `numpy.random.default_rng`.

    Returns
    -------
    list of Fault
        The faults: of headers, weights and the feature table, as many of each as chance gives.

    Raises
    ------
    ValueError
        If `n_faults` is negative.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> model = MPSClassifier(4, epochs=1, random_state=0).fit(*load_iris(return_X_y=True))
    >>> len(sample_faults(model.quantize(), lanes=8, n_faults=5, random_state=0))
    5
    """
    if n_faults < 0:
        raise ValueError(f"n_faults must be 0 or more, not {n_faults}")
    sizes = {
        MemorySpace.PROGRAM: len(program.image(lanes)),
        MemorySpace.TABLE: len(program.table_bytes()),
    }
    total = 8 * sum(sizes.values())
    rng = np.random.default_rng(random_state)
    faults = []
    for place in rng.choice(total, min(n_faults, total), replace=False).tolist():
        address, bit = divmod(place, 8)
        space = MemorySpace.PROGRAM
        if address >= sizes[space]:
            address, space = address - sizes[space], MemorySpace.TABLE
        faults.append(Fault(space, address, bit))
    return faults
