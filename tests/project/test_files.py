"""Files are written whole or not at all, and nothing but a regular file is ever replaced."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading

import pytest

from tensorspin import files
from tensorspin.compiler import NetworkProgram
from tensorspin.data import DataError, load_samples, read_model
from tensorspin.files import (
    binary_file,
    check_writable,
    make_folder,
    readable_file,
    text_file,
)


def write(path, content: bytes) -> None:
    with binary_file(path) as file:
        file.write(content)


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "a"
    for content in (b"first", b"second"):
        write(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, b"old"])
def test_what_fails_leaves_the_old_file_and_no_other(tmp_path, error, old):
    path = tmp_path / "a"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error), binary_file(path) as file:
        file.write(b"half of it")
        file.flush()
        raise error
    assert [(found, found.read_bytes()) for found in tmp_path.iterdir()] == (
        [] if old is None else [(path, old)]
    )


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write(path, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (os.mkdir, "a folder"),
        (os.mkfifo, "a pipe"),
        (lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), "a socket"),
        (lambda path: path.symlink_to("/dev/null"), "a device"),
        (lambda path: path.symlink_to(path.parent), "a folder"),
    ],
)
def test_what_is_no_regular_file_is_refused_and_stays(tmp_path, monkeypatch, make, kind):
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    path = tmp_path / "a"
    make(path if kind != "a socket" else path.relative_to(tmp_path))
    before = path.lstat()
    with pytest.raises(OSError, match=f"cannot write {path}: it is {kind}; name a file"):
        write(path, b"new")
    with pytest.raises(OSError, match=kind):
        check_writable(path)
    assert path.lstat().st_ino == before.st_ino and path.lstat().st_mode == before.st_mode
    assert list(tmp_path.iterdir()) == [path]


def test_the_null_device_is_refused():
    before = os.stat("/dev/null")
    with pytest.raises(OSError, match="cannot write /dev/null: it is a device; name a file"):
        write("/dev/null", b"new")
    after = os.stat("/dev/null")
    assert stat.S_ISCHR(after.st_mode) and after.st_rdev == before.st_rdev


def test_standard_output_that_is_a_pipe_is_refused():
    code = "from tensorspin.files import check_writable; check_writable('/dev/stdout')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "cannot write /dev/stdout: it is a pipe; name a file" in done.stderr


def test_two_processes_that_save_to_one_name_never_mix(tmp_path):
    path = tmp_path / "a"
    code = (
        "import sys; from tensorspin.files import text_file\n"
        "for _ in range(100):\n"
        "    with text_file(sys.argv[1]) as file: file.writelines([sys.argv[2] * 1000] * 50)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    writers = [subprocess.Popen([*command, letter]) for letter in "ab"]
    torn = []
    while any(writer.poll() is None for writer in writers):
        if path.exists() and path.read_text() not in ("a" * 50_000, "b" * 50_000):
            torn.append(path.read_text())
    assert not torn and [writer.returncode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("exists", [False, True])
def test_a_link_stays_and_its_target_is_written(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    target, link, other = tmp_path / "folder" / "a", tmp_path / "b", tmp_path / "c"
    link.symlink_to("folder/a")
    other.symlink_to("b")
    if exists:
        target.write_bytes(b"old")
    write(other, b"new")
    assert link.is_symlink() and other.is_symlink()
    assert target.read_bytes() == b"new" and not target.is_symlink()
    assert list(target.parent.iterdir()) == [target]


def test_a_circle_of_links_and_missing_folders_are_refused(tmp_path):
    circle = tmp_path / "a"
    circle.symlink_to("a")
    with pytest.raises(OSError, match=f"cannot write {circle}: "):
        write(circle, b"new")
    with pytest.raises(OSError, match=f"there is no folder {tmp_path}/none"):
        write(tmp_path / "none" / "a", b"new")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot write .*: Not a directory"):
        write(tmp_path / "file" / "a", b"new")


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_any_new_file_or_of_the_old_one(tmp_path, mask):
    path, plain = tmp_path / "a", tmp_path / "plain"
    before = os.umask(mask)
    try:
        write(path, b"new")
        plain.touch()
        assert path.stat().st_mode == plain.stat().st_mode
        path.chmod(0o640)
        write(path, b"again")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_name_as_long_as_allowed(tmp_path):
    path = tmp_path / ("a" * 255)
    write(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_without_permission_is_refused_before_the_work(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.touch()
    # Root may write everywhere, so that real permissions would not do.
    monkeypatch.setattr("os.access", lambda place, _: place != tmp_path)
    with pytest.raises(OSError, match=f"permission denied for {tmp_path}"):
        check_writable(path)


def test_text_is_utf_8_with_its_line_ends(tmp_path):
    path = tmp_path / "a"
    with text_file(path) as file:
        assert file.encoding == "utf-8"
        file.write("Größe\r\nµ\n")
    assert path.read_bytes() == "Größe\r\nµ\n".encode()
    with pytest.raises(UnicodeEncodeError), text_file(path) as file:
        file.write("half a pair: \ud800")
    assert path.read_bytes() == "Größe\r\nµ\n".encode() and list(tmp_path.iterdir()) == [path]


def test_many_writers_of_one_name_never_mix(tmp_path):
    path = tmp_path / "a"
    contents = [bytes([65 + k]) * 50_000 for k in range(4)]
    write(path, contents[0])
    torn, failed, done = [], [], threading.Event()

    def writer(content):
        try:
            for _ in range(40):
                with binary_file(path) as file:
                    for start in range(0, len(content), 5_000):
                        file.write(content[start : start + 5_000])
        except Exception as error:
            failed.append(error)

    def reader():
        while not done.is_set():
            if (found := path.read_bytes()) not in contents:
                torn.append(found)

    writers = [threading.Thread(target=writer, args=(content,)) for content in contents]
    watching = threading.Thread(target=reader)
    for thread in (*writers, watching):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watching.join()
    assert not torn and not failed and list(tmp_path.iterdir()) == [path]


# Reading


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "socket"])
@pytest.mark.parametrize("suffix", [".npz", ".csv", ".txt", ".qubo.gz"])
def test_what_may_have_no_end_is_refused_before_it_is_read(tmp_path, monkeypatch, kind, suffix):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    path = "endless" + suffix
    if kind == "device":
        os.symlink("/dev/zero", path)
    elif kind == "pipe":
        os.mkfifo(path)  # nobody writes, so that opening it would wait for ever
    elif kind == "folder":
        os.mkdir(path)
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
    reads = [read_model, NetworkProgram.load]
    if suffix in (".npz", ".csv"):
        reads.append(load_samples)
    for read in reads:
        with pytest.raises((DataError, OSError), match=f"it is a {kind}; name a file"):
            read(path)
    if kind == "socket":
        server.close()


def test_a_pipe_of_the_shell_is_read_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(files, "MOST_PIPE_BYTES", 1000)
    for size in (0, 10, 1000, 1001):
        reader, writer = os.pipe()
        os.write(writer, bytes(size))
        os.close(writer)
        path = f"/dev/fd/{reader}"
        if size > 1000:
            with pytest.raises(OSError, match="it is a pipe with more than 1000 bytes"):
                with readable_file(path):
                    pass
        else:
            with readable_file(path) as file:
                assert file.read() == bytes(size)
        os.close(reader)


def test_a_model_and_a_program_can_come_through_a_pipe_of_the_shell():
    reader, writer = os.pipe()
    os.write(writer, b"3 2\n1 2 1\n2 3 1\n")
    os.close(writer)
    assert read_model(f"/dev/fd/{reader}").bqm.num_interactions == 2
    os.close(reader)


def test_a_folder_is_made_with_those_that_it_is_in(tmp_path):
    for _ in range(2):
        assert make_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_no_folder_is_made_in_the_place_of_a_file(tmp_path):
    (tmp_path / "file").write_text("kept")
    for place in ("file", "file/below"):
        with pytest.raises(OSError, match="there is a file in its place; name a folder"):
            make_folder(tmp_path / place)
    assert (tmp_path / "file").read_text() == "kept"
