"""The command ``tensorspin appliance``, as far as it needs no extra: tokens and wrong options."""

from __future__ import annotations

import json
import re

import pytest

from tensorspin.cli.main import main
from tensorspin.cli.server_options import lifetime
from tensorspin.server.tokens import Tokens


def test_a_token_is_printed_once_and_works(tmp_path, capsys):
    path = tmp_path / "tokens"
    assert main(["appliance", "token", "--token-file", str(path), "--name", "lab"]) == 0
    token = re.search(r"^token +(\S+)$", capsys.readouterr().out, re.MULTILINE)[1]
    assert Tokens(path).owner(token) == "lab"


def test_a_token_as_json_and_options_before_the_word(tmp_path, capsys):
    path = tmp_path / "tokens"
    words = ["--json", "appliance", "--token-file", str(path), "token", "--name", "lab"]
    assert main([*words, "--expires", "never"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["command"], told["name"], told["ends"]) == ("appliance", "lab", "never")
    assert Tokens(path).owner(told["token"]) == "lab"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("token --name lab", "--token-file must be given"),
        ("token --token-file {} --name lab --expires soon", "--expires must be such as 12h"),
        ("token --token-file {} --name 'two words'", "name of a token must be"),
        ("--port 65536", "--port must be 0 to 65535, not 65536"),
        ("--queue 0", "--queue must be 1 to 100000, not 0"),
        ("--seed -1", "--seed must be 0 to 2147483647, not -1"),
        ("--seed 99999999999999999999", "--seed must be 0 to 2147483647"),
        ("--max-qubits 0", "--max-qubits must be 1"),
        ("--cert {}", "--cert and --key must be given together"),
        ("--host 0.0.0.0 --port 0", "host must be loopback such as 127.0.0.1"),
        ("--token-file {}", "No such file"),
    ],
)
def test_wrong_options_are_told(words, message, tmp_path, capsys):
    import shlex

    assert main(["appliance", *shlex.split(words.format(tmp_path / "none"))]) == 1
    assert message in capsys.readouterr().err


def test_a_token_file_that_others_may_read_is_refused(tmp_path, capsys):
    path = tmp_path / "tokens"
    main(["appliance", "token", "--token-file", str(path), "--name", "lab"])
    path.chmod(0o644)
    assert main(["appliance", "--port", "0", "--token-file", str(path)]) == 1
    assert "has the permissions 0644; chmod 600" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0d", "d", "-1d", "1", "1m", "999999d", "1.5d", "NEVER", ""])
def test_times_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="--expires must be such as"):
        lifetime(text)
    assert lifetime("2w").days == 14 and lifetime("never") is None
