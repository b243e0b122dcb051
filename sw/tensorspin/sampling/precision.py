"""Tell a user whose model loses much by rounding which width or board would keep it."""

from __future__ import annotations

import warnings
from dataclasses import replace

from ..contract.annealer.size import COUPLING_BITS, AnnealerSize
from ..contract.device.boards import BOARDS
from ..errors import CapacityError, PrecisionWarning
from .prepare import Prepared
from .quantise import Quantised, percent, quantise_model

TOLERATED = 0.05
"""Relative error of the energy up to which there is no warning. The error is a mean over all
states; differences between good states are smaller than the energies, so they suffer more."""


def warn_of_rounding(model: Prepared) -> None:
    """Warn if rounding has changed a model much, and say what would help.

    Parameters
    ----------
    model : Prepared
        The model as the device takes it.

    Warns
    -----
    PrecisionWarning
        If the relative error is more than `TOLERATED`.
    """
    quantised = model.quantised
    if quantised.relative_error <= TOLERATED:
        return
    size = quantised.problem.size
    lost = f", {quantised.zeroed} of {quantised.coefficients} coefficients become zero"
    warnings.warn(
        f"rounding to couplings of {size.coupling_bits} bits changes the energy by "
        f"{percent(quantised.relative_error)} in the mean{lost if quantised.zeroed else ''}: the "
        f"best states of the device need not be those of the model. {_remedy(model)}",
        PrecisionWarning,
        stacklevel=3,  # the caller of the sampler's `sample`
    )


def warn_of_error(relative_error: float) -> None:
    """Warn if a part of a model was changed much by rounding.

    Parameters
    ----------
    relative_error : float
        Greatest relative error of all parts.

    Warns
    -----
    PrecisionWarning
        If the error is more than `TOLERATED`.
    """
    if relative_error > TOLERATED:
        warnings.warn(
            f"rounding changes the energy of a part by up to {percent(relative_error)} in the "
            f"mean: take a board with wider couplings, or a smaller size of the parts",
            PrecisionWarning,
            stacklevel=3,  # the caller of the sampler's `sample`
        )


def _remedy(model: Prepared) -> str:
    """Say which width, and which board, keeps the error within `TOLERATED`."""
    size, count = model.quantised.problem.size, len(model.variables)
    for bits in range(size.coupling_bits, COUPLING_BITS[1] + 1):
        if bits not in size.coupling_widths:
            continue  # an engine with a window is not built with all widths
        # A field is a sum of one coupling for each variable, and the linear term.
        wider = replace(
            size,
            coupling_bits=bits,
            field_bits=max(size.field_bits, bits + count.bit_length()),
            offset_rows=max(size.offset_rows, 4 * size.spins),
        )
        found = _rounded(model, wider)
        if found is not None and found.relative_error <= TOLERATED:
            return (
                f"{_needed(size, wider)} would keep it within {percent(TOLERATED)}{_built(model)}"
            )
    most = COUPLING_BITS[1]
    return f"Not even {most} bits keep it within {percent(TOLERATED)}: make coefficients more alike"


def _needed(size: AnnealerSize, wider: AnnealerSize) -> str:
    """Name the width that a model needs."""
    if wider.coupling_bits == size.coupling_bits:
        return f"Fields of {wider.field_bits} bits"
    return f"Couplings of {wider.coupling_bits} bits"


def _built(model: Prepared) -> str:
    """Name the boards of the table that keep the error within `TOLERATED`."""
    names = []
    for row in BOARDS.values():
        size = row.annealer
        if size is None or size.spins < len(model.variables):
            continue
        found = _rounded(model, size)
        if found is not None and found.relative_error <= TOLERATED:
            names.append(row.name)
    return f" ({', '.join(names)})" if names else "; no board of the table has them"


def _rounded(model: Prepared, size: AnnealerSize) -> Quantised | None:
    """Round a model for another size; None if it does not fit."""
    if size == model.quantised.problem.size:
        return model.quantised
    try:
        return quantise_model(model.rest, model.variables, size)
    except CapacityError:
        return None
