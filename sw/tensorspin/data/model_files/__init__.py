"""Files of Ising and QUBO models, and tables of the best values known for them.

An Ising model gives an energy to spins of +1 and -1, a QUBO model (quadratic unconstrained binary
optimisation) a value to variables of 0 and 1; both become a `dimod.BinaryQuadraticModel`, which is
what the annealer minimises. Some formats state another objective, such as the largest cut of a
graph; `Model.value` converts energies back to it.

`recognise` finds the format of a file. `triplets`, `graphs`, `matrix_market`, `dimod_text` and
`constrained` have the readers, which share what `text` and `compression` do.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..dimod_files import read_dimod
from ..errors import DataError
from . import matrix_market
from .compression import SUFFIXES, read_content
from .constrained import read_constrained, read_lp
from .dimod_text import energy_model, read_coo, read_json
from .graphs import read_dimacs
from .known_values import TABLE, KnownValue, find_known_value
from .matrix_market import read_matrix_market
from .model import Answers, Model
from .recognise import recognise, recognise_binary
from .text import decode
from .triplets import READINGS, read_triplets

__all__ = [
    "FORMATS",
    "MOST_BYTES",
    "TABLE",
    "Answers",
    "KnownValue",
    "Model",
    "find_known_value",
    "read_model",
]

FORMATS = (*READINGS, "dimacs", *matrix_market.FORMATS, "coo", "json", "dimod", "cqm", "lp")
"""Names of the formats that `read_model` reads; its documentation describes them."""

MOST_BYTES = 1 << 26
"""Most bytes that a compressed file may expand to: 64 MiB, about five million couplings.

