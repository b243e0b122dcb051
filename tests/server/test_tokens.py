"""Tokens are hashed at rest, end, can be revoked, and their file is nobody else's."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from tensorspin.server import tokens
from tensorspin.server.refusal import Refusal
from tensorspin.server.tokens import Tokens, add_token, read_tokens


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens"


def test_a_token_is_known_by_its_hash_alone(path):
    token, entry = add_token(path, "lab", timedelta(days=1))
    assert Tokens(path).owner(token) == "lab"
    assert token not in path.read_text() and token[4:] not in path.read_text()
    assert len(token) > 40 and token.startswith("tsp_")
    assert timedelta(hours=23) < entry.ends - datetime.now(UTC) <= timedelta(days=1)


def test_names_are_told_apart_and_not_given_twice(path):
    first, second = add_token(path, "a", None)[0], add_token(path, "b", None)[0]
    known = Tokens(path)
    assert (known.owner(first), known.owner(second)) == ("a", "b")
    with pytest.raises(ValueError, match="has a token of the name a"):
        add_token(path, "a", None)
    for name in ("", "two words", "a\nb", "x" * 65, "-a"):
        with pytest.raises(ValueError, match="name of a token must be"):
            add_token(path, name, None)


def test_wrong_and_ended_tokens_are_refused(path):
    token, _ = add_token(path, "lab", timedelta(seconds=-1))
    for wrong in ("", "tsp_", token + "a", token[:-1], "ü" * 40, "\ud800"):
        with pytest.raises(Refusal, match="unknown") as raised:
            Tokens(path).owner(wrong)
        assert raised.value.status == 401 and wrong not in str(raised.value) or not wrong
    with pytest.raises(Refusal, match="the token ended on") as raised:
        Tokens(path).owner(token)
    assert raised.value.status == 401


def test_all_entries_are_compared_in_constant_time(path, monkeypatch):
    made = [add_token(path, name, None)[0] for name in "abc"]
    compared = []
    monkeypatch.setattr(
        tokens.hmac, "compare_digest", lambda one, other: compared.append(one) or one == other
    )
    assert Tokens(path).owner(made[0]) == "a"
    assert len(compared) == 3


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622, 0o660, 0o601])
def test_a_file_that_others_may_use_is_refused(path, mode):
    add_token(path, "lab", None)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    with pytest.raises(PermissionError, match=f"has the permissions {mode:04o}; chmod 600"):
        Tokens(path)
    with pytest.raises(PermissionError):
        add_token(path, "other", None)


def test_a_file_keeps_its_permissions_whatever_the_umask(path):
    before = os.umask(0)
    try:
        add_token(path, "a", None)
        add_token(path, "b", None)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_is_deleted_revokes_and_one_that_is_added_grants(path):
    first = add_token(path, "a", None)[0]
    second = add_token(path, "b", None)[0]
    known = Tokens(path)
    path.write_text("".join(line for line in path.open() if not line.startswith("a ")))
    with pytest.raises(Refusal, match="unknown"):
        known.owner(first)
    assert known.owner(second) == "b"
    assert known.owner(add_token(path, "c", None)[0]) == "c"


def test_a_file_that_becomes_unusable_lets_nobody_in(path, caplog):
    token, _ = add_token(path, "lab", None)
    known = Tokens(path)
    for spoil in (lambda: path.chmod(0o644), lambda: path.write_text("nonsense"), path.unlink):
        spoil()
        with pytest.raises(Refusal) as raised:
            known.owner(token)
        assert raised.value.status == 503
    assert "nobody is let in" in caplog.text
    token, _ = add_token(path, "lab", None)
    assert known.owner(token) == "lab"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("lab tsp_plaintext never", "line 2: a line must be a name, sha256:"),
        ("lab", "line 2: a line must be"),
        (f"lab sha256:{'0' * 64} tomorrow", "the end must be never or such as"),
        ("\udcff", "line 2: a line must be"),
    ],
)
def test_lines_that_are_none_are_refused_without_being_shown(path, line, words):
    path.write_bytes(f"# a\n{line}\n".encode(errors="surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(ValueError) as raised:
        read_tokens(path)
    assert words in str(raised.value) and "plaintext" not in str(raised.value)


def test_a_server_needs_a_token(path):
    path.write_text("# none\n")
    path.chmod(0o600)
    with pytest.raises(ValueError, match="has no token"):
        Tokens(path)
