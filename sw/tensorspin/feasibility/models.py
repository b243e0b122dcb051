"""What becomes of a model on a board, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path

from ..contract.annealer.size import AnnealerSize
from ..contract.device.boards import BoardSpec
from ..data.model_files import Model, read_model
from ..errors import CapacityError
from ..sampling.binary_model import quantise_model
from ..sampling.quantise import TOLERANCE


@dataclass(frozen=True)
class Width:
    """A width of couplings that a board could be built with.

    Attributes
    ----------
    bits : int
    greatest : int
        Coupling.
    spins : int
        For which the memory of the board's couplings is enough at this width; look-up tables and
        other memories may allow fewer.
    relative_error : float or None
        As in `tensorspin.sampling.quantise.Quantised`; None if the model does not fit.
    """

    bits: int
    greatest: int
    spins: int
    relative_error: float | None


def estimate_widths(model: Model, size: AnnealerSize) -> list[Width]:
    """All widths of couplings for a model, with fields as much wider or narrower.

    Parameters
    ----------
    model : Model
        With at least one variable.
    size : AnnealerSize
        Of the board.

    Raises
    ------
    ValueError
        If a coefficient is not finite.
    """
    memory = size.spins * size.coupling_bits * (size.spins + size.offset_rows)
    variables = list(model.bqm.variables)
    widths = []
    for bits in size.coupling_widths:
        wider = bits - size.coupling_bits
        other = replace(
            size,
            # As many as the model needs: what is told here is the width's part in the rounding.
            spins=max(size.spins, size.spins_for(len(variables))),
            coupling_bits=bits,
            field_bits=size.field_bits + wider,
            strides=(size.strides[-1],) * (size.threshold_bits + wider),
        )
        # Rows are as long as there are spins, and there are as many more for each spin.
        spins = isqrt(memory * size.spins // ((size.spins + size.offset_rows) * bits))
        while size.spins_for(spins) > spins:  # whole windows
            spins -= 1
        try:
            error = quantise_model(model.bqm, variables, other).relative_error
        except CapacityError:
            error = None
        widths.append(Width(bits, other.coupling.maximum, spins, error))
    return widths


def describe_model(path: Path, board: BoardSpec) -> tuple[bool, list[tuple[str, str]]]:
    """What a board makes of the model of a file, in words.

    Parameters
    ----------
    path : Path
        As for `read_model`.
    board : BoardSpec

    Returns
    -------
    bool
        It fits without `DecomposingSampler`.
    list of (str, str)
        A line each.

    Raises
    ------
    ValueError
        If the board has no annealer, or a coefficient is not finite.
    DataError
        If the file can't be read.
    """
    size = board.require_annealer()
    model = read_model(path)
    needed = model.bqm.num_variables
    fits = needed <= size.spins
    parts = "" if fits else ": solved in parts, by DecomposingSampler"
    rows = [
        ("variables", f"{needed} of {size.spins}{parts}"),
        ("couplings", str(model.bqm.num_interactions)),
    ]
    for width in estimate_widths(model, size) if needed else ():
        built = ", this board" if width.bits == size.coupling_bits else ""
        rows.append(
            (
                f"couplings of {width.bits} bits",
                f"-{width.greatest} to {width.greatest}: {_error(width.relative_error)}; "
                f"memory for the couplings of {width.spins} spins{built}",
            )
        )
        fits &= width.relative_error is not None or not built
    return fits, rows


def _error(error: float | None) -> str:
    if error is None:
        return "local fields do not fit"
    return f"quantisation error {error:.2%}" if error > TOLERANCE else "exact"
