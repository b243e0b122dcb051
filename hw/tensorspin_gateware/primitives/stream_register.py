"""Register in a stream, between two parts that each have logic at their end of it."""

from __future__ import annotations

from typing import Any

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamRegister(wiring.Component):
    """Passes a stream on, such that no path leads through it, in either direction.

    A register that can be filled in the cycle in which it is emptied would need `ready` of its
    output for that of its input, and a chain of such registers is one long path. This one is filled
    while it is empty only. So a word can pass every other cycle, which is enough for bytes of a
    line.

    Parameters
    ----------
    shape : shape-castable
        What the stream carries.

    Ports
    -----
    before : In(stream of `shape`)
        The words; ready while the register is empty.
    after : Out(stream of `shape`)
        The same words, from registers.

    Latency: 1 cycle. Resources: a register for each bit of a word, and one that says whether it
    holds a word.
    """

    def __init__(self, shape: Any) -> None:
        super().__init__(
            {"before": In(stream.Signature(shape)), "after": Out(stream.Signature(shape))}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += self.before.ready.eq(~self.after.valid)
        with m.If(self.before.ready):
            m.d.sync += [
                self.after.valid.eq(self.before.valid),
                self.after.payload.eq(self.before.payload),
            ]
        with m.Elif(self.after.ready):
            m.d.sync += self.after.valid.eq(0)
        return m


def connect_streams(m: Module, name: str, source, target, registered: bool) -> None:
    """Connect two streams, with a register between them if that is wanted.

    Parameters
    ----------
    m : Module
        The connection is added to it.
    name : str
        Name of the register among the module's parts.
    source : stream interface
        Gives words.
    target : stream interface
        Takes words of the same shape.
    registered : bool
        Whether there is a `StreamRegister` between the two.
    """
    if not registered:
        wiring.connect(m, source, target)
        return
    m.submodules[name] = register = StreamRegister(source.payload.shape())
    wiring.connect(m, source, register.before)
    wiring.connect(m, register.after, target)
