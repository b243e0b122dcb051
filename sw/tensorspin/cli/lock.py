"""The command ``tensorspin lock``: approve a program for locked boards, or make the key for it."""

from __future__ import annotations

from pathlib import Path

from .given_files import load_program
from .report import Line


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.description = (
        "Approve a program for boards that are locked with a key: a tag goes into the program "
        "file, and running it needs no key. Every version of Tensorspin reads the file as before."
    )
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        help="program, a .npz file that tensorspin train has written",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="key of the boards, as --new-key writes it, readable by you alone",
    )
    what.add_argument(
        "--new-key",
        type=Path,
        metavar="FILE",
        help="make a key instead, for boards that will be built with it",
    )
    parser.add_argument(
        "--version",
        type=int,
        metavar="N",
        dest="program_version",  # `version` is that of the package
        help="version of the program, from 1 on; boards refuse versions less than the key's least. "
        "With --new-key: that least version, by default 1",
    )
    parser.add_argument(
        "--lanes",
        type=int,
        nargs="+",
        metavar="N",
        help="lanes of the boards' contractors, by default 8, as all boards have",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the program to this file; by default the tag is added to MODEL",
    )
    parser.set_defaults(command=_lock)


def _lock(options) -> int:
    from ..compiler.locking import LANES, lock_program, new_lock_key, read_lock_key
    from ..compiler.signing import signer

    if options.new_key is not None:
        if options.model is not None or options.output is not None:
            raise ValueError("--new-key makes a key alone; lock MODEL afterwards, with --key")
        key = new_lock_key(options.new_key, options.program_version or 1)
        options.report.table(
            Line("key", options.new_key, key="path"),
            Line("key name", key.name, key="key"),
            Line("least version", key.minimum, key="minimum_version"),
        )
        options.report.say(
            "Whoever has this file can approve programs: keep it where nobody else reads it."
        )
        return 0
    if options.model is None:
        raise ValueError("MODEL must be given: the program to lock")
    if options.program_version is None:
        raise ValueError("--version must be given: the program's version, from 1 on")
    key = read_lock_key(options.key)
    program = load_program(options.model)
    lanes = options.lanes or LANES
    for count in lanes:
        if count < 8 or count & (count - 1):
            raise ValueError(f"--lanes must be powers of two, 8 or more, not {count}")
    output = options.output or options.model
    signed_by = signer(options.model)
    lock_program(program, key, options.program_version, lanes).save(output)
    options.report.table(
        Line("locked", output, key="output"),
        Line("version", options.program_version),
        Line("key name", key.name, key="key"),
    )
    if signed_by is not None:
        options.report.say(
            f"{options.model} was signed by {signed_by}; with the tag, {output} is not what was "
            f"signed, and has no signature: tensorspin sign makes one"
        )
    return 0
