"""Tables of the best values known for model files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ...files import check_readable
from ..errors import DataError

TABLE = "best_known.csv"
"""Name of the table of best values known, beside the model files or in the folder above."""


@dataclass(frozen=True)
class KnownValue:
    """The best value known for a model file, as its line in `TABLE` gives it.

    Parameters
    ----------
    objective : str
        What the value is a value of, in the words of `Model.objective`.
    value : float
        The best value known.
    status : str
        How certain the value is, for example "proven optimum" or "best known".

    Examples
    --------
    >>> from tensorspin.data import KnownValue
    >>> KnownValue("max cut", 11624.0, "best known").value
    11624.0
    """

    objective: str
    value: float
    status: str


def find_known_value(path: str | Path, folder: str | Path | None = None) -> KnownValue | None:
    r"""Look up the best value known for a model file.

    Parameters
    ----------
    path : str or Path
        The model file. Its line in the table is found by the file's name, without folders.
    folder : str or Path, optional
        Folder that holds the table (`TABLE`). By default the file's own folder is tried, then the
        folder above.

    Returns
    -------
    KnownValue or None
        The value, or None if there is no table or the file is not in it.

    Raises
    ------
    DataError
        If there is no table in `folder`, or a table cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tensorspin.data import find_known_value
    >>> line = "triangle.txt,3,3,max cut,2,proven optimum"
    >>> _ = Path("best_known.csv").write_text(f"file,n,m,objective,value,status\n{line}\n")
    >>> find_known_value("triangle.txt")
    KnownValue(objective='max cut', value=2.0, status='proven optimum')
    """
    path = Path(path)
    if folder is not None:
        table = Path(folder) / TABLE
        if not table.is_file():
            raise DataError(f"there is no {TABLE} in {folder}")
        tables = [table]
    else:
        own = path.resolve().parent
        tables = [place / TABLE for place in (own, own.parent) if (place / TABLE).is_file()]
    for table in tables:
        try:
            # Spreadsheets begin a file with a byte order mark, which utf-8-sig skips.
            check_readable(table)
            with open(table, newline="", encoding="utf-8-sig") as file:
                for row in csv.DictReader(file):
                    if Path(row["file"]).name == path.name:
                        return KnownValue(row["objective"], float(row["value"]), row["status"])
        except OSError as error:
            raise DataError(f"cannot read {table}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{table} is not UTF-8: {error}; save it as UTF-8") from error
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise DataError(
                f"{table} must have the columns file, objective, value and status: {error}"
            ) from error
    return None
