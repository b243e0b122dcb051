"""What a file is that a command was given, and which command takes it if that one does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile, is_zipfile

from ..errors import TensorspinError

if TYPE_CHECKING:
    from ..compiler import NetworkProgram

PROGRAM, SAMPLES, TABLE, ARCHIVE, MODEL = "program", "samples", "table", "archive", "model"
"""What a file may be. Model files have many formats, so that any other text counts as one."""

_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".npy")
"""Endings of tables of samples. Some model files end in .csv, too: no command knows which."""

_ARRAYS = frozenset({"X", "y", "X_train", "y_train", "X_test", "y_test", "arr_0"})


def kind_of_file(path: Path) -> str | None:
    """Tell what a file is.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str or None
        `PROGRAM`, `SAMPLES` (an archive of them), `TABLE` (by its name), `ARCHIVE` (any other zip
        archive, and what has the name of one) or `MODEL`. None: it is no regular file, or can't be
        read.
    """
    if not path.is_file():  # a pipe can be read only once, by whoever reads its content
        return None
    if path.name.endswith(_TABLES):
        return TABLE
    try:
        with open(path, "rb") as file:
            # A model with constraints is a zip archive too, behind a few bytes of dimod's own.
            if file.read(2) != b"PK" or not is_zipfile(file):
                # What is wrong with an archive, whoever reads it says.
                return ARCHIVE if path.suffix == ".npz" else MODEL
            with ZipFile(file) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, BadZipFile):
        return None
    if {"metadata", "weights"} <= names:
        return PROGRAM
    return SAMPLES if names & _ARRAYS else ARCHIVE


def other_command(path: Path, *taken: str) -> str | None:
    """Say what a file is, and which commands take it, if a command does not.

    Parameters
    ----------
    path : Path
        The file.
    *taken : str
        What the command takes, of the kinds that `kind_of_file` returns.

    Returns
    -------
    str or None
        The end of a message; None if the command takes such files, or nothing is known of it.
    """
    kind = kind_of_file(path)
    if kind in taken or kind in (None, ARCHIVE):
        return None
    samples = (
        f"it holds samples: tensorspin train {path} --board NAME learns from them what fits a board"
    )
    return {
        TABLE: samples,
        SAMPLES: samples,
        PROGRAM: f"it is a program: tensorspin estimate {path} says what fits, tensorspin run and "
        f"tensorspin predict use it on a board",
        MODEL: f"if it is an Ising or QUBO model, tensorspin estimate {path} says what fits, and "
        f"tensorspin anneal solves it on a board",
    }[kind]


def load_program(path: Path, public_key: Path | None = None) -> NetworkProgram:
    """Load a program that a user has named.

    Parameters
    ----------
    path : Path
        The file.
    public_key : Path, optional
        File with the public key with which the program must have been signed.

    Returns
    -------
    NetworkProgram
        The program.

    Raises
    ------
    OSError
        If there is no such file, or it can't be read.
    ValueError
        If it is something else: the message says which command takes it.
    ProgramFileError
        If it is damaged, or was written by a later version.
    SignatureError
        If a key is given, and the file is not what was signed with it.
    """
    from ..compiler import NetworkProgram

    if not path.exists():
        raise FileNotFoundError(
            f"cannot read {path}: there is no such file; tensorspin train writes programs"
        )
    # Damage may hide what a file is, so one that must be signed is not guessed at.
    other = None if public_key is not None else other_command(path, PROGRAM)
    if other is not None:
        raise ValueError(f"{path} is no program that tensorspin train has written; {other}")
    try:
        return NetworkProgram.load(path, public_key=public_key)
    except ImportError as error:  # the package for signatures
        raise TensorspinError(str(error)) from error
