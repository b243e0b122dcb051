"""What only people know of a model: the fields of a card that its user fills."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Field(NamedTuple):
    """A field of the card.

    Parameters
    ----------
    title : str
        Its heading.
    question : str
        What it should answer.
    """

    title: str
    question: str


FIELDS = {
    "intended_use": Field("Intended use", "For what decisions is it meant, where, and by whom?"),
    "out_of_scope_use": Field("Out-of-scope use", "For what must it not be used?"),
    "training_data": Field(
        "Training data", "Where do the data come from, whom do they leave out, who may use them?"
    ),
    "limitations": Field("Limitations", "Where is it known to fail, and whom would that harm?"),
    "human_oversight": Field(
        "Human oversight", "Who watches it, who can overrule or stop it, and how?"
    ),
    "contact": Field("Contact", "Who answers for it, and where are incidents reported?"),
}
"""The fields by their names in a file of fields."""

HEADER = ("name", "license", "language")
"""Further names in such a file, which go into the card's header of metadata."""


def read_fields(path: str | Path) -> dict[str, str]:
    """Read a file of fields.

    Parameters
    ----------
    path : str or Path
        A TOML file with texts, under the names of `FIELDS` and `HEADER`.

    Returns
    -------
    dict of str to str
        What is filled in; empty texts are left out.

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it is no TOML, has an unknown name, or something else than texts.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML file: {error}") from error
    return checked_fields(content, str(path))


def checked_fields(fields: Mapping[str, object], source: str = "fields") -> dict[str, str]:
    """Check the names and texts of fields.

    Parameters
    ----------
    fields : mapping of str to str
        The fields.
    source : str
        Where they come from, for messages.

    Returns
    -------
    dict of str to str
        What is filled in, stripped.

    Raises
    ------
    ValueError
        If a name is unknown, or a value is no text.

    Examples
    --------
    >>> checked_fields({"intended_use": " Reading digits. ", "contact": ""})
    {'intended_use': 'Reading digits.'}
    """
    known = [*FIELDS, *HEADER]
    for name, value in fields.items():
        if name not in known:
            raise ValueError(f"{source}: fields are {', '.join(known)}, not {name!r}")
        if not isinstance(value, str):
            raise ValueError(f"{source}: {name} must be a text, not {value!r}")
    return {name: text.strip() for name, text in fields.items() if str(text).strip()}  # type: ignore[attr-defined]  # texts, as checked


def template() -> str:
    """Return a file of fields with nothing filled in."""
    lines = ["# What only people know of this model. tensorspin audit puts it into the card."]
    for name in HEADER:
        lines.append(f'{name} = ""')
    for name, field in FIELDS.items():
        lines += ["", f"# {field.question}", f'{name} = """\n"""']
    return "\n".join(lines) + "\n"
