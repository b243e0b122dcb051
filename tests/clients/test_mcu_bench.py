"""The parts of the benchmark of a board beside a microcontroller, with tiny models."""

import numpy as np
import pytest

from tensorspin.contract.device.boards import find_board

from ..support import cross, mcu_bench, mcu_bench_report, mcu_core, mcu_rivals, mcu_wires
from ..support.loaded_programs import chain_program

RNG = np.random.default_rng(0)
X = RNG.integers(-40, 40, (120, 5)).astype(np.int16)
Y = (X[:, 0] > X[:, 3]).astype(int) + (X[:, 1] > 20)


@pytest.mark.parametrize(
    "code, expected",
    [
        ("7047", (1, 0)),  # bx lr
        ("f0b5 f0bd", (2, 10)),  # push {r4-r7, lr}; pop {r4-r7, pc}
        ("0f c9 0f c0", (2, 8)),  # ldmia r1!, {r0-r3}; stmia r0!, {r0-r3}
        ("0148 0868 4854 8880", (4, 4)),  # ldr literal; ldr; strb; strh
        ("00f000f8", (1, 0)),  # bl
        ("d0f80410 d0e90012", (2, 3)),  # ldr.w; ldrd
        ("2de9f041", (1, 6)),  # push.w {r4-r8, lr}
        ("90ed000b 2ded048b", (2, 6)),  # vldr d0; vpush {d8, d9}
        ("dfe800f0", (1, 1)),  # tbb
    ],
)
def test_instructions_and_accesses_of_a_block(code, expected):
    assert mcu_core.decode(bytes.fromhex(code)) == expected


@pytest.mark.parametrize("standard", [False, True])
def test_a_perceptron_of_8_bits_learns(standard):
    model = mcu_rivals.Perceptron(X, Y, 12, standard)
    assert np.mean(model.predict(X) == Y) > 0.8
    assert max(np.abs(model.first).max(), np.abs(model.last).max()) <= 127


@pytest.fixture
def emulator():
    pytest.importorskip("unicorn", reason="pip install '.[mcu]'")
    try:
        cross.command()
    except cross.NoCompiler as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("kind", ["perceptron", "forest"])
def test_code_computes_what_the_accuracy_is_of(emulator, kind):
    model = mcu_rivals.Perceptron(X, Y, 12) if kind == "perceptron" else mcu_rivals.Forest(X, Y, 5)
    answers, row = mcu_bench.run_on_cores(model.source(), X[:10])
    assert answers == model.predict(X[:10]).tolist()
    small, large = row["cortex-m4"], row["cortex-m0plus"]
    assert 0 < small["instructions"] <= large["instructions"]
    assert large["flash"] > 100 and large["accesses"] > 5 and large["branches"] > 5


def test_a_function_is_counted_to_the_instruction(emulator, tmp_path):
    (tmp_path / "classifier.c").write_text(
        "#include <stdint.h>\nvoid prepare(void); int classify(const int16_t *readings);\n"
        "void prepare(void) {}\n"
        "__attribute__((naked)) int classify(const int16_t *readings)\n"
        '{ __asm__(".syntax unified\\n movs r0, #5\\n 1: subs r0, #1\\n bne 1b\\n push {r1, r2}\\n'
        ' add sp, #8\\n bx lr"); }\n'
    )
    sources = [tmp_path / "classifier.c"]
    for core in (mcu_core.M0, mcu_core.M4):
        program = mcu_core.build(tmp_path, core, sources, X[:2])
        answers, counts = mcu_core.count(program, core)
        assert answers == [0, 0]
        assert counts == [mcu_core.Counts(1 + 2 * 5 + 3, 2, 4 + 1)] * 2
        assert counts[0].cycles(core) == 14 + 2 + 5 * core.branch


def test_a_serial_line_is_computed_from_bytes():
    board, program = find_board("icebreaker_spi"), chain_program(64, n_outputs=10, bond=2)
    found = mcu_wires.computed_uart(board, program)
    assert found["bytes"] == 113 and found["board"] == "icebreaker"
    assert found["latency"] == pytest.approx(113 * 10 / found["baud"] + found["engine"])


def report():
    """A report with made-up figures."""
    counted = {
        core.name: {"instructions": 1e3, "accesses": 9, "branches": 2, "seconds": 1e-5, "flash": 99}
        for core in mcu_bench.CORES
    }
    spi = {"load": 0.01, "latency": 2e-4, "engine": 1e-4, "pipelined": 6800.0, "faults": 0}
    uart = {"board": "a", "baud": 1e6, "bytes": 113, "load": 0.3, "latency": 1e-3, "engine": 1e-4}
    return {
        "format": 1,
        "cores": {core.name: core.title for core in mcu_bench.CORES},
        "branch": {core.name: core.branch for core in mcu_bench.CORES},
        "data": [
            {
                "name": "digits",
                "title": "a network",
                "held_out": 360,
                "splits": 3,
                "boards": [
                    {
                        **{"board": "a_spi", "clock_hz": 30e6, "limit_hz": 25e6},
                        **{"cycles": 4355, "bytes": 9, "uart": uart},
                        "spi": [{"sck_hz": rate, **spi} for rate in (1e6, 25e6, 40e6)],
                    }
                ],
                "firmware": {"board": "a_spi", "sck_hz": 2e7, "cpu_hz": 1e8, "latency": 2e-4},
                "alone": [
                    {"title": "network", "accuracy": 0.99, "cores": counted, "levels": counted},
                    {"title": "forest", "accuracy": 0.97, "cores": counted},
                ],
            }
        ],
    }


def test_tables_and_picture(tmp_path):
    text = mcu_bench_report.markdown(report())
    assert "| SCK 25 MHz | 200 | 100 | 6,800 | 10.0 |" in text
    assert "SCK 40 MHz (1)" in text and "(computed" not in text and "Computed from 113" in text
    assert "| forest | 97.0% | 1,000 | 1,000 | 10.0 | 10.0 | 99 | 99 |" in text
    pytest.importorskip("matplotlib")
    assert [path.name for path in mcu_bench_report.draw(report(), tmp_path)] == [
        "bench-mcu_latency.png"
    ]
