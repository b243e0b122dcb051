"""Reports of commands: text and JSON tell the same, and errors are JSON too."""

from __future__ import annotations

import enum
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tensorspin.cli import main as main_module
from tensorspin.cli.main import main
from tensorspin.cli.report import Line, ReaderGone, Report, jsonable, printable
from tests.support.command_line import GOLDEN, document, run


class Colour(enum.IntEnum):
    RED = 3


@dataclass
class Point:
    x: float
    y: np.float32


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (float("inf"), None),
        (np.float64("nan"), None),
        (np.array([[1.0, np.nan]]), [[1.0, None]]),
        ((1, {2}), [1, [2]]),
        (Colour.RED, 3),
        (b"\x01\xff", "01ff"),
        (Point(1.0, np.float32("-inf")), {"x": 1.0, "y": None}),
        ({1: None}, {"1": None}),
        (Path("a") / "b", "a/b"),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_values_become_what_json_has(value, expected):
    found = jsonable(value)
    assert found == expected and type(found) is type(expected)
    json.dumps(found, allow_nan=False)


def test_text_and_document_come_from_the_same_lines(capsys):
    lines = (Line("accuracy, float", 0.25, "25.00%"), Line("R^2", None, "-", "r2"), ("note", "x"))
    report = Report("run", as_json=False)
    report.say("title")
    report.table(*lines)
    report.finish()
    assert capsys.readouterr().out.splitlines() == [
        "title",
        "accuracy, float  25.00%",
        "R^2              -",
        "note             x",
    ]
    report = Report("run", as_json=True)
    report.say("title")
    report.table(*lines)
    report.finish()
    found = json.loads(capsys.readouterr().out)
    assert found == {"command": "run", "accuracy_float": 0.25, "r2": None}


def test_documents_of_one_line(capsys):
    report = Report("bridge", as_json=True)
    report.stream({"url": "a", "share": float("nan")})
    report.stream()
    report.write("{}\n")
    report.finish()
    assert capsys.readouterr().out == '{"url": "a", "share": null}\n{}\n'


def test_rows_in_a_pipe_are_utf8_whatever_the_locale(monkeypatch):
    """A label that is written as escapes would be another label."""
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    report = Report("predict", as_json=False)
    report.write("0,K\u00e4fer\n")
    report.flush()
    assert written.getvalue().decode() == "0,K\u00e4fer\n"


def test_a_member_is_given_once():
    report = Report("run", as_json=True)
    report.record(samples=1)
    with pytest.raises(KeyError, match="samples"):
        report.table(Line("samples", 2))


def test_names_can_not_steer_the_terminal(capsys):
    Report("run", as_json=False).say("a\x1b[2Jb\x9bc\rd\u202ee\tf\ng")
    assert capsys.readouterr().out == "a\\x1b[2Jb\\x9bc\\rd\\u202ee\tf\ng\n"
    assert printable("größe 変") == "größe 変"


def test_a_value_can_not_forge_a_line_of_a_table(capsys):
    Report("run", as_json=False).table(Line("file", "a\nb\x1b[1m"), ("c\nd", "e"))
    assert capsys.readouterr().out == "file  a\\nb\\x1b[1m\nc\\nd  e\n"


HOSTILE = "a\x1b[31mb\x9bc\u202ed"


