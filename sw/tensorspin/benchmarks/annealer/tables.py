"""Write the report as Markdown."""

from __future__ import annotations

from ...sampling.quantise import percent
from ..common.markdown import NONE, machine_line, merged, microseconds, table
from .constrained_tables import constrained_table


def markdown(report: dict) -> str:
    """Write all tables of a report.

    Parameters
    ----------
    report : dict
        The report that `run.measure` returned.

    Returns
    -------
    str
        The report in Markdown.
    """
    lines = ["# The annealer", "", machine_line(report["machine"]), ""]
    lines += [
        "Boards: exact cycles of the golden model over the clock of the board's row, all replicas",
        "busy, best state of each read. Transfers are modelled: the line's rate, frames back to",
        "back. Other libraries: time of one processor core, last state of each read, which is what",
        "they return. No state is refined. All have the same inverse temperatures. Errors are",
        "standard errors of the number of reads on target; the shortest of several times is lower",
        "than it should be. A first answer takes whole runs, with the upload and all transfers: a",
        "board gives nothing before all replicas are done, and the time of a read is a share of a",
        "run. It is the shortest of all numbers of sweeps.",
        "",
        *_boards(report["boards"]),
    ]
    if report["speed"]:
        lines += ["", "## Time to solution", ""]
        for item in report["speed"]:
            lines += [*_speed(item), ""]
    if report["gset"]:
        lines += ["", "## G-set: cuts", "", *_gset(report["gset"])]
    if report["small"]:
        lines += ["", "## Proven optima of small instances", "", *_small(report["small"])]
    if report["constrained"]:
        lines += ["", "## Models with constraints", "", *constrained_table(report["constrained"])]
    return "\n".join(lines) + "\n"


def solver_title(solver: dict) -> str:
    """Name a solver: a board by its name, a library with its version."""
    if solver["kind"] == "board":
        return solver["solver"]
    versions = solver.get("versions", {})
    return next((f"{name} {number}" for name, number in versions.items()), solver["solver"])


def fastest(solver: dict, key: str = "seconds") -> dict | None:
    """Find a solver's run with the shortest time to solution.

    Parameters
    ----------
    solver : dict
        A solver of `speed.measure_speed`.
    key : str
        Which time counts: "seconds" or "seconds_with_transfers".

    Returns
    -------
    dict or None
        The run; None if no run met the target.
    """
    runs = [run for run in solver.get("runs", ()) if run.get(key) is not None]
    return min(runs, key=lambda run: run[key], default=None)


def _boards(boards: list[dict]) -> list[str]:
    rows = [
        (
            board["name"],
            board["title"],
            str(board["spins"]),
            str(board["coupling_bits"]),
            str(board["replicas"]),
            f"{board['clock_hz'] / 1e6:g}",
        )
        for board in boards
    ]
    return table(("board", "title", "spins", "coupling bits", "replicas", "clock, MHz"), rows)


def _speed(item: dict) -> list[str]:
    """Compare the solvers by their times to solution of one instance."""
    lines = [f"### {item['name']}", ""]
    if "target" not in item:
        reasons = merged((solver["solver"], [solver["obstacle"]]) for solver in item["solvers"])
        told = "; ".join(f"{names}: {reason}" for names, reason in reasons)
        return [*lines, f"Fits no board: {told}."]
    lines += [
        f"Target: {item['target']:.10g}, {item['target_share']:.1%} of {item['best']:.10g} "
        f"({item['status']}). Inverse temperatures {item['betas'][0]:.4g} to "
        f"{item['betas'][1]:.4g}. The number of sweeps is each solver's best.",
        "",
    ]
    boards = [s for s in item["solvers"] if s["kind"] == "board" and "runs" in s]
    rows = []
    for solver in item["solvers"]:
        reason = solver.get("obstacle") or solver.get("missing")
        if reason:
            rows.append((solver_title(solver), reason, *[NONE] * (6 + 2 * len(boards))))
            continue
        best = fastest(solver)
        if best is None:
            rows.append((solver_title(solver), "target not met", *[NONE] * (6 + 2 * len(boards))))
            continue
        with_transfers = fastest(solver, "seconds_with_transfers") or {}
        rows.append(
            (
                solver_title(solver),
                str(best["sweeps"]),
                f"{best['successes']:.0%} of {best['reads']}",
                microseconds(best["read_seconds"]),
                _with_error(best),
                microseconds(with_transfers.get("seconds_with_transfers")),
                microseconds(best.get("upload_seconds")),
                microseconds(_first(solver)),
                *(_ratio(best, fastest(board)) for board in boards),
                *(_quotient(_first(solver), _first(board)) for board in boards),
            )
        )
    header = (
        "solver",
        "sweeps",
        "reads on target",
        "us a read",
        "us to 99 %",
        "with transfers, modelled",
        "first upload, modelled, us",
        "us to the first answer",
        *(f"over {board['solver']}" for board in boards),
        *(f"first answer, over {board['solver']}" for board in boards),
    )
    count = sum(solver["kind"] == "board" for solver in item["solvers"])
    distinct = [*merged((title, cells) for title, *cells in rows[:count]), *rows[count:]]
    return [*lines, *table(header, distinct), "", *_equal_sweeps(item, boards)]


