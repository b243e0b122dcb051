"""The model card of an audit: Markdown with the header of metadata that Hugging Face's cards have.

Whoever deploys a model answers for it. So the card shows measurements, leaves what only people know
to them, and names the parts of two frameworks to which a section may contribute. It never says that
a model complies with anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .fields import FIELDS, HEADER
from .guarding import guard_sentence

_PIPELINES = {
    "Classification": "tabular-classification",
    "Regression": "tabular-regression",
    "OutlierDetection": "tabular-classification",
}
"""Customary names of tasks; there is none for outliers."""

REFERENCES = (
    ("Intended use, out-of-scope use", "MAP 1.1, MAP 2.2", "Art. 11 with Annex IV(1), Art. 13"),
    ("Training data", "MAP 2.3", "Art. 10, Annex IV(2)(d)"),
    ("Accuracy", "MEASURE 2.3, 2.5", "Art. 15(1) to (3), Annex IV(2)(g)"),
    ("Calibration", "MEASURE 2.5", "Art. 15(1), Annex IV(2)(g)"),
    ("Robustness", "MEASURE 2.7", "Art. 15(5), Annex IV(2)(g)"),
    ("Faults", "MEASURE 2.6", "Art. 9, Art. 15(4)"),
    ("Unusual samples", "MEASURE 2.5, 2.6", "Art. 9, Art. 15(4)"),
    ("Limitations", "MAP 2.2, MEASURE 2.5", "Art. 9, Annex IV(3)"),
    ("Human oversight", "MAP 3.5, MANAGE 2.4", "Art. 14, Annex IV(2)(e)"),
    ("Reproduction", "MEASURE 2.1", "Art. 11, Annex IV(2)"),
)
"""Sections of a card, subcategories of NIST's AI Risk Management Framework 1.0 (NIST AI 100-1), and
articles of Regulation (EU) 2024/1689."""


def card(document: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    """Write a card.

    Parameters
    ----------
    document : mapping
        The document of an audit.
    figures : mapping of str to str
        Files of figures by what they show.

    Returns
    -------
    str
        Markdown.
    """
    sections = [
        _header(document),
        _summary(document),
        *(_field(name, document) for name in ("intended_use", "out_of_scope_use")),
        _field("training_data", document),
        _accuracy(document),
        _calibration(document["calibration"], figures),
        _robustness(document["robustness"], figures),
        _faults(document["faults"], figures),
        _unusual(document["out_of_distribution"], document["guard"]),
        *(_field(name, document) for name in ("limitations", "human_oversight", "contact")),
        _references(),
        _reproduction(document),
    ]
    return "\n\n".join(sections) + "\n"


def inline(text: object) -> str:
    r"""Put others' text into a line of Markdown, without its marks.

    Parameters
    ----------
    text : object
        Any value.

    Returns
    -------
    str
        One line that Markdown shows as it is.

    Examples
    --------
    >>> inline("a|b <i>")
    'a\\|b \\<i\\>'
    """
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", " ".join(str(text).split()))


def _header(document: Mapping[str, Any]) -> str:
    """Write the metadata: YAML, of which JSON is a part, so that texts are quoted as in JSON."""
    model, data, fields = document["model"], document["data"], document["fields"]
    kind = _PIPELINES[model["task"]]
    lines = ["---", "library_name: tensorspin", f"pipeline_tag: {kind}"]
    for name in HEADER[1:]:
        if name in fields:
            lines.append(f"{name}: {json.dumps(fields[name])}")
    lines += ["tags:", "- tensorspin", "- tensor-network", "- fpga", f"- {kind}"]
    if model["task"] == "OutlierDetection":
        lines.append("- anomaly-detection")
    lines += ["model-index:", f"- name: {json.dumps(_name(document))}", "  results:"]
    lines += ["  - task:", f"      type: {kind}", "    dataset:"]
    lines += [f"      name: {json.dumps(data['name'])}", f"      type: {json.dumps(data['name'])}"]
    lines += ["    metrics:"]
    for name, value in document["accuracy"]["device"].items():
        number = value["value"] if isinstance(value, Mapping) else value
        if number is not None:
            lines.append(f"    - type: {json.dumps(name)}")
            lines.append(f"      value: {number:.6g}")
    return "\n".join([*lines, "---"])


def _name(document: Mapping[str, Any]) -> str:
    return document["fields"].get("name", document["model"]["name"])


def _summary(document: Mapping[str, Any]) -> str:
    model, board = document["model"], document["board"]
    lines = [
        f"# {inline(_name(document))}",
        "",
        f"A tensor network for {_TASKS[model['task']]}, {model['columns']} columns, audited by "
        f"`tensorspin audit` on {inline(board['url'])} ({board['kind']}). Numbers in brackets are "
        f"95 % confidence intervals. What is in quotation marks below was said by whoever deploys "
        f"the model; everything else was measured.",
    ]
    for warning in document["warnings"]:
        lines += ["", f"> **Warning:** {inline(warning)}"]
    return "\n".join(lines)


_TASKS = {
    "Classification": "classification",
    "Regression": "regression",
    "OutlierDetection": "outlier detection",
}


def _field(name: str, document: Mapping[str, Any]) -> str:
    field, text = FIELDS[name], document["fields"].get(name)
    if text is None:
        return f"## {field.title}\n\n*To be filled in: {field.question}*"
    return f"## {field.title}\n\n" + "\n".join(f"> {line}" for line in text.splitlines())


def _table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> list[str]:
    shown = ["| " + " | ".join(map(str, row)) + " |" for row in [head, *rows]]
    return [shown[0], "|---" * len(head) + "|", *shown[1:]]


def _number(value: Any, share: bool) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        low, high = (_number(value[end], share) for end in ("low", "high"))
        return f"{_number(value['value'], share)} ({low} to {high})"
    return f"{value:.1%}".replace("%", " %") if share else f"{value:.4g}"


def _is_share(name: str) -> bool:
    return name in ("accuracy", "share of right decisions", "outliers found", "false alarms")


def _accuracy(document: Mapping[str, Any]) -> str:
    accuracy, data = document["accuracy"], document["data"]
    rows = [
        (
            name,
            _number(accuracy["float"].get(name), _is_share(name)),
            _number(value, _is_share(name)),
        )
        for name, value in accuracy["device"].items()
    ]
    lines = [
        "## Accuracy",
        "",
        f"{data['samples']} samples of {inline(data['name'])} ({inline(data['which'])}). Float: "
        f"{accuracy['float_is']}.",
        "",
        *_table(("", "float", "board"), rows),
        "",
        f"Board and float agree on {_number(accuracy['agreement'], True)} of the samples.",
    ]
    return "\n".join(lines)


def _picture(figures: Mapping[str, str], name: str, alt: str) -> list[str]:
    return ["", f"![{alt}]({figures[name]})"] if name in figures else []


def _calibration(part: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    if not part["applies"]:
        return f"## Calibration\n\nDoes not apply: {part['why']}."
    rows = [
        (
            f"{each['from']:.2f} to {each['to']:.2f}",
            each["samples"],
            _number(each.get("confidence"), True),
            _number(each.get("accuracy"), True),
        )
        for each in part["bins"]
        if each["samples"]
    ]
    lines = [
        "## Calibration",
        "",
        f"Expected calibration error {part['expected_calibration_error']:.4f}, mean confidence "
        f"{_number(part['mean_confidence'], True)}.",
        *_picture(figures, "reliability", "Reliability diagram"),
        "",
        *_table(("probability", "samples", "mean", "came true"), rows),
    ]
    return "\n".join(lines)


def _robustness(part: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    if not part["applies"]:
        return f"## Robustness\n\nNot measured: {part['why']}."
    decides = part["metric"] != "root mean square error"
    lines = [
        "## Robustness",
        "",
        f"{part['metric'].capitalize()} of {part['samples']} samples that an attacker moves within "
        f"a distance ({part['unit']}); {part['columns_moved']} of {part['columns']} columns can be "
        f"moved. Without attack: {_number(part['clean'], decides)}.",
        *_picture(figures, "robustness", "Accuracy under attack"),
        "",
        *_table(
            ("attack", "distance", part["metric"]),
            [
                (_attack(each), f"{row['eps']:g}", _number(row["device"], decides))
                for each in part["attacks"]
                for row in each["strengths"]
            ],
        ),
        "",
        "An attack that fails proves nothing: another may succeed.",
    ]
    return "\n".join(lines)


def _attack(each: Mapping[str, Any]) -> str:
    norm = {"linf": "L-infinity", "l2": "L2"}[each["norm"]]
    if each["kind"] == "white box":
        return f"white box, {norm}, PGD of {each['steps']} steps, {each['restarts']} starts"
    return f"black box, {norm}, random search of {each['queries']} answers"


def _faults(part: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    if not part["applies"]:
        return f"## Faults\n\nNot measured: {part['why']}."
    decides = part["metric"] != "root mean square error"
    rows = []
    for curve in part["curves"]:
        for row in curve["rows"]:
            values = (_number(row.get(name), decides) for name in ("mean", "worst"))
            rows.append((curve["where"], row["flips"], *values, _number(row["refused"], True)))
    lines = [
        "## Faults",
        "",
        f"The model uses {part['bits']} bits of memory. {part['metric'].capitalize()} with bits "
        f"flipped at random ({part['trials']} draws of each number, {part['samples']} samples), of "
        f"runs that were answered:",
        *_picture(figures, "faults", "Flipped bits and accuracy"),
        "",
        *_table(("where", "bits flipped", "mean", "worst", "refused"), rows),
        "",
        *_coverage(part["coverage"]),
        "",
        *_worst(part["worst_bits"], decides),
        "",
        *_over_time(part, decides),
    ]
    return "\n".join(lines)


def _coverage(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "What is noticed of single flipped bits, by the driver and the board of today:"
    yield ""
    names = list(rows[0]["outcomes"])
    yield from _table(
        ("where", "bits", "tried", *names, "noticed of what is not masked"),
        [
            (
                each["region"],
                each["bits"],
                each["tried"],
                *each["outcomes"].values(),
                _number(each["noticed_of_harmful"], True),
            )
            for each in rows
        ],
    )


def _worst(part: Mapping[str, Any], decides: bool) -> Iterator[str]:
    yield (
        f"The worst single bits of weights that were found; {part['tried']} of "
        f"{part['sign_bits']} sign bits were tried, so that worse ones may be there:"
    )
    yield ""
    rows: list[tuple[object, ...]] = []
    for each in part["worst"]:
        loss = "refused"
        if each["loss"] is not None:
            loss = f"{100 * each['loss']:.1f} points" if decides else f"{each['loss']:.4g}"
        rows.append((inline(each["node"]), each["address"], each["bit"], loss))
    yield from _table(("node", "byte", "bit", "loss"), rows)


def _over_time(part: Mapping[str, Any], decides: bool) -> Iterator[str]:
    if part["over_time"] is None:
        yield "Expected accuracy over time needs a rate of upsets, which depends on the place: "
        yield "`--upset-rate` takes it."
        return
    yield (
        f"Expected {part['metric']} after some time without loading the model again, at "
        f"{part['upset_rate']:g} upsets a bit and day (given by the user, no property of the "
        f"board), computed from the curve:"
    )
    yield ""
    yield from _table(
        ("time", "upsets", f"{part['metric']} of answers", "refuses"),
        [
            (
                each["time"],
                f"{each['upsets']:.3g}",
                _number(each["expected"], decides)
                + (" or worse" if each["beyond_what_was_tried"] else ""),
                _number(each["refused"], True),
            )
            for each in part["over_time"]
        ],
    )


def _unusual(part: Mapping[str, Any], guard: Mapping[str, Any]) -> str:
    if not part["applies"]:
        return f"## Unusual samples\n\nNot measured: {part['why']}."
    names = list(dict.fromkeys(name for kind in part["kinds"] for name in kind["scores"]))
    rows: list[tuple[object, ...]] = []
    for kind in part["kinds"]:
        cells = []
        for name in names:
            score = kind["scores"].get(name)
            shown = "-"
            if score is not None:
                shown = f"{score['auroc']:.3f}, {score['found']['value']:.0%}".replace("%", " %")
            cells.append(shown)
        rows.append((kind["kind"], kind["samples"], *cells))
    lines = [
        "## Unusual samples",
        "",
        f"Area under the ROC curve against {part['samples']} usual samples, and the share that is "
        f"found where {part['false_alarms']:.0%} of the usual ones raise a false alarm.".replace(
            "% ", " % ", 1
        ),
        "",
        *_table(("samples", "number", *names), rows),
    ]
    if part["with_guard"]:
        lines += ["", inline(guard_sentence(guard))]
    else:
        lines += ["", "Without a guard: `--guard` names the program of a detector."]
    return "\n".join(lines)


def _references() -> str:
    lines = [
        "## Cross-references",
        "",
        "Where sections of this card may serve as evidence. A cross-reference is no statement of "
        "conformity: what applies, and whether it suffices, is for those to judge who answer for "
        "the system.",
        "",
        *_table(("section", "NIST AI RMF 1.0", "EU AI Act (2024/1689)"), list(REFERENCES)),
    ]
    return "\n".join(lines)


def _reproduction(document: Mapping[str, Any]) -> str:
    model, data, board = document["model"], document["data"], document["board"]
    rows = [
        ("model", f"{inline(model['name'])}, SHA-256 {model['sha256']}"),
        ("program", f"digest {model['digest']} ({board['lanes']} lanes), {model['words']} words, "
         f"{model['cycles']} cycles a sample"),
        ("data", f"{inline(data['name'])}, SHA-256 of the samples {data['sha256']}"),
        ("board", f"{inline(board['board'])}, {inline(board['url'])}, {board['kind']}, "
         f"{board['clock_hz'] / 1e6:g} MHz"),
        ("seed", document["settings"]["seed"]),
        ("versions", ", ".join(f"{name} {each}" for name, each in document["versions"].items())),
    ]  # fmt: skip
    lines = ["## Reproduction", "", *_table(("", ""), list(rows)), ""]
    return "\n".join([*lines, "All numbers and settings are in `audit.json`."])
