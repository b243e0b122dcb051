"""The command ``tensorspin estimate``: say what fits a board and how fast it is, without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from .common import DEFAULT_BOARD, add_model_options, model_options, narrow_nodes
from .report import Report

if TYPE_CHECKING:
    from ..contract.device.boards import BoardSpec


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    estimate = commands.add_parser(
        "estimate",
        help="say whether a program fits a board and how fast it is, or how exactly an Ising or "
        "QUBO model fits; without a model, what the board's engines hold",
    )
    estimate.add_argument(
        "model",
        type=Path,
        nargs="?",
        help="program that tensorspin train has written, or a model file as tensorspin anneal "
        "takes it",
    )
    estimate.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        metavar="NAME",
        help="name of the board; by default %(default)s",
    )
    add_model_options(estimate)
    estimate.set_defaults(command=_estimate)


def _estimate(options) -> int:
    from ..contract.device.boards import find_board

    board = find_board(options.board)
    options.report.record(board=board.name)
    if options.model is None:
        return _describe(board, options.report)
    options.report.record(model=options.model)
    if not options.model.exists():  # or the board would be refused for what nobody has asked of it
        raise FileNotFoundError(f"cannot read {options.model}: there is no such file")
    if _is_program(options.model):
        return _estimate_program(options.model, board, options.report)
    return _estimate_model(options.model, board, options.report, model_options(options))


def _is_program(path: Path) -> bool:
    """Tell a program, which is a .npz file and so a zip archive, from a model file."""
    if path.suffix == ".npz":
        return True
    # A pipe can be read only once, by whoever reads the model.
    if not path.is_file() or not is_zipfile(path):
        return False
    # A model with constraints is a zip archive too, behind a few bytes of dimod's own.
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _describe(board: BoardSpec, report: Report) -> int:
    """Report what the engines of a board hold."""
    from ..feasibility.describe import engine_rows, engine_values

    report.say(f"{board.title}, {board.clock_hz / 1e6:g} MHz")
    report.table(*engine_rows(board))
    report.record(title=board.title, clock_hz=board.clock_hz, baud=board.baud)
    report.record(engines=engine_values(board))
    return 0


def _estimate_model(path: Path, board: BoardSpec, report: Report, reading: dict[str, Any]) -> int:
    """Report whether an Ising or QUBO model fits the annealer, and how exactly."""
    from ..feasibility.models import estimate_model

    found = estimate_model(path, board, **reading)
    report.say(f"{path} on {board.title}")
    report.table(*found.rows())
    report.record(
        fits=found.fits,
        variables=found.variables,
        spins=found.size.spins,
        couplings=found.couplings,
        reading=found.reading,
        widths=[
            {
                "bits": width.bits,
                "greatest": width.greatest,
                "relative_error": width.relative_error,
                "spins": width.spins,
                "built": found.is_built(width),
            }
            for width in found.widths
        ],
    )
    return 0 if found.fits else 1


def _estimate_program(path: Path, board: BoardSpec, report: Report) -> int:
    """Report whether a program fits the contractor, and how fast it runs."""
    from ..compiler import NetworkProgram
    from ..feasibility.programs import estimate_program

    program = NetworkProgram.load(path)
    found = estimate_program(program, board)
    report.say(f"{path} on {board.title}")
    for demand in found.demands:
        verdict = "fits" if demand.fits else f"DOES NOT FIT: {demand.advice}"
        report.say(f"  {demand.what:<42}{demand.needed:>8} of {demand.limit:>8}  {verdict}")
    nodes = narrow_nodes(program)
    clock = f"at {board.clock_hz / 1e6:g} MHz"
    report.say(f"  {nodes.name:<42}{nodes.text:>8}")
    report.say(f"  {'cycles per sample':<42}{found.cycles:>8}")
    report.say(f"  {'latency of computing':<42}{found.seconds * 1e6:>8.1f} us {clock}")
    report.say(f"  {'multiplier utilisation':<42}{found.utilisation:>8.1%}")
    report.say(
        f"  {'samples per second':<42}{found.samples_per_second:>8.0f} (modelled, with the line: "
        f"{board.line.describe(board.baud)})"
    )
    report.record(
        fits=found.fits,
        demands=[
            {
                "what": demand.what,
                "needed": demand.needed,
                "limit": demand.limit,
                "fits": demand.fits,
                "advice": demand.advice,
            }
            for demand in found.demands
        ],
        **{nodes.member: nodes.value},
        cycles=found.cycles,
        seconds=found.seconds,
        clock_hz=board.clock_hz,
        utilisation=found.utilisation,
        modelled_samples_per_second=found.samples_per_second,
        baud=board.baud,
    )
    return 0 if found.fits else 1
