"""The top of the gateware without pins: link, router and engines, for any board."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import LONG
from tensorspin.contract.contractor.lock import KEY_RECORD
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import ENGINES
from tensorspin.contract.engine import EngineKind

from .annealer import create_annealer
from .contractor import Contractor
from .link import Link, SPITarget
from .link.spi import connect_target
from .primitives import Family
from .primitives.stream_register import connect_streams
from .router import Router
from .router.lock.joined import create_check, is_locked
from .spatial import Spatial

COMPONENTS: dict[int, Callable[[Any, Family, bool], wiring.Component]] = {
    EngineKind.CONTRACTOR: Contractor,
    EngineKind.ANNEALER: create_annealer,
    EngineKind.SPATIAL: Spatial,
}
"""The maker of each engine's component, by `EngineKind`: called with size, family, and whether the
engine's memories stand by while nobody uses them."""


def is_staged(board: BoardSpec) -> bool:
    """Tell whether registers cut the long paths of a board's link and router.

    They do where the contractor's pipeline is long, since logic is slow there: a LUT of the iCE40
    UltraPlus takes 1.2 ns, and the wire to the next one about 2 ns.

    Parameters
    ----------
    board : BoardSpec
        The board.

    Returns
    -------
    bool
        Whether they do.
    """
    return board.contractor is not None and board.contractor.latencies is LONG


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
    standby : bool, default=False
        Whether memories stand by while nobody uses them; only with a family whose memories can,
        `Family.standby`.
    record, key_port
        As for `tensorspin_gateware.router.lock.ChaskeyEngine`, if the contractor is locked.

    Ports
    -----
    rx : In(stream of 8)
        Bytes from the host. Always ready, since a serial line cannot wait.
    tx : Out(stream of 8)
        Bytes to the host.
    key : In(8 * KEY_RECORD.size)
        Only with `key_port`, and if the contractor is locked: the key's record.
    """

    def __init__(
        self,
        board: BoardSpec,
        build: bytes,
        family: Family = Family.BEHAVIOURAL,
        standby: bool = False,
        record: bytes | None = None,
        key_port: bool = False,
    ):
        self.board = board
        self.build = build
        self.family = family
        self.standby = standby
        self._record = record
        self._key_port = key_port and is_locked(board.engines)
        ports = {"rx": In(stream.Signature(8)), "tx": Out(stream.Signature(8))}
        super().__init__(ports | ({"key": In(8 * KEY_RECORD.size)} if self._key_port else {}))

    def elaborate(self, platform):
        m = Module()

        board = self.board
        staged = is_staged(board)
        check = create_check(board.engines, self._record, self._key_port)
        if check is not None and self._key_port:
            m.d.comb += check.key.eq(self.key)
        m.submodules.link = link = Link(board.receive_bytes, staged)
        m.submodules.router = router = Router(
            board.engines,
            board.description(self.build).pack(),
            self.standby,
            staged,
            check,
        )
        wiring.connect(m, wiring.flipped(self.rx), link.rx)
        # The order decides names in the netlist: another one would change the digests of all rows.
        for name, source, target in (
            ("sent", link.tx, wiring.flipped(self.tx)),
            ("requests", link.requests, router.requests),
            ("replies", router.replies, link.replies),
        ):
            connect_streams(m, name, source, target, staged)
        wiring.connect(m, link.reject, router.reject)
        wiring.connect(m, link.counters, router.counters)
        for kind, size in board.engines.items():
            name = ENGINES[kind].name
            m.submodules[name] = engine = COMPONENTS[kind](size, self.family, self.standby)
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
        wires = {name: getattr(self, name) for name in ("sck", "cs_n", "copi", "cipo")}
        connect_target(m, self._core, self._target, **wires)
        m.d.comb += self.irq.eq(self._target.irq)
        return m
