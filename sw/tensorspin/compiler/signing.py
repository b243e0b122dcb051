"""Signatures of program files (Ed25519), so that a board runs only what its owner has signed.

What is signed are all bytes of the archive as it is on the disk: names, order and content of all
members, and what stands between them. The signature is the archive's comment, the last thing in the
file, so that no two readers can disagree about what it covers. Readers of archives pass over a
comment: signed files have the version of unsigned ones, and older versions of the package read
them.

Keys are files of OpenSSH or PEM, as ``ssh-keygen -t ed25519`` and ``openssl genpkey -algorithm
ed25519`` write them. Package cryptography (extra ``signing``) is imported when a key is read.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SignatureError
from ..files import binary_file, check_private, check_readable, readable_file, text_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_COMMENT = re.compile(rb"tensorspin signature 1 (SHA256:[A-Za-z0-9+/]{43}) ([0-9a-f]{128})")
"""Comment of a signed archive: the fingerprint of the key as ``ssh-keygen -l`` shows it, and the
signature of the comment up to there and of all bytes before the comment."""

_COMMENT_BYTES = 23 + 50 + 1 + 128
"""Length of that comment."""

_END = b"PK\5\6"
"""First bytes of the record at the end of an archive, whose last two bytes are the comment's
length, least significant byte first."""

_END_BYTES = 22
"""Length of that record without the comment."""

_MOST_KEY_BYTES = 1 << 16
"""Most bytes of a file with a key, which has some hundred."""


def new_key(path: str | Path) -> str:
    """Make a pair of keys, as ``ssh-keygen -t ed25519`` does.

    Parameters
    ----------
    path : str or Path
        File for the private key, which its owner alone may read. The public key goes into a file
        of the same name with ``.pub`` at its end.

    Returns
    -------
    str
        Fingerprint of the key, by which people compare public keys.

    Raises
    ------
    OSError
        If one of the files exists, or cannot be written.
    ImportError
        If the extra ``signing`` is not installed.
    """
    serialization, ed25519 = _cryptography()
    path = Path(path)
    public_path = path.with_name(path.name + ".pub")
    for each in (path, public_path):
        if os.path.lexists(each):
            raise FileExistsError(f"{each} exists, and a key is never replaced; name another file")
    key = ed25519.Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    # It never has other permissions, not even for a moment.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    with text_file(public_path) as text:
        text.write(_ssh_line(key.public_key()).decode() + " tensorspin\n")
    return fingerprint(key.public_key())


def sign(
    path: str | Path, key: str | Path, passphrase: Callable[[], str] | None = None
) -> tuple[bytes, str]:
    """Sign the bytes of an archive.

    Parameters
    ----------
    path : str or Path
        The archive. It is only read; an older signature in it is left out.
    key : str or Path
        File with a private key that its owner alone may read.
    passphrase : callable, optional
        Called without arguments if the key has a passphrase. Without it such a key is refused.

    Returns
    -------
    content : bytes
        The signed archive.
    fingerprint : str
        Fingerprint of the key.

    Raises
    ------
    ValueError
        If the key is none, or the file is no archive.
    OSError
        If a file cannot be read, or others may read the key.
    ImportError
        If the extra ``signing`` is not installed.
    """
    private = _private_key(Path(key), passphrase)
    archive = _without_comment(_content(path), path)
    name = fingerprint(private.public_key())
    archive = archive[:-2] + _COMMENT_BYTES.to_bytes(2, "little")
    head = f"tensorspin signature 1 {name} ".encode()
    return archive + head + private.sign(head + archive).hex().encode(), name


def write_signed(path: str | Path, content: bytes) -> None:
    """Write what `sign` has returned, and replace the file only once everything is written.

    Parameters
    ----------
    path : str or Path
        File to write, which may be the one that was signed.
    content : bytes
        The signed archive.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    with binary_file(path) as file:
        file.write(content)


def verify(content: bytes, path: str | Path, public_key: str | Path) -> str:
    """Refuse an archive that is not, byte for byte, what the owner of a key has signed.

    Parameters
    ----------
    content : bytes
        All bytes of the archive. Whoever goes on with it must use these, since the file may have
        changed meanwhile.
    path : str or Path
        Where they were read, for messages.
    public_key : str or Path
        File with the public key.

    Returns
    -------
    str
        Fingerprint of the key.

    Raises
    ------
    SignatureError
        If the archive is not signed, was signed with another key, or has changed since.
    ValueError
        If the file of the key holds none.
    OSError
        If it cannot be read.
    ImportError
        If the extra ``signing`` is not installed.
    """
    key = _public_key(Path(public_key))
    from cryptography.exceptions import InvalidSignature

    name = fingerprint(key)
    refused = f"{path} is not what was signed with the key {public_key}"
    archive, comment = content[:-_COMMENT_BYTES], content[-_COMMENT_BYTES:]
    found = _COMMENT.fullmatch(comment)
    if not found or archive[-_END_BYTES:][:4] != _END:
        raise SignatureError(
            f"{refused}: it has no signature, or a damaged one; its owner signs it with "
            f"tensorspin sign"
        )
    signer = found[1].decode()
    if signer != name:
        raise SignatureError(f"{refused}: it says that {signer} has signed it, and this is {name}")
    try:
        key.verify(bytes.fromhex(found[2].decode()), comment[:-128] + archive)
    except InvalidSignature:
        raise SignatureError(
            f"{refused}: it was changed since, or the signature is forged; get the file again from "
            f"its owner"
        ) from None
    return name


