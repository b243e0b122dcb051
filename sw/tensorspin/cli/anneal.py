"""The command ``tensorspin anneal``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..progress import progress_bar
from .common import URL_HELP, check_writable, print_table

if TYPE_CHECKING:
    import dimod

    from ..data.model_files import KnownValue, Model
    from ..sampling import BoardSampler


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    anneal = commands.add_parser("anneal", help="minimise an Ising or QUBO model on a board")
    anneal.add_argument(
        "file", type=Path, help="rudy (G-set, BiqMac), .qubo, .sparse, or a file of dimod"
    )
    anneal.add_argument("--board", required=True, metavar="URL", help=URL_HELP)
    anneal.add_argument(
        "--format", help="rudy, sparse, qubo, coo or dimod; by default as the file looks"
    )
    anneal.add_argument(
        "--reads",
        type=int,
        help="by default as many as the board has replicas; in parts, one",
    )
    anneal.add_argument("--sweeps", type=int, default=1000, help="by default %(default)s")
    anneal.add_argument(
        "--beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures; by default from the model",
    )
    anneal.add_argument(
        "--schedule",
        choices=("geometric", "linear"),
        default="geometric",
        help="geometric (default) or linear in the above",
    )
    anneal.add_argument(
        "--method",
        default="annealing",
        help="annealing (default), or where the board can: tempering, quantum (simulated quantum "
        "annealing)",
    )
    anneal.add_argument("--seed", type=int, help="the same gives the same; by default random")
    anneal.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of a best_known.csv; by default the file's, or the one above",
    )
    anneal.add_argument("--plot", type=Path, help="draw the energy against time into this file")
    anneal.add_argument("--output", type=Path, help="write the states to this .csv file")
    anneal.set_defaults(command=_anneal)


def _anneal(options) -> int:
    from .figures import check_figure

    for path in (options.plot, options.output):
        if path is not None:
            check_writable(path)
    if options.plot is not None:
        check_figure(options.plot)
    print_table(*anneal_file(options))
    return 0


def anneal_file(options) -> list[tuple[str, object]]:
    """Solve the model of a file on a board.

    Parameters
    ----------
    options : argparse.Namespace
        As the command line has them.

    Returns
    -------
    list of (str, object)
        What was found, a line each.
    """
    from ..data.model_files import find_known_value, read_model
    from ..sampling import BoardSampler, DecomposingSampler
    from ..sampling.trace import trace
    from .anneal_figure import draw_trace

    model = read_model(options.file, options.format)
    known = find_known_value(options.file, options.data)
    if known is not None and known.objective != model.objective:
        raise ValueError(f"the table has a {known.objective}, the file a {model.objective}")
    if options.method != "annealing" and options.plot is not None:
        raise ValueError(f"--plot shows how annealing goes, not the method {options.method}")
    with BoardSampler(options.board) as sampler:
        spins = sampler.properties["annealer"]["spins"]
        parameters = {
            "num_sweeps": options.sweeps,
            "beta_range": options.beta_range,
            "beta_schedule_type": options.schedule,
            "method": options.method,
            "states": "best",
        }
        parts = model.bqm.num_variables > spins
        if parts and options.plot is not None:
            raise ValueError(
                f"--plot shows one run; {model.name} has {model.bqm.num_variables} variables and "
                f"takes several, {spins} at a time"
            )
        child = DecomposingSampler(sampler) if parts else sampler
        with progress_bar("annealing", "part" if parts else "read") as progress:
            found = child.sample(
                model.bqm,
                num_reads=options.reads,
                seed=options.seed,
                progress=progress,
                **parameters,
            )
        lines = _described(model, sampler, found) + _values(model, found, known)
        lines += _times(found)
        if options.plot is not None:
            parameters = {
                name: value
                for name, value in parameters.items()
                if name not in ("states", "method")
            }
            parameters["beta_range"] = found.info["beta_range"]
            with progress_bar("tracing", "run") as progress:
                traced = trace(
                    sampler, model.bqm, seed=found.info["seed"], progress=progress, **parameters
                )
            draw_trace(
                options.plot,
                traced,
                model.value,
                title=f"{model.name} on {sampler.board.info.board}",
                objective=model.objective,
                known=None if known is None else known.value,
            )
            lines.append(("plot", options.plot))
    if options.output is not None:
        _write_reads(options.output, model, found)
        lines.append(("states", options.output))
    return lines


def _described(model: Model, sampler: BoardSampler, found: dimod.SampleSet) -> list:
    from ..sampling.quantise import TOLERANCE

    info = found.info
    lines = [
        ("model", f"{model.bqm.num_variables} variables, {model.bqm.num_interactions} couplings"),
        ("board", f"{sampler.board.info.board}, {sampler.board.info.annealer.spins} spins"),
        ("seed", info["seed"]),
    ]
    if "parts" in info:
        lines.append(("parts solved", info["parts"]))
    else:
        first, last = info["beta_range"]
        lines += [
            ("method", info["method"]),
            ("sweeps", info["num_sweeps"]),
            ("inverse temperatures", f"{first:.4g} to {last:.4g}, {info['beta_schedule_type']}"),
        ]
    if "quantization_error" in info:
        error = info["quantization_error"]["relative_error"]
        shown = f"{error:.2%} of the energy, root mean square" if error > TOLERANCE else 0
        lines.append(("quantisation error", shown))
    return lines


def _values(model: Model, found: dimod.SampleSet, known: KnownValue | None) -> list:
    values = model.value(found.record.energy)
    best = values.max() if model.maximised else values.min()
    lines = [
        (f"best {model.objective}", f"{best:.10g}"),
        ("reads", f"{len(values)}, mean {values.mean():.10g}"),
        ("reads with the best", f"{np.mean(values == best):.1%}"),
    ]
    if known is not None:
        lines.append(("known", f"{known.value:.10g}, {known.status}"))
        if known.value:
            lines.append(("best, of the known", f"{best / known.value:.3%}"))
            lines.append(("mean, of the known", f"{values.mean() / known.value:.3%}"))
    return lines


def _times(found: dimod.SampleSet) -> list:
    info = found.info
    if "device_time" not in info:
        return []
    device, transfer = info["device_time"], info["transfer_time"]
    return [
        ("time on the device", f"{device * 1e3:.4g} ms, {device / len(found) * 1e3:.4g} ms a read"),
        ("time of transfers", f"{transfer * 1e3:.4g} ms"),
    ]


def _write_reads(path: Path, model: Model, found: dimod.SampleSet) -> None:
    """One line a read, the best first."""
    order = np.argsort(found.record.energy, kind="stable")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([model.objective, *found.variables])
        for read in order:
            row = found.record[read]
            writer.writerow([f"{model.value(row.energy):.10g}", *row.sample])
