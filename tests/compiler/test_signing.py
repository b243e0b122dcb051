"""Signed program files: what they are, and what is refused."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile

import numpy as np
import pytest

from tensorspin.compiler import NetworkProgram, ProgramFileError
from tensorspin.errors import SignatureError

from ..support.loaded_programs import chain_program, random_levels

pytest.importorskip("cryptography", reason="the extra signing")

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: E402

from tensorspin.compiler.signing import key_fingerprint, new_key, sign, verify  # noqa: E402

REFUSED = "is not what was signed with the key"


class Files:
    def __init__(self, folder):
        self.folder = folder
        self.key, self.public = folder / "key", folder / "key.pub"
        self.name = new_key(self.key)
        self.program = chain_program(4, 2, 2)
        self.unsigned = folder / "unsigned.npz"
        self.program.save(self.unsigned)
        self.signed = folder / "signed.npz"
        self.signed.write_bytes(sign(self.unsigned, self.key)[0])

    def load(self, path=None, key=None):
        return NetworkProgram.load(path or self.signed, public_key=key or self.public)

    def changed(self, content):
        path = self.folder / "changed.npz"
        path.write_bytes(content)
        return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("signing"))


def rewritten(content, change=lambda members: members, comment=True):
    """The archive with other members, and the same comment."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
            for name, data in change(members):
                copy.writestr(name, data)
            copy.comment = archive.comment if comment else b""
    return out.getvalue()


def test_a_signed_program_is_the_program(files):
    levels = random_levels(5, 4)
    expected = files.program.run_golden(levels / 255).scores
    for load in (files.load, lambda: NetworkProgram.load(files.signed)):
        np.testing.assert_array_equal(load().run_golden(levels / 255).scores, expected)
    assert files.signed.read_bytes()[:-224] == files.unsigned.read_bytes()[:-22]


def test_others_read_a_signed_file_as_before(files):
    with np.load(files.unsigned) as before, np.load(files.signed) as after:
        assert before.files == after.files
        for name in before.files:
            np.testing.assert_array_equal(before[name], after[name])
    assert zipfile.ZipFile(files.signed).testzip() is None


def test_damage_of_any_byte_is_told(files):
    content = files.signed.read_bytes()
    for place in range(len(content)):
        for bit in (1, 0x20) if place >= len(content) - 224 else (1 << place % 8,):
            changed = bytearray(content)
            changed[place] ^= bit
            with pytest.raises(SignatureError, match=REFUSED):
                verify(bytes(changed), "x", files.public)


def test_of_a_program_that_is_not_what_was_signed_nothing_is_read(files, monkeypatch):
    def never(*arguments):
        raise AssertionError("it was read")

    monkeypatch.setattr("tensorspin.compiler.program_file.read_arrays", never)
    with pytest.raises(SignatureError, match=REFUSED):
        files.load(files.unsigned)


