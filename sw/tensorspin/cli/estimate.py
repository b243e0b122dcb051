"""The command ``tensorspin estimate``: say what fits a board and how fast it is, without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contract.device.boards import BOARDS
from ..errors import TensorspinError
from .common import DEFAULT_BOARD, add_model_options, model_options, narrow_nodes
from .given_files import MODEL, PROGRAM, TABLE, kind_of_file, load_program, other_command
from .report import Report

if TYPE_CHECKING:
    from ..contract.device.boards import BoardSpec


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument(
        "model",
        nargs="?",
        help="program that tensorspin train has written, or a model file as tensorspin anneal "
        "takes it",
    )
    parser.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        metavar="NAME",
        help="name of the board; by default %(default)s",
    )
    add_model_options(parser)
    parser.set_defaults(command=_estimate)


def _estimate(options) -> int:
    from ..contract.device.boards import find_board

    board = find_board(options.board)
    options.report.record(board=board.name)
    if options.model is None:
        return _describe(board, options.report)
    path, reading = Path(options.model), model_options(options)
    options.report.record(model=path)
    # Otherwise the board would be refused for what nobody has asked of it.
    _check_given(options.model, reading)
    if path.suffix == ".npz" or kind_of_file(path) == PROGRAM:
        _require(board, "contractor")
        return _estimate_program(path, board, options.report)
    _require(board, "annealer")
    return _estimate_model(path, board, options.report, reading)


def _require(board: BoardSpec, engine: str) -> None:
    """Refuse a board that lacks an engine, and name those that have it."""
    try:
        getattr(board, f"require_{engine}")()
    except ValueError as error:
        having = [name for name, row in BOARDS.items() if getattr(row, engine) is not None]
        raise ValueError(f"{error}; boards that have one: {', '.join(having)}") from None


def _check_given(given: str, reading: dict[str, Any]) -> None:
    """Refuse what is no file, or holds something else than a program or a model."""
    path = Path(given)
    if "://" in given:
        raise ValueError(
            f"{given} is a board, which tensorspin info describes; name a program or a model, and "
            f"the kind of board by --board"
        )
    if not path.exists():
        named = f"; did you mean --board {given}?" if given in BOARDS else ""
        raise FileNotFoundError(f"cannot read {given}: there is no such file{named}")
    other = other_command(path, PROGRAM, MODEL)
    if other is not None and not (kind_of_file(path) == TABLE and _is_model(path, reading)):
        raise ValueError(f"{given} is neither a program nor a model; {other}")


def _is_model(path: Path, reading: dict[str, Any]) -> bool:
    """Tell whether a file with the ending of a table is a model."""
    from ..data.model_files import read_model

    try:
        read_model(path, **reading)
    except (ValueError, TensorspinError):
        return False
    return True


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
                "boards": found.boards(width),
            }
            for width in found.widths
        ],
    )
    return 0 if found.fits else 1


def _estimate_program(path: Path, board: BoardSpec, report: Report) -> int:
    """Report whether a program fits the contractor, and how fast it runs."""
    from ..feasibility.programs import estimate_program

    program = load_program(path)
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
    if found.single_cycles is not None:
        report.say(f"  {'cycles of a sample alone, on all groups':<42}{found.single_cycles:>8}")
        microseconds = found.alone_seconds * 1e6
        report.say(f"  {'latency of a sample alone':<42}{microseconds:>8.1f} us {clock}")
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
        single_cycles=found.single_cycles,
        alone_seconds=found.alone_seconds,
        clock_hz=board.clock_hz,
        utilisation=found.utilisation,
        modelled_samples_per_second=found.samples_per_second,
        baud=board.baud,
    )
    return 0 if found.fits else 1