def signer(path: str | Path) -> str | None:
    """Tell which key a file says that it was signed with; nothing is verified.

    Parameters
    ----------
    path : str or Path
        An archive.

    Returns
    -------
    str or None
        Fingerprint of the key; None if there is no signature.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    found = _COMMENT.fullmatch(_content(path)[-_COMMENT_BYTES:])
    return found[1].decode() if found else None


def key_fingerprint(public_key: str | Path) -> str:
    """Give the fingerprint of a public key in a file.

    Parameters
    ----------
    public_key : str or Path
        File with the key.

    Returns
    -------
    str
        The fingerprint, as ``ssh-keygen -l`` shows it.

    Raises
    ------
    ValueError
        If the file holds no Ed25519 public key.
    OSError
        If it cannot be read.
    ImportError
        If the extra ``signing`` is not installed.
    """
    return fingerprint(_public_key(Path(public_key)))


def fingerprint(key: Ed25519PublicKey) -> str:
    """Give a short name of a public key, as ``ssh-keygen -l`` shows it.

    Parameters
    ----------
    key : Ed25519PublicKey
        The key.

    Returns
    -------
    str
        ``SHA256:`` and 43 characters.
    """
    blob = base64.b64decode(_ssh_line(key).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _cryptography() -> tuple[Any, Any]:
    """Import what is needed of the package cryptography: serialization and ed25519."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ImportError(
            f"signatures need the package cryptography ({error}): pip install 'tensorspin[signing]'"
        ) from error
    return serialization, ed25519


def _ssh_line(key: Ed25519PublicKey) -> bytes:
    serialization, _ = _cryptography()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def _content(path: str | Path) -> bytes:
    with readable_file(path) as file:
        return file.read()


def _without_comment(content: bytes, path: str | Path) -> bytes:
    """Return an archive up to its comment, whose length must be that of what follows."""
    # The end of an archive is looked for as all readers do, from the end of the file.
    end = content.rfind(_END, max(0, len(content) - _END_BYTES - 0xFFFF))
    length = content[end + _END_BYTES - 2 : end + _END_BYTES]
    if end < 0 or int.from_bytes(length, "little") != len(content) - end - _END_BYTES:
        raise ValueError(f"{path} must be an archive that ends with its comment; save it again")
    return content[: end + _END_BYTES]


def _key_bytes(path: Path, private: bool) -> bytes:
    """Read the file of a key; a private one must be its owner's alone."""
    if not path.exists():
        raise FileNotFoundError(
            f"cannot read {path}: there is no such file; tensorspin sign --new-key makes keys"
        )
    if private:
        check_readable(path)
        with open(path, "rb") as file:
            check_private(path, os.fstat(file.fileno()))
            content = file.read(_MOST_KEY_BYTES + 1)
    else:
        with readable_file(path) as stream:
            content = stream.read(_MOST_KEY_BYTES + 1)
    if len(content) > _MOST_KEY_BYTES:
        raise ValueError(f"{path} must hold a key, not more than {_MOST_KEY_BYTES} bytes")
    return content


def _private_key(path: Path, passphrase: Callable[[], str] | None) -> Ed25519PrivateKey:
    serialization, ed25519 = _cryptography()
    if path.suffix == ".pub":  # which others may read
        raise ValueError(f"{path} is a public key by its name; signing needs the private one")
    content = _key_bytes(path, private=True)
    openssh = b"OPENSSH PRIVATE KEY" in content
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        try:
            key = load(content, None)
        except TypeError:  # it has a passphrase
            if passphrase is None:
                raise ValueError("it has a passphrase, and nobody can be asked for it") from None
            key = load(content, passphrase().encode())
    except Exception as error:  # of many kinds, by the format of the key
        raise ValueError(f"{path} must be an Ed25519 key of OpenSSH or PEM: {error}") from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError(
            f"{path} must be an Ed25519 key, not {type(key).__name__}; tensorspin sign --new-key "
            f"makes one"
        )
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    serialization, ed25519 = _cryptography()
    content = _key_bytes(path, private=False)
    if b"PRIVATE KEY" in content:
        raise ValueError(
            f"{path} is a private key, which belongs to its owner alone; give the public one "
            f"(ssh-keygen -y shows it)"
        )
    pem = b"-----BEGIN" in content
    load = serialization.load_pem_public_key if pem else serialization.load_ssh_public_key
    try:
        key = load(content.strip())
    except Exception as error:  # of many kinds, by the format of the key
        raise ValueError(
            f"{path} must be one Ed25519 public key of OpenSSH or PEM: {error}"
        ) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise ValueError(f"{path} must be an Ed25519 key, not {type(key).__name__}")
    return key
