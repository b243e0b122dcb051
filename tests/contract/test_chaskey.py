"""Chaskey-12 against the vectors of its author."""

from __future__ import annotations

import random

import pytest

from tensorspin.contract.contractor import chaskey
from tensorspin.contract.contractor.chaskey import BLOCK_BYTES, chaskey12, permute, times_two

KEY = bytes.fromhex("00112233445566778899aabbccddeeff")

VECTORS = """
dd3e1849d6824555 ed1da89ec93179ca 98fe20a343cd666f f6f418acdd7d9fa1 4cf04960099949f3
75c83252653d3b57 964b0461fbe92273 141fa08bbf399636 412d98ed936d4ab2 fb0d98bc70e305f9
36f88e1fda86c8ab 4d1a1815868a5aa8 7a7912c1999eae81 9ca11137b4a34601 7905142f3be77e67
6a3ee3d35c043397 d13970d7be9b2350 32acd914bfda3bc8 8a58d816cb7a1483 03f4d66638efad8d
f9932237ff05e831 f5fedb134862b471 8bb55486f38d57ea 8a3acb94b5ad591c 7ce3708723f7495f
f42f3d2f405710c2 b3933a167e5636ac 899a7945423a5e1b 65e12df5a695fac8 b82449d8c8a06ae9
a850dfbadefa4229 fd42c39d08ab71a0 b465c2412610bf84 89c4a9ddb53e6991 5a9af91eb095d331
8e54914c151e46b0 fab8ab0b5beaaec6 60ad906acd06c823 6b1e6bc2426dad17 90328fd259889a8f
f0f7815ee6f3d516 97e7e2cebea826b8 b0fa1845f72a76d6 a468bdfcdf0aa9c7 da84e11338387da7
b30d5ead8e39f2bc 178a43d2a008503e 6dfaa705a8a06c70 aa047f07c5ae8db4 305bbb420c5d5ecc
0832803159750f49 9080254fb79bab1a 61c285ca245774a4 2aae035cfb61f97a f5289075c9ab39e5
e65c423732dae795 4b22cf0d9da8de3d 2626ea2fa1f9abcf d1e17e6ec4a88da6 1657442827ff640a
fd155a40df15f630 ffeb596f299f58b2 be4ee4ed3975df87 fc7f9df7991b87bc
""".split()
"""First 8 bytes of the tags of the messages 00 01 02 ... of 0 to 63 bytes, with `KEY`: from the
reference implementation of Chaskey-12 by Nicky Mouha, in the public domain (CC0),
https://mouha.be/wp-content/uploads/chaskey12.c. Those of 16, 32 and 48 bytes have whole blocks, as
all messages of a board."""


@pytest.mark.parametrize("length", range(64))
def test_equals_the_vectors_of_its_author(length):
    assert len(VECTORS) == 64
    tag = chaskey12(KEY, bytes(range(length)))
    assert len(tag) == BLOCK_BYTES and tag[:8].hex() == VECTORS[length]


def test_twelve_rounds_are_not_eight(monkeypatch):
    monkeypatch.setattr(chaskey, "ROUNDS", 8)
    assert chaskey12(KEY, bytes(range(16)))[:8].hex() != VECTORS[16]


def test_the_permutation_is_one():
    rng = random.Random(0)
    blocks = {rng.randbytes(BLOCK_BYTES) for _ in range(500)}
    assert len({permute(block) for block in blocks}) == len(blocks)


def test_doubling_is_that_of_the_field():
    assert times_two(b"\1" + bytes(15)) == b"\2" + bytes(15)
    key = bytes([1]) + bytes(15)
    for _ in range(128):
        key = times_two(key)
    assert key == bytes([0x87]) + bytes(15)


def test_keys_have_16_bytes():
    with pytest.raises(ValueError, match="key must have 16 bytes, not 15"):
        chaskey12(bytes(15), b"")