def _equal_sweeps(item: dict, boards: list[dict]) -> list[str]:
    """Compare all solvers at each number of sweeps: mean value of the reads, and time of a read."""
    solvers = [solver for solver in item["solvers"] if "runs" in solver]
    if not boards:
        return []
    rows = []
    for place, run in enumerate(solvers[0]["runs"]):
        cells = [str(run["sweeps"])]
        for solver in solvers:
            own = solver["runs"][place]
            share = own["mean"] / item["best"] if item["best"] else float("nan")
            cells.append(f"{share:.3%}; {microseconds(own['read_seconds'])}")
        rows.append(cells)
    header = ("sweeps", *(f"{solver_title(solver)}: mean; us a read" for solver in solvers))
    return table(header, rows)


def _with_error(run: dict) -> str:
    error = run["seconds_error"]
    return microseconds(run["seconds"]) + ("" if error is None else f" ± {error:.0%}")


def _ratio(run: dict, board: dict | None) -> str:
    """Divide a run's time to solution by that of a board."""
    return NONE if board is None else f"{run['seconds'] / board['seconds']:.3g}"


def _first(solver: dict) -> float | None:
    """Find a solver's shortest time to the first answer: whole runs, with transfers."""
    run = fastest(solver, "seconds_to_first")
    return None if run is None else run["seconds_to_first"]


def _quotient(seconds: float | None, board: float | None) -> str:
    """Divide a time by that of a board."""
    return NONE if seconds is None or board is None else f"{seconds / board:.3g}"


def way_title(row: dict) -> str:
    """Name a method, with its schedule if there is more than one, and whether it was added."""
    schedule = f", {row['schedule']}" if row["method"] == "annealing" else ""
    return f"{row['method']}{schedule}{' (rebuilt)' if row['rebuilt'] else ''}"


def _gset(found: list[dict]) -> list[str]:
    """Compare the methods by their cuts of the G-set's graphs."""
    rows = []
    for row in found:
        way = way_title(row) if "method" in row else NONE
        if "obstacle" in row:
            rows.append((row["name"], row["board"], way, row["obstacle"], *[NONE] * 6))
            continue
        rows.append(
            (
                row["name"],
                row["board"],
                way,
                " to ".join(f"{beta:.3g}" for beta in row["betas"]),
                str(row["sweeps"]),
                f"{row['read_seconds'] * 1e3:.3f}",
                f"{row['mean']:.3%} ± {row['standard_error']:.3%}",
                f"{row['run_best']:.3%}",
                f"{row['transfer_seconds'] * 1e3:.3g}",
                f"{row['upload_seconds'] * 1e3:.3g}",
            )
        )
    header = (
        "instance",
        "board",
        "method",
        "inverse temperatures",
        "sweeps",
        "ms a read",
        "mean, of the best known",
        "best of a run",
        "transfers a read, modelled, ms",
        "first upload, modelled, ms",
    )
    return [
        "A run gives as many reads as the board has replicas; the best of them, in the mean over",
        "the runs, is all that parallel tempering is for. Each method takes about as long as the",
        "first. Rebuilt: the row with parallel tempering added, a size to build, not a board of",
        "the table; the clock is the row's.",
        "",
        *table(header, _distinct(rows)),
    ]


def _distinct(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Put boards of which all is the same into one row; the columns are those of `_gset`."""
    of_boards = merged((board, (name, *cells)) for name, board, *cells in rows)
    return [(name, boards, *cells) for boards, name, *cells in of_boards]


def _small(found: list[dict]) -> list[str]:
    """Say which proven optima of small instances were found, and by which read."""
    solved = sum(row["first"] is not None for row in found)
    rows = [
        (
            row["name"],
            str(row["variables"]),
            str(row["coupling_bits"]),
            percent(row["relative_error"]) if row["relative_error"] else "exact",
            f"{row['known']:.10g}",
            f"{row['best']:.10g}",
            NONE if row["first"] is None else str(row["first"]),
            f"{row['successes']:.0%}",
            microseconds(row["read_seconds"]),
        )
        for row in found
    ]
    header = (
        "instance",
        "variables",
        "coupling bits",
        "quantisation error",
        "optimum",
        "best read",
        "first read with it",
        "reads with it",
        "us a read",
    )
    first = found[0]
    return [
        f"{solved} of {len(found)} optima found within {first['reads']} reads of "
        f"{first['sweeps']} sweeps, on engines with as many spins as the instance and bits for its "
        "weights, up to 8. These are sizes to build, not boards of the table; the clock is that of "
        "the first board.",
        "",
        *table(header, rows),
    ]
