"""From a fitted estimator to the accelerator: its quantised program, and a board that runs it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..compiler.capacity import program_words
from ..compiler.categories import Categories
from ..compiler.knots import Knots
from ..compiler.mixed_bits import mixed_bits
from ..compiler.network_program import NetworkProgram
from ..compiler.nodes import FloatNode
from ..compiler.outputs import Regression, Task
from ..compiler.protect import bits_to_protect, protected
from ..compiler.quantise import check_weight_bits
from ..compiler.sample_rounding import rounded_for_samples
from ..compiler.scaling import rounded_levels
from ..contract.contractor.rows import Mode, check_mode
from ..contract.device.boards import find_board
from ..contract.fixed import NARROW_WEIGHT, WEIGHT
from ..driver.board import Board
from ..driver.pool.backend import PooledBoards
from .board_estimator import BoardEstimator, OnFault, check_on_fault
from .feature_maps import FeatureMap
from .folding import Step

SAMPLES_TO_ROUND_FOR = 512
"""Most training samples of which a fitted estimator keeps the levels, one byte a feature."""


class DeployableMixin:
    """The methods `quantize` and `deploy` of an estimator whose network a board can contract.

    Subclasses define `_nodes`, `_task` and `_deployed_type`.
    """

    feature_map_: FeatureMap
    feature_minimum_: np.ndarray
    feature_maximum_: np.ndarray
    feature_knots_: Knots | None = None
    """Estimators that were pickled by an earlier version have a linear scale."""

    feature_range: object

    board: str | None = None
    """Name of the board that the network is made for, if it is made for one."""

    weight_bits: int | None = None
    """Bits of the weights that the network is trained for; None in estimators that train with real
    numbers only."""

    missing: str
    _categories: Categories | None

    _levels_to_round_for: np.ndarray | None = None
    """Levels of training samples, ndarray of uint8 of shape (n_samples, n_features). Estimators
    that were pickled by an earlier version have none."""

    _deployed_type: type[BoardEstimator]
    """The class of the same estimator on a board."""

    def quantize(
        self,
        weight_bits: int | Literal["auto"] | None = None,
        *,
        board: str | None = None,
        protect: bool = False,
    ) -> NetworkProgram:
        """Round the network to the accelerator's number formats.

        Parameters
        ----------
        weight_bits : None, 8, 4 or "auto", default=None
            Bits of the weights. None: those that the network was trained for; else "auto" if the
            estimator has a `board`, and 8 if not. "auto": 8,
            but 4 for as many nodes as it takes to fit `board`, beginning with those that lose
            least; see `tensorspin.compiler.mixed_bits`. A network that was not trained for weights
            of 4 bits is rounded so that its results change least for some of the training samples;
            see `tensorspin.compiler.sample_rounding`.
        board : str, optional
            Name of a board, such as "icebreaker", for "auto", and for nothing else; by default that
            of the estimator.
        protect : bool, default=False
            Whether weights are stored with a code each, so that a board corrects bits that change
            in its memory. They have 4 bits then, and take as much memory as weights of 8 bits; the
            board needs a bitstream that corrects them (`ContractorSize.protected`).

        Returns
        -------
        NetworkProgram
            The network in integers. It can be saved, loaded, run on the golden model and on a
            board.

        Raises
        ------
        ValueError
            If `weight_bits` is none of these values, or not 4 (or None) with `protect`, if `board`
            is no name of a board, or if only
            one of ``weight_bits="auto"`` and `board` is given.
        CapacityError
            If there are more features or outputs than any device takes; with "auto", if even
            weights of 4 bits do not fit the board.
        """
        check_is_fitted(self)
        if protect:
            return protected(self.quantize(bits_to_protect(weight_bits, board)))
        check_weight_bits(weight_bits, "weight_bits", None, "auto")
        if weight_bits is None and board is None and self.weight_bits is None and self.board:
            weight_bits = "auto"
        if weight_bits == "auto" and board is None:
            board = self.board
        if (weight_bits == "auto") != (board is not None):
            raise ValueError(
                f'weight_bits="auto" and the name of a board belong together, not weight_bits='
                f"{weight_bits!r} and board={board!r}"
            )
        if weight_bits is None:
            weight_bits = self.weight_bits or WEIGHT.width
        # 8 bits round any network well enough; 4 bits only one that was trained for them.
        as_trained = weight_bits in (self.weight_bits, WEIGHT.width)
        levels = self._levels_to_round_for
        nodes = self._nodes()
        size = None if board is None else find_board(board).require_contractor()
        if size is not None:
            # A board with room gets the same program as without its name.
            words = program_words([item.node for item in nodes], size.lanes)
            as_trained = as_trained or words <= size.model_words
        if not as_trained and (size is not None or levels is None):
            nodes = self._tough_nodes()
        table, task = self.feature_map_.table(), self._task()
        bits = [int(weight_bits)] * len(nodes) if size is None else mixed_bits(nodes, size)
        if not as_trained and levels is not None and NARROW_WEIGHT.width in bits:
            scaled = isinstance(task, Regression)
            nodes = rounded_for_samples(nodes, table, levels, bits, scaled)
        return NetworkProgram.from_nodes(
            nodes,
            table,
            feature_minimum=self.feature_minimum_,
            feature_maximum=self.feature_maximum_,
            clip=self.feature_range is None,
            task=task,
            feature_names=getattr(self, "feature_names_in_", None),
            knots=self.feature_knots_,
            missing=self.missing == "level",
            categories=self._categories,
            weight_bits=bits,
        )

    def _keep_levels(self, X: np.ndarray) -> None:
        """Keep levels of training samples, for which weights may be rounded later."""
        count = min(len(X), SAMPLES_TO_ROUND_FOR)
        chosen = X[np.linspace(0, len(X) - 1, count).astype(int)]
        self._levels_to_round_for = rounded_levels(
            chosen,
            self.feature_minimum_,
            self.feature_maximum_,
            self.feature_knots_,
            self.missing == "level",
        )

    def _unfolded(
        self, weight_bits: int | Literal["auto"] | None, board: str | None
    ) -> tuple[NetworkProgram, list[Step]]:
        """Return the program, and the steps that it needs in front of it, see `folding.fold`."""
        return self.quantize(weight_bits, board=board), []

    def _unfolded_for(self, board: str | Board | PooledBoards) -> tuple[NetworkProgram, list[Step]]:
        """Return the same for a board that may be open, or have no name."""
        return self._unfolded(None, None)

    def deploy(
        self,
        board: str | Board | PooledBoards,
        *,
        on_fault: OnFault | None = None,
        mode: Mode | str | None = None,
    ) -> BoardEstimator:
        """Return the same estimator, predicting on a board; for a pipeline, `tensorspin.deploy`.

        Parameters
        ----------
        board : str or Board
            URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``, or an
            open board.
        on_fault : {None, "raise", "reload"}, default=None
            What becomes of a board that does not answer rightly; see `BoardEstimator`.
        mode : {"throughput", "single"}, optional
            What the groups of the board's contractor do; see `BoardEstimator`.

        Returns
        -------
        BoardEstimator
            A `BoardClassifier`, `BoardRegressor` or `BoardAnomalyDetector`, as the task asks.

        Raises
        ------
        ValueError
            If `mode` is no mode.
        """
        check_on_fault(on_fault)
        return self._deployed_type(self.quantize(), board, on_fault, check_mode(mode))

    @abstractmethod
    def _nodes(self) -> list[FloatNode]:
        """Return the fitted network as bilinear nodes in the order of their execution."""

    def _tough_nodes(self) -> list[FloatNode]:
        """Return the network in a form that rounding to 4 bits harms less, if there is one."""
        return self._nodes()

    @abstractmethod
    def _task(self) -> Task:
        """Return what the network's scores mean."""
