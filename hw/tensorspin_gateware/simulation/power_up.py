"""A component as it is after its reset, which a simulation need not go through.

A register's initial value is that which a reset gives it. So a simulation that starts with the
initial values may leave the reset out, and all logic that looks at it. This makes a virtual board
nearly twice as fast: Verilator evaluates whatever depends on an input whenever a simulation gives
it inputs, twice a cycle, and on the reset's input depends what every register becomes.
"""

from __future__ import annotations

from amaranth import ClockDomain, Elaboratable, Fragment, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class PoweredUp(Elaboratable):
    """A component without the reset of its clock domain ``sync``.

    It has the same ports, and `clk` instead of those that Amaranth would make for the domain. The
    names of signals and submodules stay the same.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        The component. It must not ask for ``ResetSignal()``.

    Attributes
    ----------
    signature : amaranth.lib.wiring.Signature
        That of the component, with `clk`.
    clk : Signal, in
        The clock of the domain ``sync``.
    """

    def __init__(self, component: wiring.Component) -> None:
        self._component = component
        self.signature = wiring.Signature({**component.signature.members, "clk": In(1)})
        self.clk = Signal()
        for name in component.signature.members:
            setattr(self, name, getattr(component, name))

    def elaborate(self, platform) -> Fragment:
        fragment = Fragment.get(self._component, platform)
        domain = ClockDomain("sync", reset_less=True)
        domain.clk = self.clk
        fragment.add_domains(domain)
        return fragment
