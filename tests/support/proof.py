"""Proofs with Yosys and Z3, and the faults that they must find.

A proof is a harness: an Amaranth component around the one under proof. It contains `Assume` for
what the environment of that component keeps to, and `Assert` for what must hold. The harness leaves
its input ports open: they may have any value in each cycle, and what is proved holds for all of
them.

There are two ways to a proof. *Bounded*: the assertions hold in the first cycles after the reset,
whatever the inputs (`Model.holds`). *By induction*: if the assertions hold in some cycles, they
hold in the next (`Model.is_inductive`); together with the first this proves them for all time.

A proof that could not fail would be worthless. So each has *mutants*, copies of the component with
one fault, which it must refute.
"""

from __future__ import annotations

import subprocess
import types
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from amaranth import tracer
from amaranth.back import rtlil
from amaranth.hdl import Assume, Module, Shape, Signal
from amaranth.lib import wiring

from tensorspin_gateware.build import toolchain

TOP = "harness"


@dataclass(frozen=True)
class Mutant:
    """One fault of a component.

    Parameters
    ----------
    old : str
        Text that occurs exactly once in the source of the component's module.
    new : str
        What replaces it.
    """

    old: str
    new: str


SOUND = None
"""In place of a mutant: the component without any fault."""


def variant(module: types.ModuleType, mutant: Mutant | None, **names) -> types.ModuleType:
    """Make another copy of a module.

    Parameters
    ----------
    module : module
        The module of the component under proof.
    mutant : Mutant or None
        Fault to put into the copy.
    **names
        Globals of the copy that are replaced: constants, to make a component smaller than any real
        one, or classes.

    Returns
    -------
    module
        The copy, which is not in `sys.modules`.
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


def recorded(module: types.ModuleType) -> dict[str, list[Signal]]:
    """Let a copy of a module keep the signals that its components make from now on.

    An induction compares the registers inside of a component with its harness. Amaranth lets a
    harness read them, but components do not give them out.

    Parameters
    ----------
    module : module
        A copy of a module, from `variant`.

    Returns
    -------
    dict of str to list of Signal
        Signals by the names that they have in the source, those of one name in the order in which
        they are made.
    """
    signals: dict[str, list[Signal]] = defaultdict(list)

    def keep(make, *arguments, name: str | None = None, **options) -> Signal:
        name = name or tracer.get_var_name(depth=3, default="$signal")
        signals[name].append(make(*arguments, name=name, **options))
        return signals[name][-1]

    class Recording:
        def __new__(cls, *arguments, **options):
            return keep(Signal, *arguments, **options)

        @staticmethod
        def like(*arguments, **options):
            return keep(Signal.like, *arguments, **options)

    module.Signal = Recording
    return signals


@dataclass
class Probes:
    """Signals inside of the component under proof, which assertions of an induction need.

    Parameters
    ----------
    paths : dict of str to str
        Names of these signals after flattening, such as ``dut.decoder.room``, by the input ports of
        the harness that are connected to them.
    cut : list of str
        Names of signals that may have any value, instead of the one that they are driven with. This
        makes a proof easier, and what holds for any value also holds for those that occur.
    several_clocks : list of str
        Names of submodules whose clocks are signals of the harness. A step of the proof is then no
        cycle of theirs, but a moment at which any of these clocks may rise or fall, or none.
    """

    paths: dict[str, str] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    several_clocks: list[str] = field(default_factory=list)


class Model:
    """A harness, converted to a model for Z3.

    Parameters
    ----------
    harness : amaranth.lib.wiring.Component
        The harness; it may have an attribute `probes`.
    folder : Path
        Folder for the files of the model.
    """

    def __init__(self, harness: wiring.Component, folder: Path) -> None:
        text = rtlil.convert(harness, name=TOP)
        (folder / "harness.il").write_text(text)
        probes = getattr(harness, "probes", Probes())
        script = [
            "read_rtlil harness.il",
            f"hierarchy -check -top {TOP}",
            "proc",
            *(f"clk2fflogic {TOP}.{name} {TOP}.{name}.*" for name in probes.several_clocks),
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
            # Memories are small here, and the solver is faster with registers than with arrays.
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
        """Tell whether all assertions hold in the first `cycles` cycles after the reset."""
        return self._solve("-t", str(cycles))

    def is_inductive(self, cycles: int) -> bool:
        """Tell whether the assertions hold in a cycle if they hold in the `cycles` before it."""
        return self._solve("-i", "-t", str(cycles))

    def is_proved(self, cycles: int) -> bool:
        """Tell whether the assertions hold for all time: in the first cycles, and by induction."""
        return self.holds(cycles) and self.is_inductive(cycles)

    def _solve(self, *arguments: str) -> bool:
        checker = self._yosys.with_name(f"{self._yosys.name}-smtbmc")
        answer = subprocess.run(
            # With --presat the solver first checks that the assumptions can be met: assumptions
            # that contradict each other would prove everything.
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
    """Yosys' commands that tie the reset low: the state at power-on is that after a reset."""
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
