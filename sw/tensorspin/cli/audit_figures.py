"""The figures of ``tensorspin audit``: reliability, attacks, flipped bits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .figures import pyplot, save_figure


def audit_figures(folder: Path, document: Mapping[str, Any], suffix: str) -> dict[str, str]:
    """Draw what an audit has found.

    Parameters
    ----------
    folder : Path
        Where the files go.
    document : mapping
        The document of the audit.
    suffix : str
        Format of the files: png or svg.

    Returns
    -------
    dict of str to str
        Names of the files by what they show; what was not measured has none.
    """
    plt = pyplot()
    drawn = {}
    for name, section, draw in (
        ("reliability", "calibration", _draw_reliability),
        ("robustness", "robustness", _draw_robustness),
        ("faults", "faults", _draw_faults),
    ):
        if not document[section]["applies"]:
            continue
        figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
        draw(axes, document[section])
        drawn[name] = f"{name}.{suffix}"
        save_figure(folder / drawn[name], figure)
        plt.close(figure)
    return drawn


def _draw_reliability(axes, part: Mapping[str, Any]) -> None:
    bins = [each for each in part["bins"] if each["samples"]]
    x = [each["confidence"] for each in bins]
    accuracy = [each["accuracy"] for each in bins]
    values = [each["value"] for each in accuracy]
    low = [max(0.0, each["value"] - each["low"]) for each in accuracy]
    high = [max(0.0, each["high"] - each["value"]) for each in accuracy]
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="calibrated")
    axes.errorbar(x, values, yerr=[low, high], marker="o", capsize=3, label="board, with 95 %")
    for each in bins:
        axes.annotate(
            str(each["samples"]),
            (each["confidence"], each["accuracy"]["value"]),
            textcoords="offset points",
            xytext=(4, -10),
            fontsize=7,
        )
    axes.set(
        xlim=(0, 1.02),
        ylim=(0, 1.05),
        xlabel="probability of the predicted class",
        ylabel="share that came true",
        title=f"Reliability (calibration error {part['expected_calibration_error']:.3f})",
    )
    axes.legend(fontsize=8, loc="upper left")


def _draw_robustness(axes, part: Mapping[str, Any]) -> None:
    for attack in part["attacks"]:
        rows = [(0.0, part["clean"]), *((row["eps"], row["device"]) for row in attack["strengths"])]
        x, estimates = zip(*rows)
        values = [each["value"] for each in estimates]
        name = f"{attack['kind']}, {'L-infinity' if attack['norm'] == 'linf' else 'L2'}"
        (line,) = axes.plot(x, values, marker="o", label=name)
        ends = ([each[end] for each in estimates] for end in ("low", "high"))
        axes.fill_between(x, *ends, alpha=0.15, color=line.get_color())
    axes.set(
        xlabel="movement, as a share of each column's scale",
        ylabel=part["metric"],
        title="Under attack",
    )
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)


def _draw_faults(axes, part: Mapping[str, Any]) -> None:
    for curve in part["curves"]:
        rows = [row for row in curve["rows"] if "mean" in row]
        if not rows:
            continue
        x = [row["flips"] for row in rows]
        (line,) = axes.plot(x, [row["mean"] for row in rows], marker="o", label=curve["where"])
        worst = [row["worst"] for row in rows]
        axes.plot(x, worst, color=line.get_color(), linestyle=":", label=f"{curve['where']}, worst")
    axes.axhline(part["clean"], color="grey", linewidth=0.8)
    axes.set(
        xscale="log",
        xlabel=f"bits flipped of {part['bits']}",
        ylabel=f"{part['metric']} of answers",
        title="Flipped bits",
    )
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
