"""The tables of models with constraints, in Markdown."""

from __future__ import annotations

from ..common.markdown import NONE, table
from .constrained import READS, SWEEPS


def constrained_table(found: list[dict]) -> list[str]:
    """Compare the gaps of boards with those of dwave-samplers.

    Parameters
    ----------
    found : list of dict
        What `constrained.measure_kind` has returned for each kind.

    Returns
    -------
    list of str
        Lines of Markdown.
    """
    rows = []
    for item in found:
        library = item["library"]
        for board in item["boards"]:
            if "obstacle" in board:
                cells = [board["obstacle"], *[NONE] * 7]
            else:
                gap = board["gap"]
                times = ("device_seconds", "transfer_seconds", "host_seconds")
                cells = [
                    board["way"],
                    f"{_ratio(gap, library['gap'])} ({gap:.3g})",
                    f"{board['solved']:.0%}",
                    f"{library['solved']:.0%}",
                    _percent(board["feasible"]),
                    _percent(library["feasible"]),
                    " + ".join(f"{1e3 * board[name]:.3g}" for name in times),
                    f"{1e3 * library['seconds']:.3g}",
                    _ratio(gap, board["library_gap"]),
                ]
            rows.append((f"{item['kind']} ({item['variables']})", board["board"], *cells))
    header = (
        "kind (variables)",
        "board",
        "reads",
        "gap over dwave-samplers' (gap)",
        "solved",
        "by dwave-samplers",
        "feasible reads",
        "of dwave-samplers",
        "ms: device + line, modelled + host",
        "ms of dwave-samplers",
        "gap over theirs in the same time",
    )
    return [
        f"The gap is the energy of the best of {READS} reads of {SWEEPS} sweeps, less the optimum",
        "(by enumeration), or less the best value that anything here has found. Raw reads are the",
        "board's own, as those of dwave-samplers are raw; descent and tabu search are added to",
        "them on the host. Windows are annealed on the board around the best raw read, and chains",
        "are the control: the choice of windows without any annealing, and a descent. By default",
        "samplers descend, anneal windows where rounding changes the model much, and enumerate",
        "models of 20 variables or fewer. In the same time (device, line and host together)",
        "dwave-samplers makes more reads.",
        "",
        *table(header, rows),
    ]


def _ratio(gap: float, other: float) -> str:
    """Divide a gap by that of dwave-samplers."""
    if other:
        return f"{gap / other:.2f}"
    return f"{gap:.3g} against 0" if gap else "both 0"


def _percent(share: float | None) -> str:
    """Write a share of the reads, if it is known."""
    return NONE if share is None else f"{share:.0%}"