def test_what_is_read_is_what_was_verified(files, monkeypatch):
    """Another file takes the name between the check and the use."""
    from tensorspin.compiler import program_file

    path = files.changed(files.signed.read_bytes())
    check = program_file.verify

    def exchanged(content, *arguments):
        check(content, *arguments)
        path.write_bytes(b"something else")

    monkeypatch.setattr(program_file, "verify", exchanged)
    assert files.load(path).n_features == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda members: members[:-1],
        lambda members: [*members, ("more.npy", b"x")],
        lambda members: [*members, members[0]],
        lambda members: [("weights.npy" if n == "table.npy" else n, d) for n, d in members],
        lambda members: members[::-1],
        lambda members: members,  # compressed again
    ],
    ids=["dropped", "added", "twice", "renamed", "order", "same"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_was_put_together_anew_is_refused(files, change):
    for comment in (True, False):
        path = files.changed(rewritten(files.signed.read_bytes(), change, comment))
        with pytest.raises(SignatureError, match=REFUSED):
            files.load(path)


@pytest.mark.parametrize("where", ["begin", "end", "cut"])
def test_bytes_before_and_after_are_refused(files, where):
    content = files.signed.read_bytes()
    content = {"begin": b"x" + content, "end": content + b"\n", "cut": content[:-1]}[where]
    with pytest.raises(SignatureError, match=REFUSED):
        files.load(files.changed(content))


def test_a_signature_of_another_file_or_key_is_refused(files, tmp_path):
    other = tmp_path / "other.npz"
    chain_program(4, 2, 2, seed=1).save(other)
    swapped = sign(other, files.key)[0][:-202] + files.signed.read_bytes()[-202:]
    with pytest.raises(SignatureError, match="it was changed since, or the signature is forged"):
        files.load(files.changed(swapped))
    name = new_key(tmp_path / "mine")
    theirs = files.changed(sign(files.unsigned, tmp_path / "mine")[0])
    with pytest.raises(SignatureError, match="has signed it, and this is SHA256:") as told:
        files.load(theirs)
    assert name in str(told.value) and files.name in str(told.value)
    forged = theirs.read_bytes().replace(name.encode(), files.name.encode())
    with pytest.raises(SignatureError, match="forged"):
        files.load(files.changed(forged))


def test_an_unsigned_or_empty_file_is_refused(files):
    for path in (files.unsigned, files.changed(b""), files.changed(b"x" * 500)):
        with pytest.raises(SignatureError, match="it has no signature, or a damaged one"):
            files.load(path)


def test_signing_again_replaces_the_signature(files, tmp_path):
    again, _ = sign(files.signed, files.key)
    assert again == files.signed.read_bytes()  # Ed25519 draws nothing
    new_key(tmp_path / "second")
    path = files.changed(sign(files.signed, tmp_path / "second")[0])
    assert files.load(path, tmp_path / "second.pub").n_features == 4


def test_a_file_that_is_signed_and_unsound_is_still_refused_as_unsound(files):
    path = files.changed(rewritten(files.unsigned.read_bytes(), lambda members: members[1:]))
    path.write_bytes(sign(path, files.key)[0])
    with pytest.raises(ProgramFileError, match="is no sound program file"):
        files.load(path)


def test_what_is_no_archive_is_not_signed(files):
    for content in (b"", b"text", files.unsigned.read_bytes() + b"more"):
        with pytest.raises(ValueError, match="must be an archive that ends with its comment"):
            sign(files.changed(content), files.key)


# Keys


def test_a_new_key_is_its_owners_alone_and_replaces_nothing(files, tmp_path):
    assert os.stat(files.key).st_mode & 0o777 == 0o600
    assert files.public.read_text().startswith("ssh-ed25519 ")
    assert files.name == key_fingerprint(files.public)
    for taken in ("a", "b.pub"):
        (tmp_path / taken).write_text("mine")
    for name in ("a", "b"):
        with pytest.raises(FileExistsError, match="a key is never replaced"):
            new_key(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["a", "b.pub"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_private_key_that_others_may_read_is_refused(files, tmp_path, mode):
    key = tmp_path / "key"
    shutil.copy(files.key, key)
    key.chmod(mode)
    with pytest.raises(PermissionError, match="readable by its owner alone.*chmod 600"):
        sign(files.unsigned, key)


def private_file(path, key, passphrase=None, openssh=False):
    lock = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase)
    form = serialization.PrivateFormat
    content = key.private_bytes(
        serialization.Encoding.PEM, form.OpenSSH if openssh else form.PKCS8, lock
    )
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_keys_of_openssl_work(files, tmp_path):
    key = ed25519.Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    path = files.changed(sign(files.unsigned, private_file(tmp_path / "key.pem", key))[0])
    assert files.load(path, public).n_features == 4


def test_keys_of_ssh_keygen_work(files, tmp_path):
    if not shutil.which("ssh-keygen"):
        pytest.skip("without ssh-keygen")
    key = tmp_path / "id"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "who@where", "-f", str(key)]
    subprocess.run(make, check=True)
    path = files.changed(sign(files.unsigned, key)[0])
    assert files.load(path, tmp_path / "id.pub").n_features == 4
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True)
    assert shown.stdout.split()[1] == key_fingerprint(tmp_path / "id.pub")


def test_a_passphrase_is_asked_for(files, tmp_path):
    key = private_file(tmp_path / "key", ed25519.Ed25519PrivateKey.generate(), b"open")
    with pytest.raises(ValueError, match="it has a passphrase, and nobody can be asked"):
        sign(files.unsigned, key)
    assert sign(files.unsigned, key, lambda: "open")[1].startswith("SHA256:")
    with pytest.raises(ValueError, match="must be an Ed25519 key of OpenSSH or PEM"):
        sign(files.unsigned, key, lambda: "wrong")


def test_what_is_no_such_key_is_refused_by_its_name(files, tmp_path):
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("no key")
    nonsense.chmod(0o600)
    with pytest.raises(ValueError, match="nonsense must be an Ed25519 key of OpenSSH or PEM"):
        sign(files.unsigned, nonsense)
    with pytest.raises(ValueError, match="nonsense must be one Ed25519 public key"):
        files.load(None, nonsense)
    with pytest.raises(ValueError, match="key.pub is a public key by its name"):
        sign(files.unsigned, files.public)
    with pytest.raises(ValueError, match="key is a private key.*ssh-keygen -y"):
        files.load(None, files.key)
    other = private_file(tmp_path / "other", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ValueError, match="must be an Ed25519 key, not"):
        sign(files.unsigned, other)
    public = tmp_path / "ecdsa.pub"
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.OpenSSH
    public.write_bytes(key.public_bytes(serialization.Encoding.OpenSSH, form))
    with pytest.raises(ValueError, match="must be an Ed25519 key, not"):
        files.load(None, public)
    with pytest.raises(FileNotFoundError):
        files.load(None, tmp_path / "missing.pub")
