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
from .mcu_timeline import Timeline, draw
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


def run(samples: int, bond_dim: int, epochs: int, output: Path) -> int:
    """Run the demonstration; return 0 if all answers are those of the golden model."""
    print(f"training on digits (bond dimension {bond_dim}) ...", flush=True)
    program, images, truth = train(bond_dim, epochs)
    images, truth = images[:samples], truth[:samples]
    model = ClientModel(program, BOARD)
    with tempfile.TemporaryDirectory() as name:
        print(f"compiling firmware with {' '.join(cross.command()[:4])} ...", flush=True)
        path = firmware.build(Path(name), model, images)
        print(f"running it: {len(images)} digits on the simulated {BOARD.title} ...", flush=True)
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
    right = int(np.sum(program.classes[found.classes] == truth))
    seconds = np.array([end[1] - begin[1] for begin, end in zip(chip.marks[::2], chip.marks[1::2])])
    engine = model.cycles / BOARD.clock_hz
    equal = "equal to the golden model's" if same else "NOT ALL EQUAL to the golden model's"
    print(f"\n{right} of {len(images)} digits are right; all bits of all scores are {equal}")
    print(
        f"call to result {1e6 * seconds.mean():.1f} us, the engine's {1e6 * engine:.1f} us among "
        f"them (simulated; one instruction a cycle)\n\none digit on the wires:"
    )
    shown = Timeline.of(chip, min(1, samples - 1), engine)
    print("\n".join(shown.lines()))
    output.mkdir(parents=True, exist_ok=True)
    title = (
        f"One digit: RP2040 at {CPU_HZ / 1e6:g} MHz (emulated, one instruction a cycle), "
        f"SCK {firmware.SCK_HZ / 1e6:.1f} MHz,\n{BOARD.title} (simulated; the engine by its cycles)"
    )
    draw(shown, title, output / "demo-mcu.png")
    print(
        f"\nwires as a picture: {output / 'demo-mcu.png'}; how to wire them: docs/wiring_pico.svg"
    )
    return 0 if same else 1


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value, what in (
        ("samples", 20, "digits to classify"),
        ("bond-dim", 16, "bond dimension of the network"),
        ("epochs", 30, "passes over the training digits"),
    ):
        told = f"{what}; by default %(default)s"
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N", help=told)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="folder of the picture; by default %(default)s",
    )
    options = parser.parse_args()
    if options.samples < 1:
        parser.error(f"--samples must be at least 1, not {options.samples}")
    try:
        return run(options.samples, options.bond_dim, options.epochs, options.output)
    except (cross.NoCompiler, ImportError, TensorspinError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
