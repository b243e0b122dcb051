"""The evidence of an audit: a document of numbers, and a model card for people."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...files import text_file
from .card import card

VERSION = 1
"""Version of the document's form."""


@dataclasses.dataclass(frozen=True)
class AuditReport:
    """What an audit has found.

    Parameters
    ----------
    document : dict
        All numbers with settings, seeds, digests and versions, as JSON has them. The same audit of
        the same model on the same board gives the same document.

    Examples
    --------
    >>> report = AuditReport({"warnings": ["no guard"]})
    >>> report.warnings
    ['no guard']
    """

    document: dict[str, Any]

    @property
    def warnings(self) -> list[str]:
        """What a reader must know of the numbers."""
        return self.document["warnings"]

    def markdown(self, figures: Mapping[str, str] | None = None) -> str:
        """Write the model card.

        Parameters
        ----------
        figures : mapping of str to str, optional
            Files of figures by what they show: ``reliability``, ``robustness``, ``faults``.

        Returns
        -------
        str
            Markdown with a header of metadata, as Hugging Face's cards have it.
        """
        return card(self.document, figures or {})

    def save(self, folder: str | Path, figures: Mapping[str, str] | None = None) -> None:
        """Write ``README.md``, the card, and ``audit.json``, the document, into a folder.

        Parameters
        ----------
        folder : str or Path
            The folder, which must be there.
        figures : mapping of str to str, optional
            Files of figures in it, as for `markdown`.
        """
        folder = Path(folder)
        with text_file(folder / "audit.json") as file:
            file.write(json.dumps(self.document, indent=1, allow_nan=False) + "\n")
        with text_file(folder / "README.md") as file:
            file.write(self.markdown(figures))


def plain(value: Any) -> Any:
    """Turn a value into what JSON has; estimates become objects, infinite numbers null.

    Parameters
    ----------
    value : object
        Numbers, texts, named tuples, dataclasses, lists and mappings.

    Returns
    -------
    object
        The value for `json.dumps`.

    Examples
    --------
    >>> from tensorspin.trust.intervals import Estimate
    >>> plain({"accuracy": Estimate(0.5, 0.25, 0.75)})
    {'accuracy': {'value': 0.5, 'low': 0.25, 'high': 0.75}}
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float) else str(value)
