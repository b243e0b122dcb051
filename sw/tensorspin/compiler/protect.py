"""Protect the weights of a program against bits that change in a board's memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from ..contract.fixed import NARROW_WEIGHT
from .device_program import DeviceProgram

Program = TypeVar("Program", bound=DeviceProgram)
"""The type of a program: the protected one is of the same."""


def bits_to_protect(weight_bits: int | str | None, board: str | None) -> int:
    """Choose the bits of weights that are to be protected: always 4.

    Parameters
    ----------
    weight_bits : None, 8, 4 or "auto"
        What the user has asked for; None leaves the choice.
    board : str or None
        The board for which the user lets bits be chosen.

    Returns
    -------
    int
        The bits, 4.

    Raises
    ------
    ValueError
        If the user has asked for something else.

    Examples
    --------
    >>> bits_to_protect(None, None)
    4
    """
    if weight_bits not in (None, NARROW_WEIGHT.width) or board is not None:
        given = f"weight_bits={weight_bits!r}" + (f" and board={board!r}" if board else "")
        raise ValueError(
            f"protect=True needs weights of {NARROW_WEIGHT.width} bits, whose codes take the other "
            f"half of each byte, not {given}; give weight_bits={NARROW_WEIGHT.width} alone"
        )
    return NARROW_WEIGHT.width


def protected(program: Program) -> Program:
    """Store the weights of 4 bits with a code each, and the headers, too.

    The program computes the same, takes as much memory as with weights of 8 bits, and needs a
    device with `tensorspin.contract.contractor.ContractorSize.protected`. Nodes of 8 bits, such as
    those that add the networks of an ensemble, stay as they are: changed bits of their weights are
    not corrected.

    Parameters
    ----------
    program : NetworkProgram
        A program with weights of 4 bits.

    Returns
    -------
    NetworkProgram
        The protected program, without tags for locked boards, which have to be made anew.

    Raises
    ------
    ValueError
        If no node has weights of 4 bits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> model = MPSClassifier(4, epochs=1, random_state=0).fit(*load_iris(return_X_y=True))
    >>> program = model.quantize(weight_bits=4)
    >>> safe = protected(program)
    >>> safe.protected, safe.words(8) == model.quantize(weight_bits=8).words(8)
    (True, True)
    """
    if not any(node.few_bits for node in program.nodes):
        raise ValueError(
            f"no weights can be protected: none has {NARROW_WEIGHT.width} bits; quantize with "
            f"weight_bits={NARROW_WEIGHT.width}"
        )
    nodes = tuple(
        replace(node, narrow=False, protected=True) if node.narrow else node
        for node in program.nodes
    )
    changes: dict[str, Any] = {"nodes": nodes}
    if getattr(program, "lock", None) is not None:
        changes["lock"] = None
    return replace(program, **changes)
