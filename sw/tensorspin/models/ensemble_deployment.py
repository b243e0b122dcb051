"""From a fitted ensemble to a program and a board: as many of its networks as the board takes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..compiler.network_program import NetworkProgram
from ..compiler.protect import bits_to_protect, protected
from ..compiler.quantise import check_weight_bits
from ..contract.contractor.rows import Mode, check_mode
from ..contract.contractor.size import ContractorSize
from ..contract.device.boards import CONTRACTORS, find_board
from ..contract.fixed import NARROW_WEIGHT, WEIGHT
from ..driver.board import Board
from ..driver.pool.backend import PooledBoards
from ..driver.transports import is_virtual, parse_virtual
from ..errors import CapacityError, CapacityWarning
from .board_estimator import BoardEstimator, OnFault, check_on_fault
from .classifier import NetworkClassifier
from .deployment import DeployableMixin
from .ensemble_program import Copies, EnsembleProgram, fitting
from .folding import Step, fold


class DeployableEnsembleMixin(DeployableMixin):
    """The methods `quantize` and `deploy` of an ensemble of classifiers.

    Subclasses have the attributes below, which `fit` sets, and the parameter `board`.
    """

    board: str | None
    n_features_in_: int
    members_: list[NetworkClassifier]
    """The fitted networks, the best first."""

    member_names_: list[str]
    member_weights_: list[float]
    left_out_: dict[str, str]
    _reference_samples: np.ndarray
    """Training samples to which references are fitted; see `tensorspin.compiler.references`."""

    def quantize(
        self,
        weight_bits: int | Literal["auto"] | None = None,
        *,
        board: str | None = None,
        protect: bool = False,
    ) -> NetworkProgram:
        """Round the networks to the accelerator's number formats, and join them to one program.

        Parameters
        ----------
        weight_bits : None, 8, 4 or "auto", default=None
            Bits of the weights. None: "auto" if the parameter `board` of the ensemble names one,
            else 8. 4: of all nodes but the few that give scores and add them, which keep 8. "auto":
            as many of the best networks as fit the board, with weights of 8 bits, but 4 for as many
            nodes as it takes.
        board : str, optional
            Name of a board, such as "icebreaker", for "auto"; by default the parameter `board`.
        protect : bool, default=False
            Whether weights are stored with a code each, so that a board corrects bits that change
            in its memory. They have 4 bits then, and take as much memory as weights of 8 bits; the
            board needs a bitstream that corrects them (`ContractorSize.protected`). The few
            nodes that keep 8 bits are not protected.

        Returns
        -------
        NetworkProgram
            The ensemble in integers.

        Raises
        ------
        ValueError
            If `weight_bits` is none of these values, or not 4 (or None) with `protect`, if `board`
            is no name of a board, if it is
            missing or not wanted, or if no combination of a feature map's components is positive
            for all values.
        CapacityError
            If there are more features or outputs than any device takes, or not even one network
            fits the board.

        Warns
        -----
        CapacityWarning
            If networks are left out so that the others fit.
        """
        if protect:
            weight_bits = bits_to_protect(weight_bits, board)
        program = self._finished(*self._unfolded(weight_bits, board))
        return protected(program) if protect else program

    def deploy(
        self,
        board: str | Board | PooledBoards,
        *,
        on_fault: OnFault | None = None,
        mode: Mode | str | None = None,
    ) -> BoardEstimator:
        """Return the same classifier, predicting on a board.

        Parameters
        ----------
        board : str or Board
            URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``, or an
            open board. Of a virtual or an open one the size is known: if it is too small for all
            networks, it gets the best of them. For a serial port, `quantize` and the parameter
            `board` do so.
        on_fault : {None, "raise", "reload"}, default=None
            What becomes of a board that does not answer rightly; see `BoardEstimator`.
        mode : {"throughput", "single"}, optional
            What the groups of the board's contractor do; see `BoardEstimator`.

        Returns
        -------
        BoardEstimator
            A `BoardClassifier`.

        Raises
        ------
        ValueError
            If `mode` is no mode.
        CapacityError
            If not even one network fits.

        Warns
        -----
        CapacityWarning
            If networks are left out so that the others fit.
        """
        check_on_fault(on_fault)
        mode = check_mode(mode)
        program = self._finished(*self._unfolded_for(board))
        return self._deployed_type(program, board, on_fault, mode)

    def _finished(self, program: NetworkProgram, steps: list[Step]) -> NetworkProgram:
        """Put steps in front of a program, and give it the names of the columns."""
        program = fold(steps, program) if steps else program
        names = getattr(self, "feature_names_in_", None)
        return replace(
            program,
            feature_names=None if names is None else tuple(map(str, names)),
            categories=self._categories,
        )

    def _unfolded(
        self, weight_bits: int | Literal["auto"] | None, board: str | None
    ) -> tuple[NetworkProgram, list[Step]]:
        check_is_fitted(self)
        check_weight_bits(weight_bits, "weight_bits", None, "auto")
        if weight_bits in (None, "auto") and board is None:
            board = self.board
        if weight_bits is None:
            weight_bits = WEIGHT.width if board is None else "auto"
        if (weight_bits == "auto") != (board is not None):
            raise ValueError(
                f'weight_bits="auto" and the name of a board belong together, not weight_bits='
                f"{weight_bits!r} and board={board!r}"
            )
        size = None if board is None else find_board(board).require_contractor()
        return self._joined(weight_bits, size, str(board))

    def _unfolded_for(self, board: str | Board | PooledBoards) -> tuple[NetworkProgram, list[Step]]:
        unfolded, size = self._unfolded(None, None), _size_of(board)
        if size is not None:
            try:
                unfolded[0].check(size)
            except CapacityError:
                return self._joined("auto", size, "the board")
        return unfolded

    def _joined(
        self, weight_bits: int | Literal["auto"], size: ContractorSize | None, place: str
    ) -> tuple[NetworkProgram, list[Step]]:
        """Return the program of as many networks as fit, and the steps that it needs in front."""
        members = self.members_
        if size is not None:
            n_members, excess = fitting(members, self._reference_samples[:2], [size], True)
            if excess is not None:
                out = ", ".join(self.member_names_[n_members:])
                warnings.warn(
                    f"left out so that the program fits {place}: {out} ({excess})",
                    CapacityWarning,
                    stacklevel=4,
                )
            members = members[:n_members]
        weights = self.member_weights_[: len(members)]
        joint = EnsembleProgram.of(members, self._reference_samples, weights=weights)
        bits = joint.bits(WEIGHT.width if weight_bits == "auto" else weight_bits, size)
        if NARROW_WEIGHT.width in bits:
            joint = EnsembleProgram.of(members, self._reference_samples, bits, weights)
        program = joint.quantised(bits, members[0].feature_range is None, self._task())
        columns = joint.features.columns
        if len(columns) == self.n_features_in_:
            return self._finished(program, []), []
        return program, [Copies(columns, self.n_features_in_, joint.features.missing)]

    def _within_boards(
        self, names: list[str], fitted: Mapping[str, NetworkClassifier]
    ) -> list[str]:
        """Return the first of the networks, as many as fit the parameter `board`, or some board."""
        place = "any board" if self.board is None else self.board
        rows = CONTRACTORS.values() if self.board is None else [find_board(self.board)]
        members = [fitted[name] for name in names]
        sizes = [row.require_contractor() for row in rows]
        try:
            n_members, excess = fitting(
                members, self._reference_samples[:2], sizes, self.board is not None
            )
        except CapacityError as error:
            if self.board is not None:
                raise
            warnings.warn(
                f"the trained network will fit no board: {error}", CapacityWarning, stacklevel=4
            )
            n_members, excess = 1, error
        for name in names[n_members:]:
            self.left_out_[name] = f"it does not fit {place} beside the others: {excess}"
        return names[:n_members]


def _size_of(board: str | Board | PooledBoards) -> ContractorSize | None:
    """Return the size of a board's contractor; None if it is not known, or there is none."""
    if isinstance(board, Board):
        return board.info.contractor
    if isinstance(board, str) and is_virtual(board):
        return parse_virtual(board)[1].contractor
    return None
