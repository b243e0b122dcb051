"""The ECP5's multiplier, MULT18X18D, with the two registers that all multiplications here have."""

from __future__ import annotations

from amaranth import C, Cat, ClockSignal, Instance, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

FACTOR_BITS = 18
"""Greatest width of the cell's factors, in bits."""

PRODUCT_BITS = 2 * FACTOR_BITS
"""Width of the cell's product, in bits."""

REGISTERS = 2
"""Clock cycles from the factors to the product: the registers that are on."""


class RegisteredMultiplier(wiring.Component):
    """Multiplies two signed numbers, one product a cycle.

    The cell's input registers hold the factors, its output register the product. The pipeline
    register between them stays off: a product takes less than 4 ns (Project Trellis' timing of
    speed grade 6), which is enough for the clocks used here; nextpnr does not check this path.

    Parameters
    ----------
    left, right : int
        Widths of the factors, at most `FACTOR_BITS`.

    Ports
    -----
    left : In(signed(left))
        The first factor.
    right : In(signed(right))
        The second factor.
    product : Out(signed(left + right))
        Their product.

    Latency: `REGISTERS` cycles. Resources: one MULT18X18D.

    Raises
    ------
    ValueError
        If a factor is too wide.
    """

    def __init__(self, left: int, right: int) -> None:
        for width in (left, right):
            if width > FACTOR_BITS:
                raise ValueError(f"a factor has {FACTOR_BITS} bits at most, not {width}")
        super().__init__(
            {
                "left": In(signed(left)),
                "right": In(signed(right)),
                "product": Out(signed(left + right)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        left, right = Signal(signed(FACTOR_BITS)), Signal(signed(FACTOR_BITS))
        product = [Signal(name=f"product_{bit}") for bit in range(PRODUCT_BITS)]
        m.d.comb += [
            left.eq(self.left),
            right.eq(self.right),
            self.product.eq(Cat(product)),
        ]
        m.submodules.dsp = Instance(
            "MULT18X18D",
            **{
                f"p_REG_{register}_CLK": "CLK0" if used else "NONE"
                for register, used in (
                    ("INPUTA", True),
                    ("INPUTB", True),
                    ("INPUTC", False),
                    ("PIPELINE", False),
                    ("OUTPUT", True),
                )
            },
            # The registers must not depend on whether the design drives the global set/reset.
            p_GSR="DISABLED",
            i_CLK0=ClockSignal(),
            i_CE0=C(1, 1),
            i_RST0=C(0, 1),
            i_SIGNEDA=C(1, 1),
            i_SIGNEDB=C(1, 1),
            # The factors come from the fabric, not from the shift register of a neighbouring cell.
            i_SOURCEA=C(0, 1),
            i_SOURCEB=C(0, 1),
            **{f"i_A{bit}": left[bit] for bit in range(FACTOR_BITS)},
            **{f"i_B{bit}": right[bit] for bit in range(FACTOR_BITS)},
            **{f"i_C{bit}": C(0, 1) for bit in range(FACTOR_BITS)},
            **{f"o_P{bit}": product[bit] for bit in range(PRODUCT_BITS)},
        )
        return m
