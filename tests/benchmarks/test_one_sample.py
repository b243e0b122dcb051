"""One sample on boards, this computer and microcontrollers, side by side."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tensorspin import MPSClassifier, TTNClassifier
from tensorspin.benchmarks.contractor.one_sample import (
    boards,
    command,
    compiled,
    counted,
    exchanged,
    rows,
)
from tensorspin.benchmarks.contractor.one_sample.boards import line_bytes, model_boards
from tensorspin.benchmarks.contractor.one_sample.command import main
from tensorspin.benchmarks.contractor.one_sample.compiled import (
    Unavailable,
    measure_bits,
    measure_float,
)
from tensorspin.benchmarks.contractor.one_sample.tables import one_sample
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BOARDS, find_board

from ..support.loaded_programs import chain_program, random_levels

PROGRAM = chain_program(64, n_outputs=10, bond=16)


def tree_program():
    """A trained tree network."""
    X = np.random.default_rng(0).normal(size=(60, 6))
    return TTNClassifier(bond_dim=3, epochs=2, random_state=0).fit(X, X[:, 0] > 0).quantize()


@pytest.fixture
def briefly(monkeypatch):
    """Measure compiled code once."""
    monkeypatch.setattr(compiled, "SECONDS", 1e-6)
    monkeypatch.setattr(compiled, "REPEATS", 1)


def row_of(found, who, mode=None):
    (row,) = (each for each in found if each["who"] == who and mode in (None, each["mode"]))
    return row


def test_boards_take_the_cycles_of_the_golden_model_and_the_bytes_of_the_line():
    assert sum(line_bytes(PROGRAM)) == 113
    found = model_boards("network", PROGRAM)
    assert {row["who"] for row in found} == {
        name for name, board in BOARDS.items() if board.engines.find(ContractorSize)
    }
    for name in ("icebreaker", "ulx3s_85f", "icepi_zero_spi"):
        board = find_board(name)
        size = board.require_contractor()
        row = row_of(found, name, "throughput" if size.groups > 1 else "one group")
        seconds = PROGRAM.cycles(size.lanes, size.latencies) / board.clock_hz
        assert row["seconds"] == seconds
        assert row["line_seconds"] == pytest.approx(seconds + 113 * board.byte_seconds)
        assert row["samples_per_second"] == pytest.approx(size.groups / seconds)
        assert row["with_line"] <= min(row["samples_per_second"], 1 / (74 * board.byte_seconds))


def test_a_board_whose_groups_share_a_sample_has_a_row_for_each_mode(monkeypatch):
    board = find_board("ulx3s_85f")
    size = replace(board.require_contractor(), pipeline=0, single_drain=4)
    board = replace(board, engines=board.engines.with_sizes(size))
    monkeypatch.setattr(boards, "BOARDS", {"shared": board})
    single, throughput = (
        row_of(model_boards("network", PROGRAM), board.name, mode)
        for mode in ("single", "throughput")
    )
    assert single["cycles"] == PROGRAM.single_cycles(size) < throughput["cycles"] / 2
    assert single["samples_per_second"] == pytest.approx(1 / single["seconds"])
    assert throughput["samples_per_second"] == pytest.approx(size.groups / throughput["seconds"])


def test_boards_that_are_too_small_have_no_row():
    assert "icebreaker" not in {
        row["who"] for row in model_boards("n", chain_program(300, bond=30))
    }


@pytest.mark.parametrize("measure", [measure_bits, measure_float])
@pytest.mark.parametrize("make", [lambda: chain_program(20, bond=12), tree_program])
def test_compiled_code_gives_the_classes_of_the_golden_model(briefly, measure, make):
    program = make()
    found = measure(program, random_levels(40, program.n_features))
    assert found.seconds > 0
    assert found.agreement == 1 if measure is measure_bits else found.agreement >= 0.95


def test_without_a_compiler_the_row_says_so(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiled.shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="there is no C compiler"):
        measure_float(PROGRAM, random_levels(2, 64))
    monkeypatch.setenv("CC", "false")
    found = rows.measure_rows("n", {"network": PROGRAM}, {}, np.zeros((2, 64)))
    assert "not measured: the C compiler failed" in "\n".join(one_sample(found))


REPORT = {
    "cores": {"m0": "an M0+"},
    "data": [
        {
            "name": "digits",
            "title": "MPS",
            "alone": [
                {
                    "title": "forest",
                    "accuracy": 0.97,
                    "cores": {"m0": {"seconds": 5e-5, "instructions": 5530.0}},
                }
            ],
            "boards": [
                {
                    "board": "icebreaker_spi",
                    "limit_hz": 25_000_000,
                    "spi": [
                        {"sck_hz": 1e6, "latency": 1e-3, "engine": 1e-4, "pipelined": 1.0},
                        {"sck_hz": 25e6, "latency": 2e-4, "engine": 1e-4, "pipelined": 6800.0},
                    ],
                }
            ],
        }
    ],
}


def test_what_was_counted_is_read(tmp_path):
    path = tmp_path / "bench-mcu.json"
    assert counted.read_counted(path, "digits") == []
    path.write_text(json.dumps(REPORT))
    alone, pins = counted.read_counted(path, "digits")
    assert (alone["who"], alone["seconds"], alone["instructions"]) == ("an M0+", 5e-5, 5530.0)
    assert (pins["who"], pins["line_seconds"]) == ("icebreaker_spi, SCK 25 MHz", 2e-4)
    assert counted.read_counted(path, "iris") == []
    for text in ("{", "[]", '{"cores": {}, "data": [{"name": "digits"}]}'):
        path.write_text(text)
        assert counted.read_counted(path, "digits") == []


def test_onnx_runtime_is_not_needed(monkeypatch):
    monkeypatch.setattr(exchanged.importlib.util, "find_spec", lambda name: None)
    assert exchanged.onnx_call(LogisticRegression(), np.zeros((2, 3))) is None


def test_onnx_runtime_predicts_what_the_model_does():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("skl2onnx")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    model = LogisticRegression().fit(X, X[:, 0] > 0)
    labels, _ = exchanged.onnx_call(model, X)(X.astype(np.float32))
    assert np.mean(labels == model.predict(X)) > 0.98
    network = MPSClassifier(bond_dim=2, epochs=1).fit(X, X[:, 0] > 0)
    assert exchanged.onnx_call(network, X) is None


def test_ratios_are_over_the_fastest_c_code():
    found = [
        *model_boards("network", PROGRAM),
        *(
            {"kind": "compiled", "model": "network", "who": who, "known": "measured"}
            | {"seconds": seconds, "samples_per_second": 1 / seconds, "agreement": 0.98}
            for who, seconds in (("C, bits", 2e-5), ("C, float32", 1e-6))
        ),
        {"kind": "microcontroller", "model": "forest", "who": "M0+", "seconds": 5e-5}
        | {"instructions": 5530.0, "known": "counted"},
    ]
    text = "\n".join(one_sample(found))
    assert re.search(r"\| C, bits \| - \| 20 \|.* 20 \| measured; 98.0% of the classes", text)
    assert re.search(r"\| C, float32 \| - \| 1 \|.* 1 \| measured", text)
    assert re.search(r"\| forest: M0\+ \| - \| 50 \|.* 50 \| counted: 5,530 instructions", text)
    engine = find_board("ulx3s_85f")
    taken = PROGRAM.cycles(engine.require_contractor().lanes) / engine.clock_hz
    assert re.search(rf"`ulx3s_85f`.* {taken * 1e6:.3g} \| modelled", text)
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert one_sample([]) == ["Not measured."]


def test_the_suite_writes_tables_and_a_picture(briefly, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "baselines", lambda seed: {"regression": LogisticRegression()})
    arguments = ["--suite", "latency", "--data", "iris", "--quick", "--output", str(tmp_path)]
    assert main(arguments) == 0
    text = (tmp_path / "latency.md").read_text()
    assert "# One sample: iris" in text and "| `icebreaker`" in text
    assert (tmp_path / "latency_sample.png").stat().st_size > 10_000
    before = text
    assert main([*arguments, "--render"]) == 0
    assert (tmp_path / "latency.md").read_text() == before
    assert main(["--data", "nothing", "--output", str(tmp_path)]) == 1
    assert "nothing" in capsys.readouterr().err
