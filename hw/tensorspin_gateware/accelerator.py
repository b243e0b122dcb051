"""The top of the gateware without pins: link, router and engines, for any board."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import ENGINES
from tensorspin.contract.engine import EngineKind

from .annealer import create_annealer
from .contractor import Contractor
from .link import Link, SPITarget
from .primitives import Family
from .router import Router

COMPONENTS: dict[int, Callable[[Any, Family], wiring.Component]] = {
    EngineKind.CONTRACTOR: Contractor,
    EngineKind.ANNEALER: create_annealer,
}
"""The maker of each engine's component, by `EngineKind`: called with size and family."""


class Accelerator(wiring.Component):
    """A whole device behind its serial line: takes the host's bytes and gives the device's.

    The component knows no pins. A UART's receiver and transmitter stand behind `rx` and `tx` in a
    bitstream, a simulator's byte stream in a virtual board.

    Parameters
    ----------
    board : BoardSpec
        The engines with their sizes, and what the device says of itself.
    build : bytes
        8 bytes that tell this build from others; the device reports them.
    family : Family
        The FPGA family whose memories and multipliers are used; by default behavioural ones, which
        simulate anywhere.

    Ports
    -----
    rx : In(stream of 8)
        Bytes from the host. Always ready, since a serial line cannot wait.
    tx : Out(stream of 8)
        Bytes to the host.
    """

    rx: In(stream.Signature(8))
    tx: Out(stream.Signature(8))

    def __init__(self, board: BoardSpec, build: bytes, family: Family = Family.BEHAVIOURAL):
        self.board = board
        self.build = build
        self.family = family
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        board = self.board
        m.submodules.link = link = Link(board.receive_bytes)
        m.submodules.router = router = Router(board.engines, board.description(self.build).pack())
        wiring.connect(m, wiring.flipped(self.rx), link.rx)
        wiring.connect(m, wiring.flipped(self.tx), link.tx)
        wiring.connect(m, link.requests, router.requests)
        wiring.connect(m, router.replies, link.replies)
        wiring.connect(m, link.reject, router.reject)
        wiring.connect(m, link.counters, router.counters)
        for kind, size in board.engines.items():
            name = ENGINES[kind].name
            m.submodules[name] = engine = COMPONENTS[kind](size, self.family)
            wiring.connect(m, getattr(router, name), engine)

        return m


class SPIAccelerator(wiring.Component):
    """A whole device behind the pins of an SPI target, for simulators that drive pins.

    Parameters
    ----------
    core : amaranth.lib.wiring.Component
        A component with the byte streams `rx` (in) and `tx` (out), such as `Accelerator`.
    target : amaranth.lib.wiring.Component, optional
        The SPI target, by default a new `SPITarget`.

    Ports
    -----
    sck, cs_n, copi : In(1)
        Pins that the controller drives; see `SPITarget`.
    cipo, irq : Out(1)
        Pins that the target drives.
    """

    sck: In(1)
    cs_n: In(1, init=1)
    copi: In(1)
    cipo: Out(1)
    irq: Out(1)

    def __init__(self, core: wiring.Component, target: wiring.Component | None = None) -> None:
        self._core = core
        self._target = SPITarget() if target is None else target
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        m.submodules.target = target = self._target
        wiring.connect(m, target.rx, core.rx)
        wiring.connect(m, core.tx, target.tx)
        m.d.comb += [
            target.sck.eq(self.sck),
            target.cs_n.eq(self.cs_n),
            target.copi.eq(self.copi),
            self.cipo.eq(target.cipo),
            self.irq.eq(target.irq),
        ]
        return m
