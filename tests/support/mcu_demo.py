"""A microcontroller classifies digits with an iCEBreaker: ``python -m tests.support.mcu_demo``.

Both are simulated: the firmware is executed instruction by instruction, and its SPI and interrupt
end at the pins of the gateware. It prints the classes, and draws the wires during one sample.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from tensorspin import MPSClassifier
from tensorspin.contract.device.boards import find_board
from tensorspin.data import load_dataset
from tensorspin.errors import TensorspinError
from tensorspin.export.model import ClientModel
from tensorspin_gateware.simulation import pins

from . import cross, firmware
from .rp2040 import CPU_HZ, RP2040

BOARD = find_board("icebreaker_spi")
SHADES = " .:-=+*#%@"


def train(bond_dim: int, epochs: int):
    """Train a classifier of digits, and return its program with held-out images and labels."""
    data = load_dataset("digits")
    classifier = MPSClassifier(bond_dim=bond_dim, epochs=epochs, random_state=0)
    program = classifier.fit(data.X_train, data.y_train).quantize()
    return program, data.X_test.astype(np.int16), data.y_test


def picture(image: np.ndarray, side: int = 8) -> list[str]:
    """Draw an image with characters."""
    shades = (image.astype(int) * (len(SHADES) - 1) // 16).reshape(side, side)
    return ["".join(SHADES[shade] * 2 for shade in row) for row in shades]


def timeline(chip: RP2040, number: int, cycles: int, path: Path) -> None:
    """Draw the wires during one sample."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    begin, end = (mark[1] for mark in chip.marks[2 * number : 2 * number + 2])
    wires = [wire for wire in chip.wires if begin <= wire[1] <= end]
    figure, axes = pyplot.subplots(figsize=(10, 3.2))
    names = ("engine", "IRQ", "CIPO", "COPI", "CS# low")
    raised = None
    low = begin
    for kind, start, stop, value in wires:
        at = 1e6 * (start - begin)
        if kind in ("COPI", "CIPO"):
            colour = "#3b6ea8" if value else "#d5dde8"  # zeros mean nothing
            row = names.index(kind)
            axes.broken_barh([(at, 1e6 * (stop - start))], (row - 0.3, 0.6), color=colour)
        elif kind == "CS#":
            if value:
                width = 1e6 * (start - low)
                axes.broken_barh([(1e6 * (low - begin), width)], (3.7, 0.6), color="#888888")
            low = start
        elif value and raised is None:
            raised = start
    if raised is not None:
        last = max(stop for kind, _, stop, _ in wires if kind == "CIPO")
        span = 1e6 * (last - raised)
        axes.broken_barh([(1e6 * (raised - begin), span)], (0.7, 0.6), color="#c0693b")
        busy = cycles / BOARD.clock_hz
        axes.broken_barh(
            [(1e6 * (raised - begin - busy), 1e6 * busy)], (-0.3, 0.6), color="#5b8c5a"
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, 1e6 * (end - begin))
    axes.set_xlabel("microseconds since the call (simulated; the engine by its cycles)")
    axes.set_title(
        f"One digit: RP2040 at {CPU_HZ / 1e6:g} MHz (one instruction a cycle), SCK "
        f"{firmware.SCK_HZ / 1e6:.1f} MHz, {BOARD.title}"
    )
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def run(samples: int, bond_dim: int, epochs: int, output: Path) -> int:
    """Run the demonstration; return 0 if all answers are those of the golden model."""
    print(f"training on digits (bond dimension {bond_dim}) ...", flush=True)
    program, images, truth = train(bond_dim, epochs)
    images, truth = images[:samples], truth[:samples]
    model = ClientModel(program, BOARD)
    with tempfile.TemporaryDirectory() as name:
        print(f"compiling firmware with {' '.join(cross.command()[:4])} ...", flush=True)
        path = firmware.build(Path(name), model, images)
        with pins.load(BOARD.name, firmware.SCK_HZ) as wires:
            chip = RP2040(path, wires)
            status = chip.run()
    if status:
        print(f"the firmware ended with {status}", file=sys.stderr)
        return 1
    found = firmware.results(chip, program.n_outputs)
    expected = program.run_golden(images)
    for image, best, true in zip(images[:4], found.classes, truth):
        for row, line in enumerate(picture(image)):
            told = f"   the microcontroller says {program.classes[best]}, it is {true}"
            print(line + (told if row == 3 else ""))
    same = np.array_equal(found.scores, expected.scores)
    same &= np.array_equal(found.exponents, expected.exponents)
    right = np.mean(program.classes[found.classes] == truth)
    seconds = np.array([end[1] - begin[1] for begin, end in zip(chip.marks[::2], chip.marks[1::2])])
    engine = model.cycles / BOARD.clock_hz
    print(f"digits {len(images)}, right {right:.1%}, bits {'all' if same else 'NOT all'} golden")
    print(
        f"call to result {1e6 * seconds.mean():.1f} us, the engine's {1e6 * engine:.1f} us among "
        f"them (simulated; one instruction a cycle)"
    )
    output.mkdir(parents=True, exist_ok=True)
    timeline(chip, min(1, samples - 1), model.cycles, output / "demo-mcu.png")
    print(f"written to {output / 'demo-mcu.png'}")
    return 0 if same else 1


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--bond-dim", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--output", type=Path, default=Path("results"))
    options = parser.parse_args()
    try:
        return run(options.samples, options.bond_dim, options.epochs, options.output)
    except (cross.NoCompiler, ImportError, TensorspinError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
