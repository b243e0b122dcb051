"""What a board adds to a microcontroller, in figures: ``python -m tests.support.mcu_bench``.

The wires and the engine are simulated, with the real driver in C. What the microcontroller computes
by itself is counted instruction by instruction, and its times are estimated from that.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tensorspin import MPSClassifier
from tensorspin.benchmarks.common.report import Renderer
from tensorspin.contract.device.boards import find_board
from tensorspin.data import load_dataset
from tensorspin.errors import TensorspinError
from tensorspin.export.c_header import model_header
from tensorspin.export.model import ClientModel
from tensorspin_gateware.simulation import pins

from . import cross, firmware, mcu_core, mcu_rivals, mcu_wires
from .mcu_bench_report import draw, markdown
from .rp2040 import CPU_HZ, RP2040

BOARDS = ("icebreaker_spi", "icepi_zero_spi")
SCK_HZ = (1e6, 5e6, 10e6, 20e6, 25e6, 40e6)
CORES = (mcu_core.M0, mcu_core.M4)
WIDER = (64, 128, 256, 512)
"""Hidden units of wider perceptrons, of which the first that is as accurate is shown."""

NETWORK = """
#include "tensorspin.h"
#include "model.h"
void prepare(void);
int classify(const int16_t *readings);
static tensorspin_device device;
static tensorspin_workspace workspace;
static tensorspin_result result;
static uint8_t levels[MODEL_FEATURES];
void prepare(void)
{
    tensorspin_open_software(&device, &workspace);
    tensorspin_load(&device, &model);
}
int classify(const int16_t *readings)
{
    int error = tensorspin_levels_int16(&model_int16, readings, levels);
    if (!error) error = tensorspin_run(&device, levels, &result);
    return error ? -1 : result.best;
}
"""
LEVELS = """
#include "tensorspin.h"
#include "model.h"
void prepare(void);
int classify(const int16_t *readings);
static uint8_t levels[MODEL_FEATURES];
void prepare(void) {}
int classify(const int16_t *readings)
{
    return tensorspin_levels_int16(&model_int16, readings, levels);
}
"""
NOTHING = """
#include <stdint.h>
void prepare(void);
int classify(const int16_t *readings);
void prepare(void) {}
int classify(const int16_t *readings) { return readings[0]; }
"""


@dataclass(frozen=True)
class Case:
    """A data set, the network for it, and how a perceptron takes it.

    Attributes
    ----------
    data, title : str
        Name of the data set, and of the network.
    parameters : dict
        Of the network's classifier, beside the seed.
    standard : bool
        As for `mcu_rivals.Perceptron`.
    """

    data: str
    title: str
    parameters: dict = field(default_factory=dict)
    standard: bool = False


CASES = (
    Case(
        "digits",
        "MPS, bond dimension 16, one site a feature, 30 epochs",
        {"bond_dim": 16, "n_repeats": 1, "epochs": 30},
    ),
    Case("breast_cancer", "MPS, default recipe", standard=True),
)


def readings(case: Case, seed: int):
    """Split a data set; readings become whole numbers of 16 bits, as a sensor has them."""
    data = load_dataset(case.data, seed=seed)
    X, T = data.X_train, data.X_test
    if not np.array_equal(X, np.rint(X)):
        factor = 30_000 / np.abs(np.vstack([X, T])).max(axis=0)
        X, T = X * factor, T * factor
    return (
        *(np.rint(part).astype(np.int16) for part in (X, T)),
        *(np.searchsorted(np.unique(data.y_train), part) for part in (data.y_train, data.y_test)),
    )


def run_on_cores(source: str | Path, samples, include=(), parts=()) -> tuple[list[int], dict]:
    """Compile a classifier for both cores, and count.

    Returns
    -------
    answers : list of int
        Classes of the samples.
    row : dict
        For each core by its compiler's name what a call executes on average, and flash bytes.
    """
    row: dict = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if isinstance(source, str):
            (folder / "classifier.c").write_text(source)
            source = folder / "classifier.c"
        (folder / "nothing.c").write_text(NOTHING)
        answers: list[int] = []
        for core in CORES:
            empty = mcu_core.build(folder, core, [folder / "nothing.c"], samples)
            none = mcu_core.flash_bytes(empty)
            program = mcu_core.build(folder, core, [source, *parts], samples, include)
            answers, counts = mcu_core.count(program, core)
            cycles = np.mean([each.cycles(core) for each in counts])
            row[core.name] = {
                "instructions": float(np.mean([each.instructions for each in counts])),
                "accesses": float(np.mean([each.accesses for each in counts])),
                "branches": float(np.mean([each.branches for each in counts])),
                "seconds": float(cycles / core.hz),
                "flash": mcu_core.flash_bytes(program) - none,
            }
    return answers, row


def check(title: str, answers, expected) -> None:
    """Refuse a row whose C code does not compute what its accuracy was measured of."""
    if list(answers) != list(expected):
        raise mcu_wires.WrongAnswer(f"{title}: the C code's classes are not those of the host")


def alone(case: Case, program, splits, samples: int, tell) -> list[dict]:
    """Count what the microcontroller does by itself, with accuracies on the same samples."""
    X, T, y, _ = splits[0]
    few = T[:samples]
    rows = []

    def add(title, predictions, counted):
        score = [np.mean(found == truth) for found, (*_, truth) in zip(predictions, splits)]
        rows.append({"title": title, "accuracy": float(np.mean(score)), "cores": counted})
        tell(f"{title}: accuracy {np.mean(score):.2%}")

    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "model.h").write_text(
            model_header(ClientModel(program, find_board(BOARDS[0])))
        )
        parts = [
            cross.SOURCES / f"tensorspin_{part}.c"
            for part in ("link", "contractor", "levels", "software")
        ]
        answers, counted = run_on_cores(NETWORK, few, [name], parts)
        predictions = [network(case, split, seed) for seed, split in enumerate(splits)]
        check("network", answers, predictions[0][:samples])
        add("the same network in C", predictions, counted)
        _, counted = run_on_cores(LEVELS, few, [name], parts[2:3])
    rows[-1]["levels"] = counted
    wanted = rows[0]["accuracy"]
    found = 0.0
    for hidden in (32, *WIDER):
        models = [
            mcu_rivals.Perceptron(X, y, hidden, case.standard, seed)
            for seed, (X, _, y, _) in enumerate(splits)
        ]
        predictions = [model.predict(split[1]) for model, split in zip(models, splits)]
        found = np.mean([np.mean(p == truth) for p, (*_, truth) in zip(predictions, splits)])
        if hidden == 32 or found >= wanted or hidden == WIDER[-1]:
            answers, counted = run_on_cores(models[0].source(), few)
            title = f"int8 MLP {X.shape[1]}-{hidden}-{models[0].last.shape[1]}"
            check(title, answers, predictions[0][:samples])
            add(title, predictions, counted)
        if found >= wanted:
            break
    forests = [mcu_rivals.Forest(X, y, seed=seed) for seed, (X, _, y, _) in enumerate(splits)]
    predictions = [model.predict(split[1]) for model, split in zip(forests, splits)]
    answers, counted = run_on_cores(forests[0].source(), few)
    check("forest", answers, predictions[0][:samples])
    add("random forest, 50 trees", predictions, counted)
    emlearn = [emlearn_answers(split, seed) for seed, split in enumerate(splits)]
    if emlearn[0] is not None:
        add(
            "random forest, 50 trees, emlearn's code",
            [np.array(each[0]) for each in emlearn],
            emlearn[0][1],
        )
    return rows


def emlearn_answers(split, seed):
    """Run all held-out samples through emlearn's own code; None if it is not installed."""
    X, T, y, _ = split
    factor = mcu_rivals.emlearn_factor(X)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        include = mcu_rivals.emlearn_source(mcu_rivals.Forest(X * factor, y, seed=seed), folder)
        if include is None:
            return None
        return run_on_cores(folder / "emlearn.c", T * factor, [folder, *include])


