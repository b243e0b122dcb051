"""Files of dimod's models with constraints: read if they are whole, refused if they are damaged."""

from __future__ import annotations

import io
import zipfile

import dimod
import pytest

from tensorspin.data.cqm_files import read_cqm
from tensorspin.data.errors import DataError

LIMIT = 10**6


def model():
    cqm = dimod.ConstrainedQuadraticModel()
    a, b = dimod.Binaries("ab")
    n = dimod.Integer("n", upper_bound=3)
    cqm.set_objective(-4 * a - 3 * b - 5 * n + 2 * a * b - a * n)
    cqm.add_constraint(3 * a + 2 * b + 4 * n <= 9, label="weight")
    cqm.add_constraint(a + b == 1, label=("odd", 1))
    return cqm


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content, parts, method=zipfile.ZIP_STORED):
    """Replace the members of an archive, with the checksums that belong to them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return content[: content.index(b"PK\x03\x04")] + file.getvalue()


@pytest.mark.parametrize("compress", [False, True])
def test_what_dimod_writes_is_read(compress):
    content = model().to_file(compress=compress).read()
    assert read_cqm("m", content, LIMIT).is_equal(model())


@pytest.mark.parametrize("name", ["objective", "varinfo", 'constraints/"weight"/lhs'])
def test_a_damaged_member_does_not_end_the_process(name):
    # dimod's reader alone ends with a segmentation fault at some of these.
    content = model().to_file().read()
    parts = members(content)
    data = parts[name]
    for place in range(0, len(data) - 4):
        value = (11, 3 * 10**8, 2**31 - 1, 2**32 - 1)[place % 4]
        damaged = data[:place] + value.to_bytes(4, "little") + data[place + 4 :]
        try:
            found = read_cqm("m", packed(content, parts | {name: damaged}), LIMIT)
        except DataError:
            continue
        assert len(found.variables) == 3


def test_archives_that_expand():
    content = model().to_file().read()
    parts = members(content) | {"more": bytes(10 * LIMIT)}
    with pytest.raises(DataError, match=f"expands to 100.* bytes, the limit is {LIMIT}"):
        read_cqm("m", packed(content, parts, zipfile.ZIP_DEFLATED), LIMIT)
    with pytest.raises(DataError, match="a method that dimod never uses"):
        read_cqm("m", packed(content, parts, zipfile.ZIP_LZMA), LIMIT)


def test_other_files():
    content = model().to_file().read()
    for other, message in (
        (b"PK", "no constrained quadratic model that dimod has written"),
        (content[:100], "no model of dimod"),
        (content.replace(b"DIMODCQM\x02", b"DIMODCQM\x01"), "dimod before 0.12 has written it"),
    ):
        with pytest.raises(DataError, match=message):
            read_cqm("m", other, LIMIT)
