"""Options of the commands that read tables of text: what columns are, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import add_header_option

if TYPE_CHECKING:
    from ..data import Known, Reading


def add_reading_options(parser) -> None:
    """Add the options to a command's parser; `reading_of` reads them."""
    group = parser.add_argument_group(
        "tables of text", "what is not given is recognised from the file, and told"
    )
    add_header_option(group)
    group.add_argument(
        "--separator",
        metavar="CHAR",
        help="the character between columns, or one of the words tab, comma, semicolon, space and "
        "pipe",
    )
    group.add_argument("--decimal", choices=(".", ","), help="the decimal mark: a point or a comma")
    group.add_argument(
        "--target",
        metavar="NAME",
        help="column with the class or the number to predict: its name, or its number from 0; "
        "none if there is none. By default the last, unless it is clearly another",
    )
    group.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="NAME",
        help="column to leave out: its name, or its number from 0; may be repeated",
    )
    group.add_argument(
        "--categorical",
        action="append",
        default=[],
        metavar="COLUMN[,COLUMN]",
        help="columns whose numbers are names, such as codes of regions, and become levels as "
        "words do: their names, or their numbers from 0; a program that was trained with them "
        "knows them. Columns of words are such columns in any case",
    )


def reading_of(options, task: str | None = None) -> Reading:
    """Return what the options of `add_reading_options` say.

    Parameters
    ----------
    options : argparse.Namespace
        The options of the command line.
    task : str, optional
        What is to be learnt: one of `tensorspin.data.reading.TASKS`.

    Returns
    -------
    Reading
        How to read a table of text.
    """
    from ..data import Reading

    return Reading(
        header=options.header,
        separator=options.separator,
        decimal=options.decimal,
        target=options.target,
        drop=tuple(options.drop),
        categorical=tuple(options.categorical),
        task=task,
        words=True,
        missing=getattr(options, "missing", None) == "level",
    )


def known_of(program) -> Known:
    """Return what a program expects of a table.

    Parameters
    ----------
    program : NetworkProgram
        The program.

    Returns
    -------
    Known
        Number and names of its features, and its classes; which features hold words or other
        categories, and which may be missing.
    """
    from ..compiler.outputs import Classification
    from ..data import Known

    classes = None
    if isinstance(program.task, Classification):
        labels = program.classes.tolist()
        numbers = [int(label) for label in labels if isinstance(label, bool)]
        classes = tuple(map(str, [*labels, *numbers]))
    categories = program.categories.columns if program.categories is not None else ()
    return Known(
        program.n_features_in_,
        program.feature_names,
        classes,
        words=frozenset(program.columns_of_words),
        categorical=frozenset(categories),
        gaps=frozenset(program.columns_with_gaps),
    )
