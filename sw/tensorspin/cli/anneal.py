"""The command ``tensorspin anneal``: minimise the Ising or QUBO model of a file on a board.

`anneal_file` does the work from the file to the report; its steps follow in their order.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CapacityError
from ..progress import progress_bar
from .anneal_report import (
    best_state,
    described,
    limits,
    samples,
    times,
    values,
    write_reads,
)
from .anneal_runs import check_limits, sample_within
from .common import URL_HELP, add_model_options, check_output, model_options
from .given_files import MODEL, TABLE, other_command
from .report import Line

if TYPE_CHECKING:
    import dimod

    from ..data.model_files import Answers, KnownValue, Model
    from ..sampling import BoardSampler


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument(
        "file",
        type=Path,
        help="model: a list of edges (G-set, BiqMac, MQLib, Bonn's .mc), .sparse, .bq, .qs or "
        ".qubo, a DIMACS graph, a MatrixMarket file, an LP file, or what dimod has written (BQM or "
        "CQM); may be compressed (xz, gzip, bzip2)",
    )
    parser.add_argument("--board", required=True, metavar="URL", help=URL_HELP)
    add_model_options(parser)
    parser.add_argument(
        "--reads",
        type=int,
        metavar="N",
        help="how many solutions to return; by default one for each replica (copy of the model "
        "that the board anneals at the same time), or one if the model is solved in parts",
    )
    parser.add_argument(
        "--sweeps",
        type=int,
        default=1000,
        metavar="N",
        help="how often each read visits every spin; by default %(default)s",
    )
    parser.add_argument(
        "--beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures, in units of the model, at which annealing begins and ends; by "
        "default derived from the model",
    )
    parser.add_argument(
        "--schedule",
        choices=("geometric", "linear"),
        default="geometric",
        help="how the inverse temperature grows from first to last; by default %(default)s",
    )
    parser.add_argument(
        "--method",
        default="annealing",
        help="annealing, crossover (joins the best parts of short anneals; for grids and planar "
        "graphs), tempering (parallel tempering) or quantum (simulated quantum annealing), "
        "the last two only on boards that have them; by default %(default)s",
    )
    parser.add_argument(
        "--refine",
        choices=("descent", "tabu", "none"),
        default="descent",
        help="what is done with the board's states: steepest descent in the model as given, so "
        "that no flip of one variable improves them, a tabu search after it, or nothing; "
        "by default %(default)s",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="seed of the random numbers: the same seed gives the same reads; by default random",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="S",
        help="stop after so many seconds, also in the middle of a run, with the best found so far; "
        "without --reads, anneal again and again until then (reading the file before, and the "
        "descent after, take their own time)",
    )
    parser.add_argument(
        "--target",
        type=float,
        metavar="E",
        help="stop when a state has this value of the file's objective, or a better one",
    )
    parser.add_argument(
        "--best-only",
        action="store_true",
        help="print, and write with --output, the best state alone",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of best_known.csv, the table of best values known; by default the file's "
        "folder or the one above",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the objective against the time of the run into this file (.png, .svg, .pdf ...)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the states of all reads to this .csv file, the best first",
    )
    parser.set_defaults(command=_anneal)


def _anneal(options) -> int:
    from .figures import check_figure

    # What can be wrong is found out before the board is opened.
    check_limits(options.time_limit, options.target)
    if options.plot is not None and options.time_limit is not None:
        raise ValueError("--plot takes as long as several runs; leave out --time-limit")
    for path in (options.plot, options.output):
        if path is not None:
            check_output(path, options.file)
    if options.plot is not None:
        check_figure(options.plot)
    found = anneal_file(options)
    options.report.record(url=options.board)
    return 0 if found.feasible is None or found.feasible.any() else 1


def anneal_file(options) -> Answers:
    """Solve the model of a file on a board; report, draw and write what is asked for.

    Parameters
    ----------
    options : argparse.Namespace
        The options of the command line.

    Returns
    -------
    Answers
        The reads, in the variables of the file.
    """
    from ..sampling import BoardSampler

    model, known = _read(options)
    with BoardSampler(options.board) as sampler:
        found = _solve(sampler, model, options)
        answers = model.answers(found)
        if options.best_only:
            lines = best_state(model, answers)
        else:
            lines = described(model, sampler, found) + values(model, answers, known) + times(found)
            lines += limits(answers, found, options.time_limit, options.target)
        if options.plot is not None:
            _plot(sampler, model, known, found, options)
            lines.append(Line("plot", options.plot))
    if options.output is not None:
        write_reads(options.output, model, answers, options.best_only)
        lines.append(Line("states", options.output))
    options.report.table(*lines)
    options.report.record(**samples(answers, found, options.best_only))
    return answers


def _read(options) -> tuple[Model, KnownValue | None]:
    """Read the model and the best value known, and check that the options suit them."""
    from ..data.model_files import find_known_value, read_model

    other = other_command(Path(options.file), MODEL, TABLE)
    if other is not None:
        raise ValueError(f"{options.file} is no Ising or QUBO model; {other}")
    model = read_model(options.file, **model_options(options))
    known = find_known_value(options.file, options.data)
    if known is not None and known.objective != model.objective:
        raise ValueError(f"the table has a {known.objective}, the file a {model.objective}")
    if options.method != "annealing" and options.plot is not None:
        raise ValueError(f"--plot shows how annealing goes, not the method {options.method}")
    return model, known


def _solve(sampler: BoardSampler, model: Model, options) -> dimod.SampleSet:
    """Sample the model, in parts if it is larger than what the board holds."""
    from ..sampling import DecomposingSampler

    spins = sampler.properties["annealer"]["spins"]
    refused = _refused(sampler, model)
    parts = refused is not None
    if parts and options.plot is not None:
        count = model.bqm.num_variables
        why = f"has {count} variables and takes several, {spins} at a time"
        if count <= spins:
            why = f"takes several ({refused})"
        raise ValueError(f"--plot shows one run; {model.name} {why}")
    child = DecomposingSampler(sampler) if parts else sampler
    return sample_within(
        child,
        model,
        unit="part" if parts else "read",
        reads=options.reads,
        seed=options.seed,
        time_limit=options.time_limit,
        target=options.target,
        num_sweeps=options.sweeps,
        beta_range=options.beta_range,
        beta_schedule_type=options.schedule,
        method=options.method,
        refine=None if options.refine == "none" else options.refine,
        # The plot shows one anneal, which must be that of a read.
        num_restarts=None if options.plot is None else 1,
    )


def _refused(sampler: BoardSampler, model: Model) -> CapacityError | None:
    """Find out why the board can't hold the model in one piece; None if it can."""
    from ..sampling.prepare import prepare_model

    size = sampler.board.info.annealer
    assert size is not None  # the sampler has refused a board without an annealer
    try:
        prepare_model(model.bqm, list(model.bqm.variables), size)
    except CapacityError as error:
        return error
    return None


def _plot(
    sampler: BoardSampler, model: Model, known: KnownValue | None, found: dimod.SampleSet, options
) -> None:
    """Draw how the objective of all replicas went in the first of the runs that were made."""
    from ..sampling.trace import trace
    from .anneal_figure import draw_trace

    with progress_bar("tracing", "run") as progress:
        # Seed, temperatures and sweeps are those of the run that was made, and give the same run.
        traced = trace(
            sampler,
            model.bqm,
            num_sweeps=options.sweeps,
            beta_range=found.info["beta_range"],
            beta_schedule_type=options.schedule,
            seed=found.info["seed"],
            progress=progress,
        )
    draw_trace(
        options.plot,
        traced,
        model.value,
        title=f"{model.name} on {sampler.board.info.board}",
        objective=model.objective,
        known=None if known is None else known.value,
    )
