"""What commands tell on standard error: quiet, normal and verbose."""

from __future__ import annotations

import logging
import re
import runpy
import warnings
from pathlib import Path

import pytest

import tensorspin
from tensorspin.cli.logs import NORMAL, QUIET, VERBOSE, logs_on_stderr
from tensorspin.progress import progress_bar, progress_over
from tests.support.command_line import GOLDEN, run


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (QUIET, "tensorspin: warning: a warning\ntensorspin: an error\n"),
        (NORMAL, "a step\ntensorspin: warning: a warning\ntensorspin: an error\n"),
        (
            VERBOSE,
            "tensorspin.room: a detail\na step\ntensorspin: warning: a warning\n"
            "tensorspin: an error\n",
        ),
    ],
)
def test_levels(capsys, level, shown):
    logger = logging.getLogger("tensorspin.room")
    with logs_on_stderr(level):
        logger.debug("a %s", "detail")
        logger.info("a step")
        logger.warning("a\n   warning")
        logger.error("an error")
    captured = capsys.readouterr()
    assert captured.err == shown and not captured.out
    top = logging.getLogger("tensorspin")
    assert not top.handlers and top.level == logging.NOTSET


def test_warnings_are_lines(capsys):
    with logs_on_stderr(QUIET):
        warnings.warn("a name with \x1b[31m", stacklevel=1)
    assert capsys.readouterr().err == "tensorspin: warning: a name with \\x1b[31m\n"


@pytest.mark.parametrize(("level", "shown"), [(QUIET, False), (NORMAL, True), (None, True)])
def test_progress_obeys_the_level(capsys, level, shown):
    logger = logging.getLogger("tensorspin")
    logger.setLevel(logging.NOTSET if level is None else level)
    try:
        with progress_bar("working", "B") as progress:
            progress(5, 10)
        assert list(progress_over([1, 2], "counting", "item")) == [1, 2]
    finally:
        logger.setLevel(logging.NOTSET)
    err = capsys.readouterr().err
    assert ("working" in err and "counting" in err) == shown and bool(err) == shown


def test_levels_of_a_command(capsys, tmp_path):
    words = ("train", "iris", "--bond-dim", 2, "--epochs", 1, "--output", tmp_path / "m.npz")
    quiet, normal, verbose = (run(capsys, *words, *more) for more in (["-q"], [], ["-v"]))
    assert quiet[1] == normal[1] == verbose[1]
    assert not quiet[2] and "training" in normal[2]
    assert f"{tmp_path / 'm.npz'} is written" in verbose[2]
    status, _, err = run(capsys, "-v", "info", "golden://nonesuch")
    assert status == 1 and "Traceback" in err
    status, _, err = run(capsys, "info", GOLDEN, "--verbose")
    assert "tensorspin.driver.connection: golden://icebreaker is icebreaker, build " in err


def test_the_library_never_prints():
    root = Path(tensorspin.__file__).parent
    prints = re.compile(r"^\s*print\(|sys\.std(out|err)\.write", re.MULTILINE)
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if path.relative_to(root).parts[0] != "benchmarks"
        # What a module prints as a command of its own, the library does not print.
        and prints.search(path.read_text().split('if __name__ == "__main__":')[0])
    }
    # Both write for the command line: what cannot be parsed, and reports.
    assert found == {"cli/main.py", "cli/report.py"}


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_errors_of_the_module_that_python_runs(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["tensorspin", "-v", "info", "golden://nonesuch"])
    with pytest.raises(SystemExit) as exit_info:
        runpy.run_module("tensorspin.cli.main", run_name="__main__")
    err = capsys.readouterr().err
    assert exit_info.value.code == 1 and "Traceback" in err
    assert re.search("^tensorspin: .*nonesuch", err, re.MULTILINE)


def test_standard_output_that_is_closed(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout", None)
    assert run(capsys, "info", GOLDEN)[0] == 0
    assert run(capsys, "info", GOLDEN, "--json")[0] == 0
