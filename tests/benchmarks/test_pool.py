"""The pool's benchmark: modelled boards, tables and a picture."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.benchmarks.common.machine import describe_machine
from tensorspin.benchmarks.pool.__main__ import main
from tensorspin.benchmarks.pool.modelled import measure_modelled, rate
from tensorspin.benchmarks.pool.modelled_boards import PieceModel, modelled_crew, piece_model
from tensorspin.benchmarks.pool.tables import draw, markdown
from tensorspin.benchmarks.pool.virtual import samples_a_second
from tensorspin.pool import BoardPool

from ..support.doubles import assert_answers
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAM, LEVELS = chain_program(), random_levels(32)


def test_a_piece_takes_what_the_golden_model_says():
    slow, fast = (piece_model(each, PROGRAM, LEVELS) for each in ("icebreaker", "icebreaker_spi"))
    assert_answers(slow.results, golden_answers(PROGRAM, LEVELS))
    # 32 samples of 8 bytes and more at 10 bits a byte on a line of a million bits a second
    assert slow.seconds > 32 * 8 * 10 / 1e6 and fast.seconds < slow.seconds


def test_all_modelled_boards_work():
    model = PieceModel("icebreaker", 0.01, golden_answers(PROGRAM, LEVELS))
    crew = modelled_crew(model, 3)
    assert 0 < rate(crew, PROGRAM, LEVELS, 12, 3) <= 3 / model.seconds
    assert all(each.pieces for each in crew.statistics())
    crew.close()


def test_a_curve_has_what_was_measured_and_what_the_boards_could(monkeypatch):
    monkeypatch.setattr("tensorspin.benchmarks.pool.modelled.SECONDS", 0.1)
    rows = measure_modelled(PROGRAM, LEVELS, "icebreaker_spi", (1, 2), "threads")
    assert [row["boards"] for row in rows] == [1, 2]
    assert rows[1]["ideal"] == pytest.approx(2 * rows[0]["ideal"])
    assert all(0 < row["pieces"] <= row["ideal"] for row in rows)


def test_virtual_boards_are_measured():
    with BoardPool(["golden://icebreaker"]) as pool:
        assert samples_a_second(pool, PROGRAM, np.resize(LEVELS, (64, 8)), repeats=1) > 0


def report():
    rows = [{"boards": count, "pieces": 0.9 * count, "ideal": count} for count in (1, 1000)]
    return {
        "format": 1,
        "machine": describe_machine(),
        "model": {"features": 64, "bond_dim": 8, "piece": 512},
        "virtual": [
            {"url": "golden://icebreaker", "boards": 1, "threads": 1000.0, "processes": 900.0},
            {"url": "sim://icebreaker", "boards": 1, "threads": 2000.0},
        ],
        "modelled": [
            {"line": "SPI", "scheduler": scheduler, "rows": rows}
            for scheduler in ("threads", "dask")
        ],
    }


def test_tables_say_what_is_measured_and_what_modelled():
    text = markdown(report())
    assert "| `sim://icebreaker` | 1 | 2,000 | - |" in text
    assert text.count("| SPI, ideal | 1 | 1,000 |") == 1
    assert "| SPI, dask | 1 | 900 |" in text
    assert "measured, with modelled boards and lines" in text


def test_the_picture_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    (path,) = draw(report(), tmp_path)
    assert path.stat().st_size > 1000


def test_a_report_can_be_rendered_again(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert main(["--render", "--output", str(tmp_path)]) == 1
    assert "pool.json" in capsys.readouterr().err
