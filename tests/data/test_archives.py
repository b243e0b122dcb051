"""No archive expands beyond its limit, whatever its directory says, and nothing else is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import time
import zipfile

import numpy as np
import pytest

from tensorspin import NetworkProgram
from tensorspin.archives import read_arrays
from tensorspin.compiler import ProgramFileError
from tensorspin.compiler.program_file import MOST_BYTES as MOST_PROGRAM_BYTES
from tensorspin.data import DataError, load_samples, model_files, read_model
from tensorspin.data.npz_files import MOST_BYTES as MOST_DATA_BYTES

GIGABYTE = 10**9


@pytest.fixture(scope="module")
def gigabyte(tmp_path_factory):
    """Compress a gigabyte of zeros as an array named ``big`` and return the archive's bytes."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (GIGABYTE // 2, 2)}
    )
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("X_train.npy", "w", force_zip64=True) as member,
    ):
        member.write(header.getvalue())
        block = bytes(GIGABYTE // 100)
        for _ in range(100):
            member.write(block)
    return path.read_bytes()


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_header(shape: tuple, descr: str, content: bytes) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return file.getvalue() + content


def read(content: bytes, limit: int = 1000, names=("a", "b")) -> dict[str, np.ndarray]:
    return read_arrays(io.BytesIO(content), names, limit)


def test_a_megabyte_that_makes_a_gigabyte_is_refused_at_once(tmp_path, gigabyte):
    assert len(gigabyte) < 1.1e6
    data, program = tmp_path / "data.npz", tmp_path / "program.npz"
    data.write_bytes(gigabyte)
    program.write_bytes(gigabyte.replace(b"X_train.npy", b"weights.npy"))
    start = time.process_time()
    with pytest.raises(DataError, match=f"expand to 1000000128 bytes, the limit is {2**29}; .*sav"):
        load_samples(str(data))
    with pytest.raises(ProgramFileError, match=f"1000000128 bytes, the limit is {2**28}"):
        NetworkProgram.load(program)
    assert time.process_time() - start < 0.2  # expanding it takes seconds
    assert (MOST_DATA_BYTES, MOST_PROGRAM_BYTES) == (2**29, 2**28)


def test_what_is_not_asked_for_is_never_expanded(tmp_path, gigabyte):
    path = tmp_path / "data.npz"
    path.write_bytes(gigabyte.replace(b"X_train.npy", b"picture.npy"))
    X, y = np.arange(24).reshape(12, 2), np.arange(12) % 2
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("X_train.npy", npy(X))
        archive.writestr("y_train.npy", npy(y))
    start = time.process_time()
    samples = load_samples(str(path))
    assert time.process_time() - start < 0.2
    assert np.array_equal(samples.X, X) and np.array_equal(samples.y, y)


def test_the_limit_is_that_of_all_compressed_arrays_together():
    members = {"a.npy": npy(np.zeros(300, np.int8)), "b.npy": npy(np.ones(300, np.int8))}
    total = sum(map(len, members.values()))
    assert set(read(packed(members), total)) == {"a", "b"}
    with pytest.raises(ValueError, match=f"expand to {total} bytes, the limit is {total - 1}"):
        read(packed(members), total - 1)
    # What is stored as it is takes as much room on the disk.
    assert read(packed(members, zipfile.ZIP_STORED), 0)["b"].sum() == 300


def test_a_directory_that_lies_about_sizes_gains_nothing():
    content = packed({"a.npy": npy(np.zeros(10**6, np.int8))})
    place = content.index(b"PK\x01\x02") + 24  # where the directory gives the size
    for size in (0, 100, 200, 999):
        lying = content[:place] + size.to_bytes(4, "little") + content[place + 4 :]
        with pytest.raises((ValueError, zipfile.BadZipFile)):
            read(lying)
    stored = packed({"a.npy": npy(np.zeros(100, np.int8))}, zipfile.ZIP_STORED)
    place = stored.index(b"PK\x01\x02") + 24
    with pytest.raises(ValueError, match="two sizes of a.npy"):
        read(stored[:place] + (10**9).to_bytes(4, "little") + stored[place + 4 :])


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_expand_without_a_limit_are_refused(method):
    with pytest.raises(ValueError, match="a.npy is compressed by a method that numpy never uses"):
        read(packed({"a.npy": npy(np.zeros(10))}, method))


@pytest.mark.parametrize(
    ("shape", "descr", "content"),
    [
        ((10**12,), "<f8", bytes(8)),
        ((10**12,), "<U0", b""),
        ((3,), "|i1", bytes(4)),
        ((), "<i8", b""),
    ],
)
def test_headers_that_lie_are_refused_before_memory_is_taken(shape, descr, content):
    with pytest.raises(ValueError, match="a.npy announces"):
        read(packed({"a.npy": with_header(shape, descr, content)}))


def test_other_content_is_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.npy", npy(np.zeros(3)))
            archive.writestr("a.npy", npy(np.ones(3)))
    with pytest.raises(ValueError, match="several arrays of the same name"):
        read(file.getvalue())
    with pytest.raises(ValueError, match="Python objects"):
        read(packed({"a.npy": npy(np.array([{}, None]))}))
    with pytest.raises(ValueError, match="it is a single array"):
        read(npy(np.zeros(3)))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array("text"),
        np.array(["ä", "bc"]),
        np.zeros((0, 5)),
        np.array([b"", b"x"]),
    ],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(array, save):
    file = io.BytesIO()
    save(file, a=array, other=np.zeros(3))
    found = read(file.getvalue(), 10**4)
    assert set(found) == {"a"} and found["a"].dtype == array.dtype
    assert found["a"].shape == array.shape and np.array_equal(found["a"], array)


def test_a_program_beyond_the_limit_is_saved_so_that_it_can_be_read(tmp_path, monkeypatch):
    from tests.support.programs import small_program

    program = small_program()
    monkeypatch.setattr("tensorspin.compiler.program_file.MOST_BYTES", 100)
    program.save(tmp_path / "model.npz")
    assert NetworkProgram.load(tmp_path / "model.npz").digest(8) == program.digest(8)


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_a_compressed_model_expands_to_its_limit_and_no_further(
    tmp_path, monkeypatch, suffix, pack
):
    text = b"3 3\n1 2 1\n2 3 1\n1 3 1\n"
    path = tmp_path / f"model.txt{suffix}"
    path.write_bytes(pack(text))
    monkeypatch.setattr(model_files, "MOST_BYTES", len(text))
    assert read_model(path).bqm.num_variables == 3
    path.write_bytes(pack(text + b"\n" * 10**7))
    with pytest.raises(DataError, match=f"more than {len(text)} bytes, the limit; .*decompress it"):
        read_model(path)


def test_a_model_of_kilobytes_that_makes_gigabytes_is_refused(tmp_path):
    path = tmp_path / "model.txt.bz2"
    part = bz2.compress(bytes(9 * 10**7))  # archives stand one after the other in one file
    path.write_bytes(part * 100)
    assert path.stat().st_size < 20_000
    start = time.process_time()
    with pytest.raises(DataError, match=f"more than {2**26} bytes"):
        read_model(path)
    assert time.process_time() - start < 5


def test_other_models_of_dimod_are_not_expanded(tmp_path):
    import dimod

    path = tmp_path / "model"
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(dimod.Binary("a"))
    with cqm.to_file() as file:
        path.write_bytes(file.read())
    with pytest.raises(DataError, match="no binary quadratic model that dimod has written"):
        read_model(path, "dimod")
