"""Files that dimod writes: read if they are whole, refused if they are damaged."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.data.dimod_files import read_dimod
from tensorspin.data.errors import DataError


def model(labels, dtype=np.float64):
    bqm = dimod.BinaryQuadraticModel({label: 1.0 for label in labels}, {}, "SPIN", dtype=dtype)
    for place, label in enumerate(labels):
        for other in labels[: place // 2]:
            bqm.add_interaction(label, other, -1.0)
    return bqm


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("labels", [[], ["a"], list(range(9)), ["b", ("c", 1), 7, "d"]])
def test_what_dimod_writes_is_read(labels, dtype):
    bqm = model(labels, dtype)
    found = read_dimod("m", bqm.to_file().read())
    assert found == bqm and list(found.variables) == list(bqm.variables)


def test_a_damaged_file_neither_ends_the_process_nor_takes_memory():
    # dimod's reader alone ends with a segmentation fault at some of these.
    bqm = model(list("abcdefgh"))
    content = bqm.to_file().read()
    begin = content.index(b"\n") + 1
    for place in range(begin, len(content) - 4):
        for value in (11, 3 * 10**8, 2**31 - 1, 2**32 - 1):
            damaged = content[:place] + value.to_bytes(4, "little") + content[place + 4 :]
            try:
                found = read_dimod("m", damaged)
            except DataError:
                continue
            assert found.num_variables == bqm.num_variables


@pytest.mark.parametrize(
    "old, new, message",
    [
        (b"[8, 12]", b"[9, 12]", "no model of dimod"),
        (b"[8, 12]", b"[8, 99]", "smaller than requested"),
        (b"[8, 12]", b"[-8,12]", "its size is -8"),
        (b'"float64"', b'"uint64" ', "its dtype is uint64"),
    ],
)
def test_a_header_that_the_content_contradicts(old, new, message):
    content = model(list("abcdefgh")).to_file().read()
    assert old in content
    with pytest.raises(DataError, match=message):
        read_dimod("m", content.replace(old, new))


def test_a_file_of_many_variables_without_any():
    header = b'{"dtype": "float64", "itype": "int32", "ntype": "int32", "shape": [2000000000, 0], '
    header += b'"type": "BinaryQuadraticModel", "variables": false, "vartype": "SPIN"}\n'
    content = b"DIMODBQM\x02\x00" + len(header).to_bytes(4, "little") + header + bytes(64)
    with pytest.raises(DataError, match="smaller than requested"):
        read_dimod("m", content)
