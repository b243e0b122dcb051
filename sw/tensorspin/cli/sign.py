"""The command ``tensorspin sign``: sign a trained program, or make the keys for it."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from ..errors import TensorspinError
from .given_files import load_program
from .report import Line


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.description = (
        "Sign a program file with an Ed25519 key. The signature goes into the file, which every "
        "version of Tensorspin reads as before. tensorspin verify checks it, and so do run, "
        "predict and export with --require-signature."
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
        help="private key, of OpenSSH (ssh-keygen -t ed25519) or PEM, readable by you alone",
    )
    what.add_argument(
        "--new-key",
        type=Path,
        metavar="FILE",
        help="make a pair of keys instead, as ssh-keygen does: the private one in FILE, the public "
        "one in FILE.pub",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the signed program to this file; by default the signature is added to MODEL",
    )
    parser.set_defaults(command=_sign)


def add_signature_option(parser) -> None:
    """Add ``--require-signature``, which commands that use a program have, to a parser."""
    parser.add_argument(
        "--require-signature",
        type=Path,
        metavar="PUB",
        help="refuse the program unless it is what was signed with this public key (tensorspin "
        "sign)",
    )


def _sign(options) -> int:
    try:
        return _sign_or_make_key(options)
    except ImportError as error:  # the package for signatures
        raise TensorspinError(str(error)) from error


def _sign_or_make_key(options) -> int:
    from ..compiler.signing import new_key, sign, write_signed

    if options.new_key is not None:
        if options.model is not None or options.output is not None:
            raise ValueError("--new-key makes keys alone; sign MODEL afterwards, with --key")
        name = new_key(options.new_key)
        options.report.table(
            Line("private key", options.new_key, key="private_key"),
            Line("public key", f"{options.new_key}.pub", key="public_key"),
            Line("fingerprint", name),
        )
        options.report.say("The private key has no passphrase: keep it where nobody else reads it.")
        return 0
    if options.model is None:
        raise ValueError("MODEL must be given: the program to sign")
    load_program(options.model)  # what is no sound program is not signed
    content, name = sign(options.model, options.key, lambda: _passphrase(options.key))
    output = options.output or options.model
    write_signed(output, content)
    options.report.table(Line("signed", output, key="output"), Line("key", name))
    return 0


def _passphrase(key: Path) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ValueError("it has a passphrase, and there is no terminal to ask for it")
    return getpass(f"passphrase of {key}: ")