Reading text takes up to fifty times its size in memory, here about 3 GB. A file that is not
compressed has no limit: its user sees how large it is.
"""

_GUESS = "; the file does not say so: for min x'Qx choose --format sparse, bq or qs"
"""What is added to the reading of a file that is a list of numbers and nothing else."""


def read_model(
    path: str | Path,
    file_format: str | None = None,
    *,
    maximise: bool = False,
    lagrange_multiplier: float | None = None,
) -> Model:
    r"""Read a file that holds an Ising or QUBO model.

    ======== =====================================================================================
    format   content
    ======== =====================================================================================
    rudy     G-set, BiqMac's and MQLib's max-cut, Bonn's .mc: a line ``n m`` (nodes, edges), then
             ``i j w`` for each edge, nodes counted from 1. To maximise: the sum of w over the edges
             that are cut. The model is ``sum w s_i s_j``.
    sparse   BiqMac's .sparse and MQLib's QUBO: a line ``n m``, then ``i j q``, counted from 1, one
             half of a symmetric matrix Q. To minimise (MQLib: to maximise): x'Qx, in which each q
             off the diagonal counts twice.
    qs       QOBLIB's .qs: as sparse, with a constant term in a comment ``# ObjectiveOffset``.
    bq       Bonn's .bq: a line ``n m``, then ``i j q``, counted from 1, the entries of Q. To
             minimise: x'Qx, in which each q counts once.
    qubo     qbsolv's .qubo: ``p qubo 0 nodes diagonals elements``, then ``i j q``, counted from 0.
             To minimise: the sum of ``q x_i x_j``, in which each q counts once.
    dimacs   A graph of the DIMACS challenges: ``p edge nodes edges``, then ``e i j`` or
             ``e i j w``, counted from 1. To maximise: the cut.
    mtx      MatrixMarket: a square matrix. A pattern is read as a graph ("mtx-cut"), any other
             matrix as Q of x'Qx ("mtx-qubo"), in which each entry of the whole matrix counts once.
    coo      What dimod.serialization.coo writes, with its first line ``# vartype=...``.
    json     What json.dump writes of dimod.BinaryQuadraticModel.to_serializable.
    dimod    What dimod.BinaryQuadraticModel.to_file writes.
    cqm      What dimod.ConstrainedQuadraticModel.to_file writes; constraints become penalties.
    lp       An LP file of binary and integer variables; constraints become penalties.
    ======== =====================================================================================

    In the text formats, lines that begin with ``#`` are comments, except in LP and JSON; in rudy,
    sparse, qs, bq, qubo and dimacs also those that begin with ``c``.

    Parameters
    ----------
    path : str or Path
        The file, which may be compressed by xz, gzip or bzip2, whatever its name, and then expand
        to at most `MOST_BYTES`.
    file_format : str, optional
        One of `FORMATS`. By default the format is recognised by the content where that tells, and
        otherwise by the file's suffix; a list of numbers that says of no problem is read as rudy,
        which `Model.reading` says.
    maximise : bool, default=False
        Whether the file's quadratic form, energy or objective is to be maximised. A cut always is.
    lagrange_multiplier : float, optional
        Weight of the penalties of a model with constraints. By default ten times the largest
        coefficient of its objective.

    Returns
    -------
    Model
        The model and the objective of the file.

    Raises
    ------
    DataError
        If the file cannot be read, or does not have the format.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tensorspin.data import read_model
    >>> path = Path("triangle.txt")
    >>> _ = path.write_text("# a graph\n3 3\n1 2 1\n2 3 1\n1 3 1\n")
    >>> model = read_model(path)
    >>> model.objective, model.bqm.num_variables
    ('max cut', 3)
    """
    path = Path(path)
    if file_format is not None and file_format not in FORMATS:
        raise DataError(f"format must be one of {', '.join(FORMATS)}, not {file_format!r}")
    if lagrange_multiplier is not None and not 0 < lagrange_multiplier < float("inf"):
        raise DataError(
            f"lagrange_multiplier must be more than 0 and finite, not {lagrange_multiplier}"
        )
    model = _read(path, read_content(path, MOST_BYTES), file_format, lagrange_multiplier)
    if model.constraints is None and lagrange_multiplier is not None:
        raise DataError(f"{path} has no constraints that lagrange_multiplier could weigh")
    return _maximised(path, model) if maximise else model


def _read(
    path: Path, content: bytes, file_format: str | None, lagrange_multiplier: float | None
) -> Model:
    """Find the format of a file, and read it."""
    chosen, guessed = file_format or recognise_binary(content), False
    if chosen == "dimod":
        return energy_model(path, read_dimod(path, content), "dimod")
    if chosen == "cqm":
        return read_constrained(path, content, MOST_BYTES, lagrange_multiplier)
    text = decode(path, content)
    if chosen is None:
        # The suffix of the format stands before that of the compression: model.qubo.gz.
        suffixes = [suffix.lower() for suffix in path.suffixes]
        own = [suffix for suffix in suffixes if suffix not in SUFFIXES]
        chosen, guessed = recognise(text, own[-1] if own else "")
    if chosen in READINGS:
        model = read_triplets(path, text, chosen)
        return replace(model, reading=model.reading + _GUESS) if guessed else model
    if chosen in matrix_market.FORMATS:
        return read_matrix_market(path, text, chosen)
    if chosen == "lp":
        return read_lp(path, text, lagrange_multiplier)
    if chosen in ("dimod", "cqm"):  # the suffix says so, and the content does not
        raise DataError(f"{path} is no binary quadratic model that dimod has written")
    readers = {"dimacs": read_dimacs, "coo": read_coo, "json": read_json}
    return readers[chosen](path, text)


def _maximised(path: Path, model: Model) -> Model:
    """Turn a model whose objective is to be maximised into one whose energy is minimised."""
    if model.objective == "max cut":
        raise DataError(
            f"{path} is read as a graph, whose cut is maximised in any case; leave out maximise, "
            f"or choose the format of a matrix (sparse, bq, qs, mtx-qubo)"
        )
    if model.constraints is not None:
        raise DataError(
            f"{path} has constraints, and its own objective says whether it is maximised; leave "
            f"out maximise"
        )
    bqm = model.bqm.copy()
    bqm.scale(-1)
    objective = "max " + model.objective.removeprefix("min ")
    reading = model.reading.replace("min x'Qx", "max x'Qx").replace(
        "least energy", "greatest energy"
    )
    return replace(model, bqm=bqm, objective=objective, reading=reading)
