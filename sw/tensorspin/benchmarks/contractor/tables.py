"""Write the report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from ..common.markdown import NONE, machine_line, merged, microseconds, table
from .one_sample.tables import one_sample

_RATIOS = ("over the fastest board's", "over the fastest board's with its line, modelled")
"""Titles of the columns that compare the host's latency with the boards'."""


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
    lines = ["# Benchmark", "", machine_line(report["machine"]), ""]
    lines += [
        "Everything on the host ran on one core. Times are medians, with the first and the third",
        "quartile in brackets; accuracies are means over the splits, with their standard error.",
    ]
    if report["quick"]:
        lines += ["", "**Quick run**: less training and fewer repetitions than by default."]
    for data in report["data"]:
        lines += ["", f"## {data['name']}", "", _described(data), ""]
        lines += ["### Accuracy", "", *_accuracy(data), ""]
        lines += ["### Boards, from the exact cycle count", "", *_capacity(data), ""]
        lines += ["### Latency of one sample", "", *_latency(data), ""]
        lines += ["### Throughput", "", *_throughput(data), ""]
        # Reports of earlier versions have no such rows.
        lines += ["### One sample, and many", "", *one_sample(data.get("one_sample", []))]
    lines += ["", "## Training with and without the compiled kernel", "", *_kernels(report)]
    lines += ["", "## Training beside other libraries", "", *_training(report)]
    return "\n".join(lines) + "\n"


def program_title(row: dict) -> str:
    """Name the network of a row and the number of bits of its weights."""
    return f"{row['classifier']}, {row['weight_bits']}-bit"


def by_program(rows: Iterable[dict]) -> dict[str, list[dict]]:
    """Collect the rows of each program, by the title of the program."""
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(program_title(row), []).append(row)
    return found


def _described(data: dict) -> str:
    splits = "its own split" if data["own_split"] else f"{data['splits']} stratified split(s)"
    return (
        f"{data['samples']:,} samples, {data['features']} features, {data['classes']} classes; "
        f"{splits}: {data['training_samples']:,} to train on, {data['test_samples']:,} held out."
    )


def _accuracy(data: dict) -> list[str]:
    # All boards answer alike if they answer right, and are then one row for each program.
    variants: dict[tuple, list[tuple[str, tuple[str, ...]]]] = {}
    for row in data["accuracy"]:
        key = row["classifier"], row["variant"].partition(" on ")[0], row["url"] is not None
        variants.setdefault(key, []).append((row["url"] or "", _accuracy_cells(row)))
    rows = []
    for (classifier, variant, on_board), found in variants.items():
        for urls, *cells in merged(found):
            where = f" on {urls}" if on_board else ""
            rows.append((f"{classifier}, {variant}{where}", *cells))
    header = ("classifier", "accuracy", "model, bytes", "training, s", "unlike the golden model")
    note = (
        "Model: the learnt arrays, without the scaling of features; as float32, unless a number of "
        "bits is given (then the weights alone, without headers and padding)."
    )
    return [*table(header, rows), "", note]


def _accuracy_cells(row: dict) -> tuple[str, ...]:
    if row.get("obstacle"):
        return (f"does not fit: {row['obstacle']}", NONE, NONE, NONE)
    error, seconds = row["standard_error"], row["training_seconds"]
    return (
        f"{row['accuracy']:.2%}" + ("" if error is None else f" ± {error:.2%}"),
        f"{row['bytes']:,.0f}",
        NONE if seconds is None else f"{seconds:.3g}",
        _differences(row),
    )


def _differences(row: dict) -> str:
    """Say how many of a board's answers differ from the golden model; no other row has any."""
    if "scores_compared" not in row:
        return NONE
    others = sum(
        row[f"{what}_unlike_{model}"]
        for what, model in (
            ("exponents", "golden"),
            ("classes", "golden"),
            ("cycles", "estimate"),
        )
    )
    return (
        f"{row['scores_unlike_golden']} of {row['scores_compared']:,} scores; {others} exponents, "
        f"classes or cycles"
    )


def _capacity(data: dict) -> list[str]:
    rows = merged(
        (
            (title, cells)
            for title, found in by_program(data["capacity"]).items()
            for cells in merged(
                ((f"{row['board']}: {row['title']}", _capacity_cells(row)) for row in found), "; "
            )
        ),
        "; ",
    )
    header = (
        "program",
        "board",
        "fits; the fullest quantity",
        "cycles a sample",
        "us a sample",
        "multipliers used",
        "samples/s with the serial line, modelled",
    )
    return table(header, rows)


def _capacity_cells(row: dict) -> tuple[str, ...]:
    if row["cycles"] is None:
        return (f"no: {row['obstacle']}", *[NONE] * 4)
    return (
        f"no: {row['obstacle']}" if row["obstacle"] else f"yes; {row['fullest']}",
        f"{row['cycles']:,}",
        f"{microseconds(row['seconds'])} at {row['clock_hz'] / 1e6:g} MHz",
        f"{row['utilisation']:.1%}",
        f"{row['samples_per_second_with_line']:,.0f}",
    )


def _latency(data: dict) -> list[str]:
    measured = [row for row in data["boards"] if row["latency"] is not None]
    header = ("predict of one sample on this host", "us", *_RATIOS)
    host = table(header, _host_latency(data["host"], measured))
    return [*_board_latency(measured), *host] if measured else host


