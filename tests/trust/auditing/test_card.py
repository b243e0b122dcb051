"""The model card, and the fields that its user fills."""

from __future__ import annotations

import json
import re

import pytest

from tensorspin.trust import AuditReport, Settings, audit
from tensorspin.trust.auditing.card import REFERENCES, inline
from tensorspin.trust.auditing.fields import FIELDS, checked_fields, read_fields, template

from ...support import audited

SETTINGS = Settings(
    eps_linf=(0.1,), eps_l2=(0.2,), steps=2, queries=3, attack_samples=10, faults=3, flips=(1,)
)


@pytest.fixture(scope="module")
def report():
    program, X, y = audited.classifier()
    fields = {
        "name": 'iris "x"',
        "license": "apache-2.0",
        "intended_use": "Telling flowers.\nNothing else.",
    }
    about = {"name": "model", "data": "iris|<b>", "sha256": "ab" * 32}
    return audit(program, X, y, settings=SETTINGS, fields=fields, about=about)


def header_of(text):
    """The header's lines, of which those with a text hold it as JSON has it."""
    assert text.startswith("---\n")
    return text.split("---\n")[1].splitlines()


def test_the_header_has_the_customary_metadata(report):
    lines = header_of(report.markdown())
    assert "library_name: tensorspin" in lines and 'license: "apache-2.0"' in lines
    assert "pipeline_tag: tabular-classification" in lines
    (name,) = (line for line in lines if line.startswith("- name:"))
    assert json.loads(name.partition(": ")[2]) == 'iris "x"'
    (value,) = (line for line in lines if "value:" in line)
    accuracy = report.document["accuracy"]["device"]["accuracy"]["value"]
    assert float(value.split()[-1]) == pytest.approx(accuracy, rel=1e-5)


def test_what_people_said_is_quoted_and_what_they_did_not_is_asked(report):
    text = report.markdown()
    assert "## Intended use\n\n> Telling flowers.\n> Nothing else.\n" in text
    assert f"*To be filled in: {FIELDS['limitations'].question}*" in text
    assert "fields of this card are not filled in" in report.warnings


def test_names_do_not_change_the_form(report):
    text = report.markdown()
    assert "iris\\|\\<b\\>" in text and "<b>" not in text.split("---\n", 2)[2]
    tables = re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE)
    assert len(tables) >= 7
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table
    assert inline("a\nb") == "a b"


def test_sections_that_are_referred_to_are_there_and_nobody_is_compliant(report):
    text = report.markdown()
    for sections, nist, act in REFERENCES:
        for section in sections.split(", "):
            assert f"## {section[0].upper()}{section[1:]}\n" in text
        assert nist and act
    assert "complian" not in text.lower() and "no statement of conformity" in text


def test_figures_are_shown_where_they_belong(report):
    text = report.markdown({"faults": "faults.svg"})
    assert text.index("## Faults") < text.index("](faults.svg)") < text.index("## Unusual samples")
    assert "reliability" not in text


def test_files_of_a_report(report, tmp_path):
    report.save(tmp_path)
    assert json.loads((tmp_path / "audit.json").read_text()) == report.document
    assert (tmp_path / "README.md").read_text() == report.markdown()
    assert isinstance(report, AuditReport)


def test_the_template_has_nothing_filled_in(tmp_path):
    path = tmp_path / "fields.toml"
    path.write_text(template())
    assert read_fields(path) == {}
    path.write_text(template().replace('limitations = """\n', 'limitations = """\nBlue ones.\n'))
    assert read_fields(path) == {"limitations": "Blue ones."}


@pytest.mark.parametrize(
    "text, message",
    [
        ("= 1", "is no TOML file"),
        ("purpose = 'x'", "fields are intended_use, .*, not 'purpose'"),
        ("contact = 3", "contact must be a text, not 3"),
    ],
)
def test_files_of_fields_that_are_none(tmp_path, text, message):
    path = tmp_path / "fields.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_fields(path)
    assert checked_fields({}) == {}
