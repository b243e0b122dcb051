"""What becomes of an Ising or QUBO model on a board's annealer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path
from typing import Any

from ..contract.annealer.size import AnnealerSize
from ..contract.device.boards import BOARDS, BoardSpec
from ..contract.engine import EngineKind
from ..data.model_files import Model, read_model
from ..errors import CapacityError
from ..sampling.prepare import prepare_model
from ..sampling.quantise import percent


@dataclass(frozen=True)
class CouplingWidth:
    """A width of couplings that a board's bitstream could be built with, and what a model loses.

    Parameters
    ----------
    bits : int
        Width of a coupling in bits, the sign included.
    greatest : int
        Greatest magnitude of a coupling of that width.
    spins : int
        Number of spins whose couplings fit, at that width, into the memory that the board's
        couplings take now. Look-up tables and other memories may allow fewer.
    relative_error : float or None
        Error that is left when the model's coefficients are rounded to that width, as in
        `tensorspin.sampling.quantise.Quantised`: 0 if every coefficient is exact; None if the model
        does not fit.

    Examples
    --------
    >>> CouplingWidth(bits=4, greatest=7, spins=256, relative_error=0.0).greatest
    7
    """

    bits: int
    greatest: int
    spins: int
    relative_error: float | None


def estimate_widths(model: Model, size: AnnealerSize) -> list[CouplingWidth]:
    """Compare the widths of couplings that a board could be built with, for one model.

    Fields become wider or narrower by as many bits as couplings do.

    Parameters
    ----------
    model : Model
        A model with at least one variable.
    size : AnnealerSize
        Size of the board's annealer.

    Returns
    -------
    list of CouplingWidth
        All widths that the board's kind of annealer can have, in ascending order.

    Raises
    ------
    ValueError
        If a coefficient is not finite.
    CapacityError
        If the model has more variables than the largest board has spins: its couplings, as a full
        matrix, could take all memory.

    Examples
    --------
    >>> import dimod
    >>> from tensorspin.contract.device import find_board
    >>> from tensorspin.data.model_files import Model
    >>> bqm = dimod.BinaryQuadraticModel({}, {("a", "b"): 3, ("b", "c"): 1}, "SPIN")
    >>> size = find_board("ulx3s_25f_annealer").require_annealer()
    >>> for width in estimate_widths(Model("model", bqm, "energy"), size)[:2]:
    ...     print(width.bits, width.greatest, width.relative_error == 0)
    2 1 False
    3 3 True
    """
    most = max(size.spins, *(each.spins for _, each in _annealers()))
    if (needed := model.bqm.num_variables) > most:
        advice = "solve it in parts, with tensorspin.DecomposingSampler"
        raise CapacityError("variables", needed, most, advice)
    memory = size.spins * size.coupling_bits * (size.spins + size.offset_rows)
    variables = list(model.bqm.variables)
    widths = []
    for bits in size.coupling_widths:
        wider = bits - size.coupling_bits
        other = replace(
            size,
            # The annealer gets at least as many spins as the model needs, so that the error shows
            # what the width of the couplings costs, and not that spins are missing.
            spins=max(size.spins, size.spins_for(len(variables))),
            coupling_bits=bits,
            field_bits=size.field_bits + wider,
            strides=(size.strides[-1],) * (size.threshold_bits + wider),
        )
        # A row is as long as there are spins, and the number of rows, offset rows included, is
        # in proportion to the spins: the memory grows with the square of the spins.
        spins = isqrt(memory * size.spins // ((size.spins + size.offset_rows) * bits))
        while size.spins_for(spins) > spins:  # an annealer with windows has whole windows only
            spins -= 1
        try:
            error = prepare_model(model.bqm, variables, other).quantised.relative_error
        except CapacityError:
            error = None
        widths.append(CouplingWidth(bits, other.coupling.maximum, spins, error))
    return widths


@dataclass(frozen=True)
class ModelEstimate:
    """What a board makes of an Ising or QUBO model.

    Parameters
    ----------
    variables, couplings : int
        Size of the model.
    size : AnnealerSize
        Size of the board's annealer.
    widths : list of CouplingWidth
        All widths of couplings that the board could be built with; none for a model without
        variables, and for one of more variables than the largest board has spins.
    reading : str, default=""
        Format of the file, and how it was read; empty if the model is from no file.

    Examples
    --------
    `estimate_model` makes one for a file and a board.

    >>> from tensorspin.contract.device import find_board
    >>> size = find_board("ulx3s_25f_annealer").require_annealer()
    >>> ModelEstimate(variables=3, couplings=2, size=size, widths=[]).fits
    True
    """

    variables: int
    couplings: int
    size: AnnealerSize
    widths: list[CouplingWidth]
    reading: str = ""

    @property
    def fits(self) -> bool:
        """Whether the model fits as it is, without `DecomposingSampler`."""
        return self.variables <= self.size.spins and all(
            width.relative_error is not None for width in self.widths if self.is_built(width)
        )

    def is_built(self, width: CouplingWidth) -> bool:
        """Tell whether the board's bitstream has couplings of a width.

        Parameters
        ----------
        width : CouplingWidth
            One of `widths`.

        Returns
        -------
        bool
            Whether it is the width of this board.
        """
        return width.bits == self.size.coupling_bits

    def boards(self, width: CouplingWidth) -> dict[str, int]:
        """Find the boards whose couplings have a width, and that have a spin for each variable.

        Parameters
        ----------
        width : CouplingWidth
            One of `widths`.

        Returns
        -------
        dict of str to int
            Numbers of their spins, by their names.
        """
        return {
            name: size.spins
            for name, size in _annealers()
            if size.coupling_bits == width.bits and size.spins >= self.variables
        }

    def _larger_boards(self) -> str:
        """Name the boards that would hold the model, or say that there is none."""
        boards = [
            f"{name} ({size.spins})" for name, size in _annealers() if size.spins >= self.variables
        ]
        if boards:
            return f"{', '.join(boards)} would hold it; here it is "
        name, size = max(_annealers(), key=lambda each: each[1].spins)
        return f"no board holds it, {name} has most with {size.spins}; it is "

    def rows(self) -> list[tuple[str, str]]:
        """Say it in words.

        Returns
        -------
        list of (str, str)
            Names and values of quantities, one for each line to print.
        """
        whole = self.variables <= self.size.spins
        parts = "" if whole else f": {self._larger_boards()}solved in parts, by DecomposingSampler"
        rows = [
            ("variables", f"{self.variables} of {self.size.spins}{parts}"),
            ("couplings", str(self.couplings)),
        ]
        if self.reading:
            rows.append(("read as", self.reading))
        for width in self.widths:
            others = ", ".join(f"{name} ({spins})" for name, spins in self.boards(width).items())
            built = "this board" if self.is_built(width) else others
            built = f", {built}" if built else ""
            rows.append(
                (
                    f"couplings of {width.bits} bits",
                    f"-{width.greatest} to {width.greatest}: {_error(width.relative_error)}; "
                    f"memory for the couplings of {width.spins} spins{built}",
                )
            )
        return rows


def estimate_model(path: Path, board: BoardSpec, **reading: Any) -> ModelEstimate:
    r"""Tell what a board makes of the model in a file.

    Parameters
    ----------
    path : Path
        A model file, as `tensorspin.data.model_files.read_model` takes it.
    board : BoardSpec
        Row of the board table.
    **reading
        How the file is read: further arguments of `read_model`.

    Returns
    -------
    ModelEstimate
        Whether the model fits, and how exactly, at each width that the board could have.

    Raises
    ------
    ValueError
        If the board has no annealer, or a coefficient is not finite.
    DataError
        If the file can't be read.

    Examples
    --------
    >>> import tempfile
    >>> from tensorspin.contract.device import find_board
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "triangle.txt"
    ...     _ = path.write_text("3 3\n1 2 1\n2 3 1\n1 3 1\n")
    ...     found = estimate_model(path, find_board("ulx3s_25f_annealer"))
    >>> found.fits, found.rows()[0]
    (True, ('variables', '3 of 256'))
    """
    size = board.require_annealer()
    model = read_model(path, **reading)
    needed = model.bqm.num_variables
    most = max(size.spins, *(each.spins for _, each in _annealers()))
    widths = estimate_widths(model, size) if 0 < needed <= most else []
    told = f"{model.file_format}: {model.reading}"
    return ModelEstimate(needed, model.bqm.num_interactions, size, widths, told)


def _annealers() -> list[tuple[str, AnnealerSize]]:
    """List the boards of the table that have an annealer, with its size."""
    sizes = ((name, board.engines.get(EngineKind.ANNEALER)) for name, board in BOARDS.items())
    return [(name, size) for name, size in sizes if isinstance(size, AnnealerSize)]


def _error(error: float | None) -> str:
    if error is None:
        return "local fields do not fit"
    return f"quantisation error {percent(error)}" if error else "exact"