def test_names_from_others_do_not_reach_the_terminal_as_they_are(capsys, tmp_path, model):
    rng = np.random.default_rng(0)
    data = tmp_path / f"{HOSTILE}.csv"
    rows = [f"{a},{b},{HOSTILE}{a > 0.5}" for a, b in rng.random((30, 2))]
    data.write_text("\n".join([f"x,y{HOSTILE},{HOSTILE}", *rows]), encoding="utf-8")
    trained = tmp_path / f"{HOSTILE}.npz"
    model_file = tmp_path / f"{HOSTILE}.txt"
    model_file.write_text(f"2 1\n1 {HOSTILE} 1\n", encoding="utf-8")
    commands = [
        (0, "train", data, "--epochs", 1, "--bond-dim", 2, "--output", trained),
        (
            0,
            "run",
            trained,
            "--board",
            GOLDEN,
            "--data",
            data,
            "--output",
            trained.parent / "o.csv",
        ),
        (1, "run", model, "--board", GOLDEN, "--data", data),  # other labels
        (0, "estimate", trained),
        (1, "estimate", model_file),
        (1, "estimate", tmp_path / HOSTILE),
        (1, "anneal", model_file, "--board", "golden://ulx3s_25f_annealer"),
        (1, "info", f"golden://{HOSTILE}"),
        (1, "info", f"/dev/{HOSTILE}"),
        (1, "train", HOSTILE),
        (1, "estimate", "--board", HOSTILE),
    ]
    for status, *words in commands:
        found, out, err = run(capsys, *words)
        assert found == status, err
        assert not set("\x1b\x9b\u202e") & set(out + err), words
    with pytest.raises(SystemExit):
        run(capsys, "estimate", "a", f"b{HOSTILE}")
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("before", [True, False])
def test_options_stand_before_or_after_the_command(capsys, before):
    words = ("--json", "info", GOLDEN) if before else ("info", GOLDEN, "--json")
    assert document(capsys, *words)["board"] == "icebreaker"


def test_errors_are_documents(capsys):
    status, out, err = run(capsys, "info", "golden://nonesuch", "--json")
    found = json.loads(out)
    assert status == 1 and found["command"] == "info" and found["type"] == "TransportError"
    assert "nonesuch" in found["error"] and "\n" not in found["error"]
    assert err == f"tensorspin: {found['error']}\n"


def test_wrong_arguments_are_documents(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["train", "iris", "--json", "--epochs", "many"])
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert exit_info.value.code == 2
    assert found["command"] == "train" and "invalid int value: 'many'" in found["error"]
    assert "usage: tensorspin train" in captured.err
    assert main(["--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "no command is given"


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, 130), (ReaderGone, 141)])
def test_a_command_that_is_ended_from_outside(capsys, monkeypatch, error, status):
    def stopped(options):
        raise error

    monkeypatch.setattr("tensorspin.cli.udev._udev", stopped)
    found, out, err = run(capsys, "udev", "--json")
    assert found == status
    if error is KeyboardInterrupt:
        assert json.loads(out)["error"] == "interrupted" and err == "tensorspin: interrupted\n"
    else:
        assert not out and not err


def test_faults_of_the_program_are_documents_and_tracebacks(capsys, monkeypatch):
    def broken(options):
        raise RuntimeError("a fault")

    monkeypatch.setattr("tensorspin.cli.udev._udev", broken)
    with pytest.raises(RuntimeError):
        main(["udev", "--json"])
    assert json.loads(capsys.readouterr().out)["error"] == "a fault"


def test_every_command_has_the_options():
    parser = main_module._parser(list(main_module.COMMANDS))
    (commands,) = (a for a in parser._actions if a.dest == "name")
    for command in (parser, *commands.choices.values()):
        words = {word for action in command._actions for word in action.option_strings}
        assert {"-q", "--quiet", "-v", "--verbose", "--json"} <= words


def test_version_as_json(capsys):
    _, text, _ = run(capsys, "--version")
    assert text == f"tensorspin {document(capsys, '--version', '--json')['version']}\n"


def test_udev_as_json(capsys):
    assert run(capsys, "udev")[1] == document(capsys, "udev", "--json")["rules"]


def test_info_as_json(capsys):
    _, text, _ = run(capsys, "info", GOLDEN)
    found = document(capsys, "info", GOLDEN, "--json")
    assert f"{found['clock_hz'] / 1e6:g} MHz" in text and f"{found['baud']} baud" in text
    (contractor,) = found["engines"].values()
    for key, name in {"lanes": "lanes", "bond_dim": "bond dimension", "slots": "slots"}.items():
        assert re.search(rf"{name} +{contractor[key]}\b", text)
    assert f"{contractor['program_bytes']} bytes" in text
    assert found["digest"] is None and found["samples_contracted"] == 0
    assert found["frames_rejected"] == {"damaged": 0, "out_of_sequence": 0, "overflows": 0}
    annealer = document(capsys, "info", "golden://ulx3s_25f_annealer", "--json")["engines"]
    assert annealer["annealer"]["spins"] == 256 and annealer["annealer"]["greatest_coupling"] == 7
    assert annealer["annealer"]["flips_per_second"] == 100e6


