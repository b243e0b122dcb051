"""The check of a locked contractor within the router's state machine."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Const, Module, Signal, Value

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.wire.packets import Status

from .check import LockCheck


def is_locked(engines: Engines) -> bool:
    """Tell whether the device's contractor runs only what was approved with its key."""
    size = engines.find(ContractorSize)
    return size is not None and size.lock > 0


def create_check(
    engines: Engines, record: bytes | None = None, key_port: bool = False
) -> LockCheck | None:
    """Make the check of a device.

    Parameters
    ----------
    engines : Engines
        The device's engines.
    record, key_port
        As for `tensorspin_gateware.router.lock.ChaskeyEngine`.

    Returns
    -------
    LockCheck or None
        The check; None if no contractor is locked.
    """
    if not is_locked(engines):
        return None
    return LockCheck(engines.require(ContractorSize), record, key_port)


class JoinedLock:
    """What the router asks of the check, and what it gives it; nothing if there is none.

    While an ACTIVATE is executed, the check takes its bytes from the router's state machine, which
    stays in the states in which it takes bytes, and waits there while the memories are read.

    Parameters
    ----------
    m : Module
        The router's module; the check becomes a part of it.
    requests : stream of PacketByte
        Requests, as the router's state machine takes them.
    kind : RequestKind
        Type of the request that is executed.
    check : LockCheck or None
        The check; None if no contractor is locked.

    Attributes
    ----------
    valid : Value
        There is a byte of a request, and it would be taken.
    digest : Value
        It is one of an ACTIVATE's digest, if it is not one of its number of features.
    activates : Value
        At the end of an ACTIVATE the model becomes active.
    """

    def __init__(self, m: Module, requests: Any, kind: Any, check: LockCheck | None) -> None:
        self._check = check
        self._requests = requests
        self._kind = kind
        self.valid: Value = requests.valid
        self.digest = self.activates = kind.activate
        if check is not None:
            m.submodules.lock = check
            self.valid = Signal()
            self.digest, self.activates = kind.activate & check.digest, Const(0)

    def await_verdict(self, m: Module) -> None:
        """Choose the state that follows the last byte of an ACTIVATE, after a choice for others.

        Parameters
        ----------
        m : Module
            The router's module, within its state machine.
        """
        if self._check is not None:
            with m.Elif(self._kind.activate):
                m.next = "VERDICT"

    def add_verdict(self, m: Module, samples: Any, status: Signal) -> None:
        """Add the state in which the verdict is awaited to the state machine.

        Parameters
        ----------
        m : Module
            The router's module, within its state machine.
        samples : interface
            The ports of `RouterSamples`.
        status : Signal
            The answer's status.
        """
        if self._check is None:
            return
        with m.State("VERDICT"):
            with m.If(self._check.done):
                m.next = "REPLY"
                with m.If(self._check.good):
                    m.d.comb += samples.activate.eq(1)
                with m.Else():
                    m.d.comb += samples.deactivate.eq(1)
                    m.d.sync += status.eq(Status.DENIED)

    def connect(
        self, m: Module, fsm: Any, memory: Any, address: Signal, space: Signal, step: Signal
    ) -> None:
        """Connect the check with the finished state machine, over what that does by itself.

        Parameters
        ----------
        m : Module
            The router's module.
        fsm : FSM
            Its state machine.
        memory : interface of MemoryBusSignature
            The contractor's memories.
        address, space : Signal
            What is addressed there.
        step : Signal
            Take the next address.
        """
        check, requests = self._check, self._requests
        if check is None:
            return
        assert (MemorySpace.PROGRAM, MemorySpace.TABLE) == (0, 1)
        takes = (fsm.ongoing("ARGUMENTS") | fsm.ongoing("COPY")) & self._kind.activate
        held = Signal()
        m.d.comb += [
            check.start.eq(fsm.ongoing("LENGTH CHECKED")),
            check.data.eq(requests.payload.data),
            check.valid.eq(requests.valid & takes),
            check.memory_data.eq(memory.read_data),
            check.address.eq(address),
            check.table.eq(space[0]),
            held.eq(takes & ~check.ready),
            self.valid.eq(requests.valid & ~held),
        ]
        with m.If(held):
            m.d.comb += requests.ready.eq(0)
        with m.If(check.step):
            m.d.comb += step.eq(1)
        with m.If(check.clear):
            m.d.comb += [memory.write_enable.eq(1), memory.write_data.eq(0)]
        with m.If(check.rewind):
            m.d.sync += space.eq(check.to_table)
        # The address is 0 in that state anyway; together both are the reset of a register.
        with m.If(check.rewind | fsm.ongoing("FREE")):
            m.d.sync += address.eq(0)
