"""The commands ``tensorspin sign`` and ``verify``, and ``--require-signature``."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.support.command_line import GOLDEN, run

DATA = ("--board", GOLDEN, "--data", "iris")


@pytest.fixture
def key(tmp_path, capsys):
    pytest.importorskip("cryptography", reason="the extra signing")
    status, out, _ = run(capsys, "sign", "--new-key", tmp_path / "owner")
    assert status == 0 and "SHA256:" in out
    return tmp_path / "owner"


def test_a_program_is_signed_verified_and_run(capsys, model, key, tmp_path):
    signed = tmp_path / "signed.npz"
    public = f"{key}.pub"
    status, out, _ = run(capsys, "sign", model, "--key", key, "--output", signed, "--json")
    assert status == 0
    name = json.loads(out)["key"]
    status, out, _ = run(capsys, "verify", signed, "--key", public)
    assert status == 0 and name in out
    for words in (("run", *DATA), ("predict", *DATA), ("verify", "--key", public)):
        required = ("--require-signature", public) if words[0] != "verify" else ()
        status, _, err = run(capsys, words[0], signed, *words[1:], *required)
        assert status == 0, err
        status, _, err = run(capsys, words[0], model, *words[1:], *required)
        assert status == 1 and "iris.npz is not what was signed with the key" in err
    status, *_ = run(capsys, "run", signed, *DATA)  # nobody asks for a signature
    assert status == 0


def test_without_an_output_the_program_itself_is_signed(capsys, model, key, tmp_path):
    path = tmp_path / "model.npz"
    shutil.copy(model, path)
    assert run(capsys, "sign", path, "--key", key)[0] == 0
    words = ("export", path, "--board", "icebreaker_spi", "--format", "c", "--output", tmp_path)
    assert run(capsys, *words, "--require-signature", f"{key}.pub")[0] == 0
    path.write_bytes(path.read_bytes()[:-1] + b"g")
    status, _, err = run(capsys, *words, "--require-signature", f"{key}.pub")
    assert status == 1 and "is not what was signed" in err


def test_wrong_uses_are_refused(capsys, model, key, tmp_path):
    for words, told in (
        (("sign", "--key", key), "MODEL must be given"),
        (("sign", model, "--new-key", tmp_path / "x"), "--new-key makes keys alone"),
        (("sign", "--new-key", key), "a key is never replaced"),
        (("sign", key, "--key", key), "is no program that tensorspin train has written"),
        (("verify", model, "--key", key), "is a private key"),
    ):
        status, _, err = run(capsys, *words)
        assert status == 1 and told in err
    with pytest.raises(SystemExit):
        run(capsys, "sign", model)
    key.chmod(0o644)
    status, _, err = run(capsys, "sign", model, "--key", key, "--output", tmp_path / "out.npz")
    assert status == 1 and "readable by its owner alone" in err
    assert not (tmp_path / "out.npz").exists()


def test_a_key_that_is_not_there_is_told(capsys, model, tmp_path):
    pytest.importorskip("cryptography", reason="the extra signing")
    for command in (("sign", model), ("verify", model)):
        status, _, err = run(capsys, *command, "--key", tmp_path / "nokey")
        assert status == 1 and "nokey: there is no such file; tensorspin sign --new-key" in err


def test_without_the_extra_it_is_named(capsys, model, monkeypatch, tmp_path):
    for name in list(sys.modules):
        if name.partition(".")[0] == "cryptography":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for words in (
        ("sign", "--new-key", tmp_path / "key"),
        ("run", model, *DATA, "--require-signature", tmp_path / "key.pub"),
    ):
        status, _, err = run(capsys, *words)
        assert status == 1 and "pip install 'tensorspin[signing]'" in err
    assert run(capsys, "run", model, *DATA)[0] == 0  # which needs no signature
