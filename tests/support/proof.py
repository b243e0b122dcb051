"""Proofs with Yosys and Z3, and the faults that they must find.

A proof is a harness: an Amaranth component around the one under proof, with `Assume` for what its
environment keeps to and `Assert` for what must hold. What the harness leaves open, its input ports,
may be anything in each cycle.
"""

from __future__ import annotations

import subprocess
import types
from dataclasses import dataclass, field
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Assume, Module, Shape, Signal
from amaranth.lib import wiring

from tensorspin_gateware.build import toolchain

TOP = "harness"


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes
    ----------
    old, new : str
        Text that occurs once in the source of the component under proof, and what replaces it.
    """

    old: str
    new: str


SOUND = None
"""No fault."""


def variant(module: types.ModuleType, mutant: Mutant | None, **names) -> types.ModuleType:
    """Another copy of a module.

    Parameters
    ----------
    module : module
    mutant : Mutant or None
        Fault to put into it.
    **names
        Globals of the copy that are replaced: constants, to make a component smaller than any real
        one, or classes.
    """
    source = Path(module.__file__).read_text()
    if mutant is not None:
        assert source.count(mutant.old) == 1, f"{mutant.old!r} is not once in {module.__name__}"
        source = source.replace(mutant.old, mutant.new)
    copy = types.ModuleType(module.__name__)
    copy.__package__, copy.__file__ = module.__package__, module.__file__
    exec(compile(source, module.__file__, "exec", dont_inherit=True), copy.__dict__)
    for name, value in names.items():
        assert hasattr(copy, name), f"{module.__name__} has no {name}"
        setattr(copy, name, value)
    return copy


@dataclass
class Probes:
    """Signals inside of the component under proof, for invariants.

    Attributes
    ----------
    paths : dict of str
        Their names after flattening, such as ``dut.decoder.room``, by the harness' input ports that
        become equal to them.
    cut : list of str
        Names of signals that take any value instead of the one that they are driven with. What
        holds for any value holds for those that occur.
    """

    paths: dict[str, str] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)


class Model:
    """A harness as Z3 gets it.

    Parameters
    ----------
    harness : amaranth.lib.wiring.Component
        With an attribute `probes` if it has any.
    folder : Path
        For files.
    """

    def __init__(self, harness: wiring.Component, folder: Path) -> None:
        text = rtlil.convert(harness, name=TOP)
        (folder / "harness.il").write_text(text)
        probes = getattr(harness, "probes", Probes())
        script = [
            "read_rtlil harness.il",
            f"hierarchy -check -top {TOP}",
            "proc",
            "flatten",
            f"cd {TOP}",
            *_without_reset(text),
            *(f"cutpoint w:{name}" for name in probes.cut),
        ]
        for port, path in probes.paths.items():
            script += [
                f"select -assert-count 1 w:{path}",
                f"delete -input w:{port}",
                f"connect -nounset -set {port} {path}",
            ]
        script += [
            "cd ..",
            "opt_clean",
            "memory -nordff -nomap",
            "memory_nordff",
            # Registers are easier for the solver than arrays, as small as memories are here.
            "memory_map",
            "async2sync",
            "chformal -lower",
            "opt -fast",
            "dffunmap",
            "select -assert-min 1 t:$assert",
            "write_smt2 -wires model.smt2",
        ]
        self._folder = folder
        self._environment = toolchain.environment()
        self._yosys = Path(toolchain.require("yosys"))
        (folder / "model.ys").write_text("\n".join(script))
        subprocess.run(
            [self._yosys, "-q", "model.ys"], cwd=folder, env=self._environment, check=True
        )

    def holds(self, cycles: int) -> bool:
        """Whether all assertions hold in the first cycles."""
        return self._solve("-t", str(cycles))

    def is_inductive(self, cycles: int) -> bool:
        """Whether the assertions hold in a cycle if they do in so many before it."""
        return self._solve("-i", "-t", str(cycles))

    def is_proved(self, cycles: int) -> bool:
        """Whether the assertions hold for all time: in the first cycles, and by induction."""
        return self.holds(cycles) and self.is_inductive(cycles)

    def _solve(self, *arguments: str) -> bool:
        checker = self._yosys.with_name(f"{self._yosys.name}-smtbmc")
        answer = subprocess.run(
            # Assumptions that contradict each other would prove everything.
            [checker, "-s", "z3", "--presat", *arguments, "model.smt2"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        verdicts = {0: "Status: PASSED", 1: "Status: FAILED"}
        verdict = verdicts.get(answer.returncode, "no verdict")
        print(answer.stdout)  # pytest shows it when a test fails
        assert verdict in answer.stdout, f"the proof broke off:\n{answer.stdout}{answer.stderr}"
        return answer.returncode == 0


def _without_reset(text: str) -> list[str]:
    """Yosys' commands for a harness that is never reset: its power-on state is that of a reset."""
    if r" \rst" not in text:
        return []  # no registers
    return ["delete -input w:rst", "connect -nounset -set rst 1'0"]


def hold_while_stalled(m: Module, check, stream, name: str) -> None:
    """Assert or assume that a stream keeps what it offers until that is taken.

    Parameters
    ----------
    m : Module
    check : type
        `Assert` or `Assume`.
    stream : stream interface
    name : str
    """
    payload = Signal(Shape.cast(stream.payload.shape()), name=f"{name}_was")
    stalled = Signal(name=f"{name}_stalled")
    value = stream.payload if isinstance(stream.payload, Signal) else stream.payload.as_value()
    m.d.sync += [stalled.eq(stream.valid & ~stream.ready), payload.eq(value)]
    with m.If(stalled):
        m.d.comb += check(stream.valid & (value == payload))


def unchanging(m: Module, value, name: str) -> None:
    """Assume that an input of the harness keeps its first value."""
    begun = Signal(name=f"{name}_begun")
    before = Signal(Shape.cast(value.shape()), name=f"{name}_before")
    m.d.sync += [begun.eq(1), before.eq(value)]
    with m.If(begun):
        m.d.comb += Assume(value == before)
