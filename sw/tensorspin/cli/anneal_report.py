"""What ``tensorspin anneal`` reports: text, members of the document, and files of states."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files import text_file
from .anneal_runs import unannealed
from .report import Line

if TYPE_CHECKING:
    import dimod

    from ..data.model_files import Answers, KnownValue, Model
    from ..sampling import BoardSampler


def described(model: Model, sampler: BoardSampler, found: dimod.SampleSet) -> list[Line]:
    """Describe the model, the board, and how the reads were made."""
    info, spins = found.info, sampler.properties["annealer"]["spins"]
    size = {"variables": model.bqm.num_variables, "couplings": model.bqm.num_interactions}
    board = sampler.board.info.board
    lines = [
        Line(
            "read as",
            {"format": model.file_format, "objective": model.objective, "reading": model.reading},
            f"{model.file_format}: {model.reading}",
        ),
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
            Line("method", info["method"], _method(info)),
            Line("sweeps", info["num_sweeps"]),
            Line(
                "inverse temperatures",
                [first, last],
                f"{first:.4g} to {last:.4g}, {kind}",
                "beta_range",
            ),
        ]
    if info.get("decided"):
        lines.append(Line("decided on the host", info["decided"], f"{info['decided']} variables"))
    if "quantization_error" in info:
        lines += _errors(info["quantization_error"])
    if info["refine"] and len(found):
        before = np.asarray(info["board_energies"])
        lowered, best = int((found.record.energy < before).sum()), float(before.min())
        lines.append(
            Line(
                "refined",
                {"by": info["refine"], "lowered": lowered, "best_before": model.value(best)},
                f"{lowered} of {len(found)} reads, by {info['refine']}; best before "
                f"{model.value(best):.10g}"
                + ("; all states were tried" if info["enumerated"] else ""),
            )
        )
    return lines


def _errors(told: dict) -> list[Line]:
    """Report what rounding to the board's integers has lost."""
    from ..sampling.quantise import percent

    error = told["relative_error"]
    shown = f"{percent(error)} of the energy, root mean square" if error else 0
    lines = [Line("quantisation error", error, shown, "quantization_error")]
    if error:
        for part, key in (("couplings", "coupling"), ("linear terms", "linear")):
            own = told[f"{key}_relative_error"]
            lines.append(Line(f"error of {part}", own, f"{percent(own)} of their energy"))
        counts = {name: told[name] for name in ("zeroed", "coefficients")}
        shown = f"{counts['zeroed']} of {counts['coefficients']} coefficients"
        lines.append(Line("rounded to zero", counts, shown))
    return lines


def values(model: Model, answers: Answers, known: KnownValue | None) -> list[Line]:
    """Report the best and the mean value of the reads, beside the best value known."""
    found, lines = answers.values, []
    if answers.feasible is not None:
        lines.append(_feasible(model, answers))
        found = found[answers.feasible]
        if not len(found):
            return [*lines, Line(f"best {model.objective}", None, "none, see above", "best")]
    best, mean = answers.values[answers.best], found.mean()
    reached = np.mean(found == best)
    lines += [
        Line(f"best {model.objective}", best, f"{best:.10g}", "best"),
        Line("reads", {"number": len(found), "mean": mean}, f"{len(found)}, mean {mean:.10g}"),
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


def _feasible(model: Model, answers: Answers) -> Line:
    """Report how many reads keep all constraints, and what to do if none does."""
    assert answers.feasible is not None and model.constraints is not None
    number, total = int(answers.feasible.sum()), len(answers.feasible)
    shown = f"{number} of {total} keep all {len(model.constraints.cqm.constraints)} constraints"
    if not number:
        shown += "; try more --reads or --sweeps, or a greater --lagrange-multiplier"
    return Line("feasible reads", {"number": number, "reads": total}, shown)


def times(found: dimod.SampleSet) -> list[Line]:
    """Report the time on the device and on the line; a model solved in parts has no such times."""
    info = found.info
    if "device_time" not in info:
        return []
    device, transfer = info["device_time"], info["transfer_time"]
    shown = f"{device * 1e3:.4g} ms, {device / max(1, len(found)) * 1e3:.4g} ms a read"
    host = info["host_time"]
    return [
        Line("time on the device", device, shown, "device_seconds"),
        Line("time of transfers", transfer, f"{transfer * 1e3:.4g} ms", "transfer_seconds"),
        Line("time of the host", host, f"{host * 1e3:.4g} ms", "host_seconds"),
    ]


def limits(
    answers: Answers, found: dimod.SampleSet, time_limit: float | None, target: float | None
) -> list[Line]:
    """Report what came of the limits, and reads that were made and not kept."""
    lines = []
    made = found.info["reads_made"]
    if made > len(found):
        shown = f"{made}, of which the best {len(found)} are kept"
        lines.append(Line("reads made", made, shown))
    if target is not None:
        reached = answers.reaches(target)
        shown = f"{target:.10g}, {'reached' if reached else 'not reached'}"
        lines.append(Line("target", {"value": target, "reached": reached}, shown))
    if time_limit is not None:
        shown = f"{time_limit:g} s"
        if unannealed(found):
            shown += (
                ": over before the first run was done, so the states were not annealed; allow more "
                "time, or fewer --sweeps"
            )
        lines.append(Line("time limit", time_limit, shown, "time_limit_seconds"))
    return lines


def best_state(model: Model, answers: Answers) -> list[Line]:
    """Report the best read alone: its value, and the state of each variable."""
    if not len(answers.values):
        return []
    best = answers.best
    state = dict(zip(map(str, answers.variables), answers.states[best].tolist()))
    value = answers.values[best]
    lines = [Line(f"best {model.objective}", value, f"{value:.10g}", "best")]
    if answers.feasible is not None:
        kept = bool(answers.feasible[best])
        lines.append(Line("feasible", kept, "yes" if kept else "no: it breaks a constraint"))
    shown = " ".join(f"{name}={value:g}" for name, value in state.items())
    return [*lines, Line("state", state, shown)]


def samples(answers: Answers, found: dimod.SampleSet, best_only: bool) -> dict[str, Any]:
    """Give the members of the document that hold the reads, the best first."""
    order = answers.order[:1] if best_only else answers.order
    members = {
        "variables": answers.variables,
        "samples": answers.states[order],
        "values": answers.values[order],
        "energies": found.record.energy[order],
    }
    if answers.feasible is not None and not best_only:
        members["feasible"] = answers.feasible[order]
    return members if best_only else members | {"info": found.info}


def write_reads(path: Path, model: Model, answers: Answers, best_only: bool) -> None:
    """Write one line per read, the best first: its value, then the state of each variable.

    Of a model with constraints, the second column says whether the read keeps them.
    """
    constrained = answers.feasible is not None
    with text_file(path) as file:
        writer = csv.writer(file)
        head = ["feasible"] if constrained else []
        writer.writerow([model.objective, *head, *answers.variables])
        for read in answers.order[:1] if best_only else answers.order:
            kept = [int(answers.feasible[read])] if answers.feasible is not None else []
            states = [f"{value:g}" for value in answers.states[read].tolist()]
            writer.writerow([f"{answers.values[read]:.10g}", *kept, *states])


def _method(info: dict) -> str:
    """Name the method in use, and say why it is not the one that was asked for."""
    reason = info.get("crossover", {}).get("reason")
    return info["method"] + (f": no crossover, as {reason}" if reason else "")
