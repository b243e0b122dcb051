"""Write the report of the hybrid benchmark as Markdown, and draw it."""

from __future__ import annotations

from pathlib import Path

from ...cli.figures import pyplot, save_figure
from ..common.markdown import NONE, machine_line, table

COLOURS = {"remote": "#3b6ea8", "local": "#c0693b"}
"""Colours of the two sources."""


def markdown(report: dict) -> str:
    """Write the tables.

    Parameters
    ----------
    report : dict
        The report of `run.measure`.

    Returns
    -------
    str
        The report in Markdown.
    """
    task = report["task"]
    lines = [
        "# A detector on a board and on a quantum processor",
        "",
        machine_line(report["machine"]),
        "",
        f"Breast cancer, {task['features']} features, bond dimension {task['bond_dim']}: "
        f"{task['qubits']} qubits, {task['two_qubit_gates']} two-qubit gates, {task['shots']} "
        "shots, one sample a request, at most 20 a second.",
        "The processor is simulated (Aer, with the median errors of a Heron processor of April",
        "2026, cited), behind a real appliance: another process, TLS, loopback. The board is the",
        "golden model of an iCEBreaker. Times are measured on this computer, which does all that",
        "at once; they say nothing of a real processor or network.",
        "",
        "## Faults",
        "",
        f"Deadline {1000 * report['deadline']:.0f} ms. Late: more than 20 ms after it. Wrong: not "
        "the board's answer, or not what shots of the sample's circuit give.",
        "",
        *_faults(report["faults"]),
    ]
    if report["deadlines"]:
        lines += ["", "## Deadlines, nothing else being wrong", "", *_deadlines(report)]
    return "\n".join(lines) + "\n"


def _faults(faults: dict[str, dict]) -> list[str]:
    header = (
        "fault",
        "remote",
        "local, why",
        "unanswered",
        "late",
        "wrong",
        "median ms",
        "longest ms",
        "AUC",
    )
    rows = []
    for name, found in faults.items():
        why = ", ".join(f"{count} {reason}" for reason, count in found["reasons"].items())
        rows.append(
            (
                name,
                f"{found['remote']}",
                why or NONE,
                f"{found['requests'] - found['answered']}",
                f"{found['late']}",
                f"{found['wrong']}",
                f"{1000 * found['median_seconds']:.0f}",
                f"{1000 * found['longest_seconds']:.0f}",
                f"{found['auc']:.3f}",
            )
        )
    return table(header, rows)


def _deadlines(report: dict) -> list[str]:
    header = ("deadline ms", "remote", "late", "longest ms", "AUC")
    rows = [
        (
            f"{1000 * float(seconds):.0f}",
            f"{found['remote']} of {found['requests']}",
            f"{found['late']}",
            f"{1000 * found['longest_seconds']:.0f}",
            f"{found['auc']:.3f}",
        )
        for seconds, found in report["deadlines"].items()
    ]
    return table(header, rows)


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw who answered under each fault.

    Parameters
    ----------
    report : dict
        The report of `run.measure`.
    folder : Path
        Folder of the picture.

    Returns
    -------
    list of Path
        The picture.
    """
    plt = pyplot()
    names = list(report["faults"])[::-1]
    remote = [report["faults"][name]["remote"] for name in names]
    local = [report["faults"][name]["requests"] - count for name, count in zip(names, remote)]
    figure, axes = plt.subplots(figsize=(8, 0.28 * len(names) + 1.5), layout="constrained")
    axes.barh(names, remote, color=COLOURS["remote"], label="processor (simulated)")
    axes.barh(names, local, left=remote, color=COLOURS["local"], label="board (golden model)")
    axes.set_xlabel(f"answers within {1000 * report['deadline']:.0f} ms")
    figure.legend(loc="outside upper center", ncols=2)
    path = folder / "hybrid.png"
    save_figure(path, figure)
    return [path]