def test_link_test_as_json(capsys):
    found = document(capsys, "link-test", GOLDEN, "--seconds", "0.2", "--json")
    assert 0 < found["round_trip_seconds"] < 0.1 and found["to_device_bytes_per_second"] > 1000
    assert found["statistics"]["frames"] > found["statistics"]["resent"] == 0


def test_ports_as_json(capsys, monkeypatch):
    from tensorspin.contract.device.boards import BOARDS
    from tensorspin.driver.usb import ports

    guess = ports.PortGuess("/dev/ttyUSB1", "n", (BOARDS["icebreaker"],), True, True, "")
    monkeypatch.setattr(ports, "guess_ports", lambda: [guess])
    (found,) = document(capsys, "ports", "--json")["ports"]
    assert found["device"] == "/dev/ttyUSB1" and found["boards"] == ["icebreaker"]
    assert f"/dev/ttyUSB1  n  {found['guess']}\n" == run(capsys, "ports")[1]


def test_estimate_as_json(capsys, model, tmp_path):
    _, text, _ = run(capsys, "estimate", model)
    found = document(capsys, "estimate", model, "--json")
    assert found["fits"] and re.search(rf"cycles per sample +{found['cycles']}\n", text)
    assert f"{found['seconds'] * 1e6:.1f} us" in text and f"{found['utilisation']:.1%}" in text
    assert f" {found['modelled_samples_per_second']:.0f} (modelled" in text
    for demand in found["demands"]:
        assert re.search(rf"{demand['needed']} of +{demand['limit']} +fits", text)
    board = document(capsys, "estimate", "--board", "ulx3s_25f_both", "--json")
    assert set(board["engines"]) == {"contractor", "annealer"} and board["clock_hz"] == 95e6
    path = tmp_path / "pair"
    path.write_text("2 1\n1 2 5\n")
    found = document(capsys, "estimate", path, "--board", "ulx3s_25f_annealer", "--json")
    (built,) = (width for width in found["widths"] if width["built"])
    assert built["bits"] == 4 and built["greatest"] == 7 and built["relative_error"] == 0


def test_train_and_run_as_json(capsys, tmp_path):
    output = tmp_path / "model.npz"
    words = ("train", "iris", "--bond-dim", 2, "--epochs", 2, "--output", output)
    _, text, _ = run(capsys, *words)
    found = document(capsys, *words, "--json")
    for name in ("float", "quantised"):
        assert re.search(rf"accuracy, {name} +{found[f'accuracy_{name}']:.2%}\n", text)
    assert found["held_out_samples"] == 30 and found["program"] == str(output)
    assert f"{found['nodes']['narrow']} of {found['nodes']['all']}\n" in text
    words = ("run", output, "--board", GOLDEN, "--data", "iris")
    _, text, _ = run(capsys, *words)
    found = document(capsys, *words, "--json")
    assert re.search(rf"accuracy +{found['accuracy']:.2%}\n", text)
    assert re.search(rf"cycles per sample +{found['cycles_per_sample']:.0f}\n", text)
    assert f"{found['computing_seconds_per_sample'] * 1e6:.1f} us" in text


def test_anneal_as_json(capsys, tmp_path):
    path = tmp_path / "ring"
    path.write_text("3 3\n1 2 1\n2 3 1\n1 3 -1\n")
    words = ("anneal", path, "--board", "golden://ulx3s_25f_annealer", "--sweeps", 5, "--seed", 1)
    _, text, _ = run(capsys, *words)
    found = document(capsys, *words, "--json")
    assert re.search(rf"best max cut +{found['best']:.10g}\n", text) and found["best"] == 2
    assert f"{found['reads']['number']}, mean {found['reads']['mean']:.10g}\n" in text
    assert f"{found['device_seconds'] * 1e3:.4g} ms" in text
    assert found["model"] == {"variables": 3, "couplings": 3} and found["seed"] == 1