def _board_latency(measured: list[dict]) -> list[str]:
    """Write the cycles of each simulated board, and what they are made of."""
    header = (
        "simulated board",
        "cycles",
        "before and after the engine",
        "engine",
        "reply",
        "us",
        "us on the serial line, modelled",
    )
    distinct = merged(
        (
            (title, cells)
            for title, found in by_program(measured).items()
            for cells in merged((row["url"], _latency_cells(row)) for row in found)
        ),
        "; ",
    )
    rows = [(f"{titles} on {urls}", *cells) for titles, urls, *cells in distinct]
    return [
        *table(header, rows),
        "",
        "Measured on the gateware at its byte stream, from the last byte of the request taken "
        "to the last byte of the reply given.",
        "",
    ]


def _latency_cells(row: dict) -> tuple[str, ...]:
    found = row["latency"]
    return (
        *(
            f"{found[part]['median']:,.0f}"
            for part in ("cycles", "overhead_cycles", "engine_cycles", "reply_cycles")
        ),
        f"{microseconds(found['seconds'])} at {row['clock_hz'] / 1e6:g} MHz",
        f"{microseconds(found['line_seconds'])} ({found['line_bytes']} bytes)",
    )


def _host_latency(host: list[dict], measured: list[dict]) -> list[tuple[str, ...]]:
    """Compare each classifier on the host with the fastest board, without and with its line."""
    boards = [row["latency"] for row in measured]
    fastest = [
        min((found["seconds"] for found in boards), default=None),
        min((found["seconds"] + found["line_seconds"] for found in boards), default=None),
    ]
    rows = []
    for row in host:
        latency = row["latency"]
        ratios = (NONE if best is None else f"{latency['median'] / best:.3g}" for best in fastest)
        rows.append((row["classifier"], _spread(latency, 1e6), *ratios))
    return rows


def _throughput(data: dict) -> list[str]:
    rows = [
        (f"{title} on {urls}", *cells)
        for title, found in by_program(data["boards"]).items()
        for urls, *cells in merged((row["url"], _throughput_cells(row)) for row in found)
    ]
    for row in data["host"]:
        rows.append(
            (
                row["classifier"],
                f"{row['samples_per_second']:,.0f}",
                f"this host; all {row['batch_samples']} in {_spread(row['batch'], 1e3)} ms",
            )
        )
    note = (
        "A simulated board has no serial line: its samples enter as fast as the gateware takes "
        "them. With the line: see the boards above."
    )
    return [*table(("held-out samples in a row", "samples/s", "clock"), rows), "", note]


def _throughput_cells(row: dict) -> tuple[str, ...]:
    found = row["throughput"]
    return (
        f"{found['samples_per_second']:,.0f}",
        f"by the board's clock, {row['clock_hz'] / 1e6:g} MHz, {found['batch_samples']} samples; "
        f"{found['simulated_cycles_per_second'] / 1e6:.2g} M cycles/s here",
    )


def _spread(summary: dict, scale: float) -> str:
    """Write median and quartiles of what `timing.summary` returned, in another unit."""
    first, third = (f"{value * scale:.3g}" for value in summary["quartiles"])
    return f"{summary['median'] * scale:.3g} [{first}, {third}]"


def _training(report: dict) -> list[str]:
    if not report["training"]:
        return ["Not measured in a quick run."]
    first = report["training"][0]
    rows = []
    for row in report["training"]:
        if "missing" in row:
            rows.append((row["library"], *[NONE] * 4, row["missing"]))
            continue
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        low, high = row["epoch_range"]
        rows.append(
            (
                row["library"],
                f"{row['epoch_seconds']:.3g} [{low:.3g}, {high:.3g}]",
                f"{row['ratio']:.3g}" if "ratio" in row else "1",
                f"{row['first_epoch_seconds']:.3g}",
                f"{row['accuracy']:.2%}",
                versions,
            )
        )
    header = (
        "library",
        "s an epoch [least, most]",
        "over Tensorspin's",
        "first epoch, s",
        "accuracy",
        "versions",
    )
    described = (
        f"{first['data']}: a matrix product state of {first['sites']} sites and bond dimension "
        f"{first['bond_dim']}, {first['training_samples']:,} samples, {first['epochs']} epochs in "
        f"batches of {first['batch_size']}, one process each on the same core; the others as their "
        f"own tutorials use them. In the first epoch a library may compile; it is left out of the "
        f"median."
    )
    return [described, "", *table(header, rows)]


def _kernels(report: dict) -> list[str]:
    found = report.get("kernels")  # reports of earlier versions have none
    if not found:
        return ["Not measured in a quick run."]
    rows = [
        (
            f"{row['task']}: {row['samples']:,} samples, {row['features']} features",
            f"{row['batch_size']}",
            row["kernel"],
            f"{row['seconds']:.3g}",
            f"{row['operations_per_second'] / 1e9:.3g}",
            f"{row['ratio']:.3g}",
        )
        for row in found
    ]
    header = (
        "training",
        "batch",
        "kernel",
        "s for 100 epochs",
        "GFLOP/s",
        "NumPy's time over this",
    )
    note = (
        "Processor time on one core, the kernels one after the other in each of several rounds. "
        "Operations are those of the contraction and its gradients; the time is that of all of fit."
    )
    return [*table(header, rows), "", note]
