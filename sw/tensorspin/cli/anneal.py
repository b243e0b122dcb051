"""The command ``tensorspin anneal``: minimise the Ising or QUBO model of a file on a board.

`anneal_file` does the work from the file to the lines that are printed; its steps follow in their
order.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..files import check_writable, text_file
from ..progress import progress_bar
from .common import URL_HELP
from .report import Line

if TYPE_CHECKING:
    import dimod

    from ..data.model_files import KnownValue, Model
    from ..sampling import BoardSampler


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    anneal = commands.add_parser("anneal", help="minimise an Ising or QUBO model on a board")
    anneal.add_argument(
        "file",
        type=Path,
        help="model: a rudy file (G-set, BiqMac), .qubo, .sparse, or a file that dimod has "
        "written; may be compressed (.xz, .gz, .bz2)",
    )
    anneal.add_argument("--board", required=True, metavar="URL", help=URL_HELP)
    anneal.add_argument(
        "--format",
        help="format of the file: rudy, sparse, qubo, coo or dimod; by default recognised from "
        "its content and suffix",
    )
    anneal.add_argument(
        "--reads",
        type=int,
        metavar="N",
        help="how many solutions to return; by default one for each replica (copy of the model "
        "that the board anneals at the same time), or one if the model is solved in parts",
    )
    anneal.add_argument(
        "--sweeps",
        type=int,
        default=1000,
        metavar="N",
        help="how often each read visits every spin; by default %(default)s",
    )
    anneal.add_argument(
        "--beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures, in units of the model, at which annealing begins and ends; by "
        "default derived from the model",
    )
    anneal.add_argument(
        "--schedule",
        choices=("geometric", "linear"),
        default="geometric",
        help="how the inverse temperature grows from first to last; by default %(default)s",
    )
    anneal.add_argument(
        "--method",
        default="annealing",
        help="annealing, tempering (parallel tempering) or quantum (simulated quantum annealing), "
        "the last two only on boards that have them; by default %(default)s",
    )
    anneal.add_argument(
        "--seed",
        type=int,
        help="seed of the random numbers: the same seed gives the same reads; by default random",
    )
    anneal.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of best_known.csv, the table of best values known; by default the file's "
        "folder or the one above",
    )
    anneal.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the objective against the time of the run into this file (.png, .svg, .pdf ...)",
    )
    anneal.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the states of all reads to this .csv file, the best first",
    )
    anneal.set_defaults(command=_anneal)


def _anneal(options) -> int:
    from .figures import check_figure

    # What can be wrong is found out before the board is opened.
    for path in (options.plot, options.output):
        if path is not None:
            check_writable(path)
    if options.plot is not None:
        check_figure(options.plot)
    options.report.table(*anneal_file(options))
    options.report.record(url=options.board)
    return 0


def anneal_file(options) -> list[Line]:
    """Solve the model of a file on a board, draw and write what is asked for.

    Parameters
    ----------
    options : argparse.Namespace
        The options of the command line.

    Returns
    -------
    list of Line
        Lines of the report.
    """
    from ..sampling import BoardSampler

    model, known = _read(options)
    with BoardSampler(options.board) as sampler:
        found = _solve(sampler, model, options)
        lines = [*_described(model, sampler, found), *_values(model, found, known), *_times(found)]
        if options.plot is not None:
            _plot(sampler, model, known, found, options)
            lines.append(Line("plot", options.plot))
    if options.output is not None:
        _write_reads(options.output, model, found)
        lines.append(Line("states", options.output))
    return lines


def _read(options) -> tuple[Model, KnownValue | None]:
    """Read the model and the best value known, and check that the options suit them."""
    from ..data.model_files import find_known_value, read_model

    model = read_model(options.file, options.format)
    known = find_known_value(options.file, options.data)
    if known is not None and known.objective != model.objective:
        raise ValueError(f"the table has a {known.objective}, the file a {model.objective}")
    if options.method != "annealing" and options.plot is not None:
        raise ValueError(f"--plot shows how annealing goes, not the method {options.method}")
    return model, known


def _solve(sampler: BoardSampler, model: Model, options) -> dimod.SampleSet:
    """Sample the model, in parts if it has more variables than the board has spins."""
    from ..sampling import DecomposingSampler

    spins = sampler.properties["annealer"]["spins"]
    parts = model.bqm.num_variables > spins
    if parts and options.plot is not None:
        raise ValueError(
            f"--plot shows one run; {model.name} has {model.bqm.num_variables} variables and "
            f"takes several, {spins} at a time"
        )
    child = DecomposingSampler(sampler) if parts else sampler
    with progress_bar("annealing", "part" if parts else "read") as progress:
        return child.sample(
            model.bqm,
            num_reads=options.reads,
            seed=options.seed,
            progress=progress,
            num_sweeps=options.sweeps,
            beta_range=options.beta_range,
            beta_schedule_type=options.schedule,
            method=options.method,
            # A read's best state costs the device nothing, whereas its last state may be worse.
            states="best",
        )


def _described(model: Model, sampler: BoardSampler, found: dimod.SampleSet) -> list[Line]:
    """Describe the model, the board, and how the reads were made."""
    from ..sampling.quantise import TOLERANCE

    info, spins = found.info, sampler.properties["annealer"]["spins"]
    size = {"variables": model.bqm.num_variables, "couplings": model.bqm.num_interactions}
    board = sampler.board.info.board
    lines = [
        Line("model", size, ", ".join(f"{count} {name}" for name, count in size.items())),
        Line("board", {"name": board, "spins": spins}, f"{board}, {spins} spins"),
        Line("seed", info["seed"]),
    ]
    if "parts" in info:
        lines.append(Line("parts solved", info["parts"]))
    else:
        first, last = info["beta_range"]
        kind = info["beta_schedule_type"]
        lines += [
            Line("method", info["method"]),
            Line("sweeps", info["num_sweeps"]),
            Line(
                "inverse temperatures",
                [first, last],
                f"{first:.4g} to {last:.4g}, {kind}",
                "beta_range",
            ),
        ]
    if "quantization_error" in info:
        error = info["quantization_error"]["relative_error"]
        shown = f"{error:.2%} of the energy, root mean square" if error > TOLERANCE else 0
        lines.append(Line("quantisation error", error, shown, "quantization_error"))
    return lines


def _values(model: Model, found: dimod.SampleSet, known: KnownValue | None) -> list[Line]:
    """Report the best and the mean value of the reads, beside the best value known."""
    values = model.value(found.record.energy)
    best, mean = values.max() if model.maximised else values.min(), values.mean()
    reached = np.mean(values == best)
    lines = [
        Line(f"best {model.objective}", best, f"{best:.10g}", "best"),
        Line("reads", {"number": len(values), "mean": mean}, f"{len(values)}, mean {mean:.10g}"),
        Line("reads with the best", reached, f"{reached:.1%}"),
    ]
    if known is not None:
        lines.append(
            Line(
                "known",
                {"value": known.value, "status": known.status},
                f"{known.value:.10g}, {known.status}",
            )
        )
        if known.value:
            for name, value in (("best", best), ("mean", mean)):
                share = value / known.value
                lines.append(Line(f"{name}, of the known", share, f"{share:.3%}"))
    return lines


def _times(found: dimod.SampleSet) -> list[Line]:
    """Report the time on the device and on the line; a model solved in parts has no such times."""
    info = found.info
    if "device_time" not in info:
        return []
    device, transfer = info["device_time"], info["transfer_time"]
    shown = f"{device * 1e3:.4g} ms, {device / len(found) * 1e3:.4g} ms a read"
    return [
        Line("time on the device", device, shown, "device_seconds"),
        Line("time of transfers", transfer, f"{transfer * 1e3:.4g} ms", "transfer_seconds"),
    ]


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


def _write_reads(path: Path, model: Model, found: dimod.SampleSet) -> None:
    """Write one line per read, the best first: its value, then the state of each variable."""
    order = np.argsort(found.record.energy, kind="stable")
    with text_file(path) as file:
        writer = csv.writer(file)
        writer.writerow([model.objective, *found.variables])
        for read in order:
            row = found.record[read]
            writer.writerow([f"{model.value(row.energy):.10g}", *row.sample])
