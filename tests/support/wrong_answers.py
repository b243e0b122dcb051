"""Golden devices whose frames are intact and say of samples what no device says."""

from collections.abc import Callable

import pytest

from tensorspin.contract.wire.packets import PacketType
from tensorspin.golden import device as golden

OUTPUTS = 3
"""Scores of the programs that these answers are for."""

SPOILED: dict[str, Callable[[int, bytes], tuple[int, bytes]]] = {
    "class 3 of 3": lambda status, said: (status, said[:-6] + b"\3\0" + said[-4:]),
    "class 65535": lambda status, said: (status, said[:-6] + b"\xff\xff" + said[-4:]),
    "too short": lambda status, said: (status, said[:-2]),
    "too long": lambda status, said: (status, said + b"\0\0"),
    "a status alone": lambda status, said: (status, b""),
}
"""What becomes of the status and payload of an answer, by what is wrong then."""


def spoil_answers(monkeypatch: pytest.MonkeyPatch, spoil, times: int) -> None:
    """Spoil so many answers to samples, of all golden devices."""
    reply, left = golden._reply, times

    def spoiled(request, status, payload):
        nonlocal left
        if request.type == PacketType.RUN and left:
            left -= 1
            status, payload = spoil(status, payload)
        return reply(request, status, payload)

    monkeypatch.setattr(golden, "_reply", spoiled)


def in_other_cycles(status: int, said: bytes) -> tuple[int, bytes]:
    """Make an answer say that it took a cycle more."""
    return status, said[:-4] + (int.from_bytes(said[-4:], "little") + 1).to_bytes(4, "little")


def of_another_score(status: int, said: bytes) -> tuple[int, bytes]:
    """Change the lowest bit of the first score."""
    return status, bytes([said[0] ^ 1]) + said[1:]
