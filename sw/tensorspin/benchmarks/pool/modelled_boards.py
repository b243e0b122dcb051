"""Boards that sleep for as long as a board and its line would take, and answer what is known."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...contract.contractor.results import ContractorResults
from ...contract.device.boards import find_board
from ...driver.board import Board
from ...driver.pool.crew import Crew
from ...driver.pool.member import Member

if TYPE_CHECKING:
    from ...compiler.network_program import NetworkProgram


@dataclass(frozen=True)
class PieceModel:
    """What a piece of work takes a board.

    Parameters
    ----------
    board : str
        Name of the board.
    seconds : float
        Time on the line and in the engine, modelled.
    results : ContractorResults
        The answers, computed before.
    """

    board: str
    seconds: float
    results: ContractorResults


def piece_model(board: str, program: NetworkProgram, levels: np.ndarray) -> PieceModel:
    """Find out what a piece takes, by the golden model's clock.

    Parameters
    ----------
    board : str
        Name of the board.
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The samples of the piece.

    Returns
    -------
    PieceModel
        Time and answers.
    """
    with Board.open(f"golden://{board}") as golden:
        golden.load(program)
        begun = golden.seconds
        golden.load(program)  # asks whether the board still holds the program
        results = golden.run(levels)
        return PieceModel(board, golden.seconds - begun, results)


class ModelledBoard:
    """A board that sleeps instead of computing.

    Parameters
    ----------
    model : PieceModel
        What a piece takes.
    """

    def __init__(self, model: PieceModel) -> None:
        self._model = model
        self.info = find_board(model.board).description(bytes(8))

    def check(self, program: NetworkProgram) -> None:
        """Accept any program."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Belong to one thread in any case."""
        return nullcontext()

    def load(self, program: NetworkProgram) -> None:
        """Hold any program."""

    def run(self, levels: np.ndarray, **options: Any) -> ContractorResults:
        """Sleep, and give the answers."""
        time.sleep(self._model.seconds)
        return self._model.results

    def close(self) -> None:
        """Do nothing."""


def modelled_crew(model: PieceModel, count: int) -> Crew:
    """Make a crew of modelled boards.

    Parameters
    ----------
    model : PieceModel
        What a piece takes.
    count : int
        Number of boards.

    Returns
    -------
    Crew
        The crew, with a thread for each.
    """
    opened = partial(cast(type[Board], ModelledBoard), cast(Any, model))
    return Crew([Member(f"modelled {number}", opened) for number in range(count)])
