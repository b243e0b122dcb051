"""Engines as Verilog modules, for designs of others: without link, router and pins."""

from __future__ import annotations

import re
import textwrap

from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.engine import EngineKind

from ..contractor import Contractor
from ..contractor.interface import ContractorSignature
from ..primitives import Family
from ..spatial import SpatialStream
from . import toolchain


def module_text(board: BoardSpec, name: str) -> str:
    """Write the engine that runs programs on a board as a Verilog module.

    It is made of plain Verilog, so that any synthesis tool can map it. What its ports mean stands
    in a comment above it.

    Parameters
    ----------
    board : BoardSpec
        The board whose engine is meant: its spatial engine, or its contractor.
    name : str
        Name of the module, an identifier of Verilog.

    Returns
    -------
    str
        Verilog.

    Raises
    ------
    ValueError
        If the name is no identifier, or the board has neither engine.
    toolchain.ToolMissing
        If Yosys is missing.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"the name of a Verilog module must be an identifier, not {name!r}")
    component: SpatialStream | Contractor
    if EngineKind.SPATIAL in board.engines:
        size = board.engines[EngineKind.SPATIAL]
        component = SpatialStream(size)
        what = f"A tree tensor network of {size.shape_text}: outputs behind each pair."
        ports = SpatialStream.__doc__
    else:
        component = Contractor(board.require_contractor(), Family.BEHAVIOURAL)
        what = (
            f"The contractor of board {board.name}. The port a.b is called a__b here; directions "
            f"are those of its user, and an In of a stream is an output."
        )
        ports = ContractorSignature.__doc__
    # What the sizes are is settled, so that the description begins with the ports.
    described = re.split(r"\n *(?:Ports|Members)\n *-+\n", ports or "")[-1]
    text = f"{what}\n\n{textwrap.dedent(described)}"
    comment = "\n".join(f"// {line}".rstrip() for line in text.strip().splitlines())
    return f"{comment}\n{toolchain.to_verilog(component, name)}"