def fit(case: Case, split, seed):
    """Train the network of a case and compile it."""
    X, _, y, _ = split
    classifier = MPSClassifier(**case.parameters, random_state=seed)
    return classifier.fit(X.astype(np.float64), y).quantize()


def network(case: Case, split, seed):
    """Train the network on a split; return the classes that any device answers."""
    program = fit(case, split, seed)
    return program.classes[program.run_golden(split[1].astype(np.float64)).classes]


def on_firmware(program, samples) -> dict:
    """Time samples with an RP2040's firmware, the driver's own work among it."""
    board = find_board(BOARDS[0])
    with tempfile.TemporaryDirectory() as name:
        path = firmware.build(Path(name), ClientModel(program, board), samples)
        with pins.load(board.name, firmware.SCK_HZ) as wires:
            chip = RP2040(path, wires)
            if status := chip.run():
                raise mcu_wires.WrongAnswer(f"the firmware ended with {status}")
    times = [end[1] - begin[1] for begin, end in zip(chip.marks[::2], chip.marks[1::2])]
    return {
        "board": board.name,
        "sck_hz": firmware.SCK_HZ,
        "cpu_hz": CPU_HZ,
        "latency": float(np.mean(times)),
    }


def measure(
    cases=CASES, boards=BOARDS, rates=SCK_HZ, n_splits: int = 3, samples: int = 6, tell=print
) -> dict:
    """Measure all; `markdown` and `draw` of `mcu_bench_report` show it.

    Parameters
    ----------
    cases : sequence of Case
        Data sets and networks.
    boards : sequence of str
        Names of rows whose line is SPI.
    rates : sequence of float
        Frequencies of SCK in Hz.
    n_splits : int
        Splits of a data set of which accuracies are means; code is that of the first.
    samples : int
        Samples of which times and counts are means.
    tell : callable
        Takes a line of text for whoever waits.

    Returns
    -------
    dict
        The report.
    """
    report: dict = {
        "format": 1,
        "compiler": " ".join(cross.command()[-3:]),
        "cores": {core.name: core.title for core in CORES},
        "branch": {core.name: core.branch for core in CORES},
        "data": [],
    }
    for case in cases:
        splits = [readings(case, seed) for seed in range(n_splits)]
        tell(f"{case.data}: training ({case.title}) ...")
        program = fit(case, splits[0], 0)
        few = splits[0][1][:samples]
        data = {
            "name": case.data,
            "title": case.title,
            "held_out": len(splits[0][1]),
            "splits": n_splits,
            "boards": [],
        }
        for name in boards:
            board = find_board(name)
            model = ClientModel(program, board)
            entry = {
                "board": name,
                "clock_hz": board.clock_hz,
                "limit_hz": board.baud,
                "cycles": model.cycles,
                "bytes": len(model.image) + len(model.table),
                "uart": mcu_wires.computed_uart(board, program),
                "spi": [],
            }
            levels = program.levels(few.astype(np.float64))
            for rate in rates:
                row = mcu_wires.measure(board, program, levels, rate)
                entry["spi"].append(row)
                tell(
                    f"{case.data} on {name}, SCK {rate / 1e6:g} MHz: {1e6 * row['latency']:.1f} us "
                    f"a sample, {row['pipelined']:,.0f} samples/s pipelined, "
                    f"load {1e3 * row['load']:.1f} ms (simulated)"
                )
            data["boards"].append(entry)
        data["firmware"] = on_firmware(program, few)
        data["alone"] = alone(case, program, splits, samples, tell)
        report["data"].append(data)
    return report


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one split, and digits alone")
    parser.add_argument("--output", type=Path, default=Path("results"))
    parser.add_argument("--render", action="store_true", help="measure nothing, and draw again")
    options = parser.parse_args()
    quick = {"cases": CASES[:1], "n_splits": 1} if options.quick else {}

    def tell(line):
        print(line, file=sys.stderr, flush=True)

    renderer = Renderer("bench-mcu", 1, markdown, draw)
    try:
        return renderer.run(
            options.output, None if options.render else lambda keep: measure(**quick, tell=tell)
        )
    except (
        *(cross.NoCompiler, ImportError, TensorspinError),
        *(mcu_wires.WrongAnswer, subprocess.CalledProcessError),
    ) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
