"""What is refused before a board is opened, and how boards are named."""

from __future__ import annotations

import json

import pytest

from tensorspin.cli.main import main
from tensorspin.errors import TransportError
from tensorspin.server.boards.serving import open_devices


def names(*given):
    return list(open_devices(given))


def test_boards_have_the_names_of_their_kinds_or_those_that_are_given():
    assert names("golden://icebreaker", "golden://icebreaker", "golden://ulx3s_25f") == [
        "icebreaker",
        "icebreaker-2",
        "ulx3s_25f",
    ]
    assert names("left=golden://icebreaker", "golden://icebreaker") == ["left", "icebreaker"]
    assert names("icebreaker=golden://ulx3s_25f", "golden://icebreaker") == [
        "icebreaker",
        "icebreaker-2",
    ]


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (["a=golden://icebreaker", "a=golden://icebreaker"], ValueError, "each name .* not a"),
        (["/dev/ttyUSB1", "x=/dev/ttyUSB1"], ValueError, "each board must be given once"),
        (["golden://icebraker"], TransportError, "icebreaker"),
        (["https://box/icebreaker"], ValueError, "one of this computer"),
        (["/dev/ttyNONE"], TransportError, "no port /dev/ttyNONE"),
    ],
)
def test_what_cannot_be_opened_is_refused(given, kind, message):
    with pytest.raises(kind, match=message):
        open_devices(given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "host must be loopback"),
        (["--cert", "x"], "--cert and --key must be given together"),
        (["--port", "70000"], "--port must be 0 to 65535"),
        (["--queue", "0"], "--queue must be 1 to 100000"),
        (["--board", "golden://nexys"], "nexys"),
        (["--token-file", "/none"], "/none"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message, capsys):
    board = [] if "--board" in options else ["--board", "golden://icebreaker"]
    assert main(["--json", "serve", "--port", "0", *board, *options]) == 1
    assert message in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
