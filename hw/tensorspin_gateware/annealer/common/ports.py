"""Wiring between components whose ports have the same names."""

from __future__ import annotations

from amaranth import Module


def forward(m: Module, source, target, *names: str) -> None:
    """Drive ports of one component with the ports of the same names of another.

    `amaranth.lib.wiring.connect` does that for whole interfaces. Here each part takes some of the
    many signals of another, so that there is no interface to connect.

    Parameters
    ----------
    m : Module
        The statements are added to this module.
    source, target : component or interface
        The signals `names` of `target` become equal to those of `source`.
    *names : str
        Names of ports that both have.
    """
    m.d.comb += [getattr(target, name).eq(getattr(source, name)) for name in names]
