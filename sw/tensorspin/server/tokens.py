"""Who may use a server: a file with the hashes of tokens.

A token has 256 random bits, so that its SHA-256 digest cannot be turned back by trying, and needs
no salt. The file has one line a token: a name, the digest, and when it ends. To revoke a token,
delete its line; a running server notices.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..files import check_private, check_readable, check_writable, text_file
from .refusal import Refusal

_logger = logging.getLogger(__name__)

_HEADING = "# Tokens of Tensorspin's servers, version 1: name, digest of the token, end"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_PREFIX = "tsp_"
"""Begin of each token, by which people and secret scanners recognise one."""

_MOST_BYTES = 1 << 20
"""Most bytes of a file of tokens, which are some 9,000 of them."""


@dataclass(frozen=True)
class Entry:
    """One line of the file.

    Parameters
    ----------
    name : str
        Who has the token.
    hash : str
        ``sha256:`` and the digest of the token.
    ends : datetime or None
        When the token ends, in UTC; None if never.
    """

    name: str
    hash: str
    ends: datetime | None

    @property
    def line(self) -> str:
        """The line in the file, without its end."""
        ends = "never" if self.ends is None else self.ends.strftime(_TIME)
        return f"{self.name} {self.hash} {ends}"


def add_token(path: str | Path, name: str, lifetime: timedelta | None) -> tuple[str, Entry]:
    """Make a token, and add its hash to a file, which is made if it is missing.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str
        Who gets the token: letters, digits, dots, dashes and underscores.
    lifetime : timedelta or None
        How long the token is valid; None for ever.

    Returns
    -------
    token : str
        The token, which is nowhere else: whoever loses it needs a new one.
    entry : Entry
        What the file knows of it.

    Raises
    ------
    ValueError
        If the name is taken or none, or the file is not one of tokens.
    OSError
        If the file cannot be read or written, or others may read it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     token, entry = add_token(Path(folder) / "tokens", "lab", None)
    ...     Tokens(Path(folder) / "tokens").owner(token)
    'lab'
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name of a token must be up to 64 letters, digits, dots, dashes and underscores, not "
            f"{name!r}"
        )
    path = check_writable(path)
    entries = read_tokens(path) if path.exists() else []
    if any(entry.name == name for entry in entries):
        raise ValueError(
            f"{path} has a token of the name {name}; take another name, or delete that line first"
        )
    token = _PREFIX + secrets.token_urlsafe(32)
    ends = None if lifetime is None else (datetime.now(UTC) + lifetime).replace(microsecond=0)
    entry = Entry(name, _hash(token), ends)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with text_file(path) as file:  # which keeps the permissions of the file that it replaces
        file.write("\n".join([_HEADING, *(each.line for each in [*entries, entry]), ""]))
    return token, entry


def read_tokens(path: str | Path) -> list[Entry]:
    """Read a file of tokens.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    list of Entry
        The tokens that it knows, also those that have ended.

    Raises
    ------
    ValueError
        If a line is none.
    OSError
        If the file cannot be read, or others may read it.
    """
    check_readable(path)
    with open(path, "rb") as file:
        check_private(path, os.fstat(file.fileno()))
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{path} must have up to {_MOST_BYTES} bytes, not more")
    lines = content.decode("utf-8", errors="replace").splitlines()
    return [
        _entry(line, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]


def _entry(line: str, place: str) -> Entry:
    words = line.split()
    if len(words) != 3 or not _NAME.fullmatch(words[0]) or not _HASH.fullmatch(words[1]):
        # The line is not shown: somebody may have put the token itself there.
        raise ValueError(
            f"{place}: a line must be a name, sha256: with 64 digits, and an end, not something "
            f"else; `tensorspin appliance token` adds lines"
        )
    try:
        ends = None if words[2] == "never" else datetime.strptime(words[2], _TIME)
    except ValueError as error:
        raise ValueError(
            f"{place}: the end must be never or such as 2027-01-31T12:00:00Z, not {words[2]!r}"
        ) from error
    return Entry(words[0], words[1], None if ends is None else ends.replace(tzinfo=UTC))


def _hash(token: str) -> str:
    return "sha256:" + hashlib.sha256(token.encode("utf-8", errors="replace")).hexdigest()


class Tokens:
    """The tokens that a running server knows; the file is read again when it has changed.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    ValueError, OSError
        If the file cannot be used.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._stamp: object = None
        self._entries: list[Entry] | None = read_tokens(self._path)
        if not self._entries:
            raise ValueError(f"{path} has no token; `tensorspin appliance token` adds one")
        self._stamp = self._stamped()

    def _stamped(self) -> object:
        status = self._path.stat()
        # The time of the last change of permissions, too.
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino

    def _refresh(self) -> list[Entry]:
        """Give the entries of the file as it is now; nobody is let in if it can't be used."""
        try:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._stamp, self._entries = stamp, None
                self._entries = read_tokens(self._path)
        except (OSError, ValueError) as error:
            if self._entries is not None or self._stamp is not None:
                _logger.error("nobody is let in: %s", error)
            self._entries, self._stamp = None, None
        if self._entries is None:
            raise Refusal(503, "tokens", "the server's token file cannot be used; its log says why")
        return self._entries

    def owner(self, token: str) -> str:
        """Tell who has a token.

        Parameters
        ----------
        token : str
            What the client sent.

        Returns
        -------
        str
            The name of the token.

        Raises
        ------
        Refusal
            If the token is unknown (401), has ended (401), or the file cannot be used (503).
        """
        candidate = _hash(token)
        # All entries are compared, each in constant time, so that the time tells nothing.
        found = [entry for entry in self._refresh() if hmac.compare_digest(entry.hash, candidate)]
        if not found:
            raise Refusal(401, "unauthorised", "the token is unknown")
        if found[0].ends is not None and found[0].ends <= datetime.now(UTC):
            raise Refusal(
                401, "unauthorised", f"the token ended on {found[0].ends.strftime(_TIME)}"
            )
        return found[0].name
