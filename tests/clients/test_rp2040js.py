"""The firmware that unicorn runs does the same on rp2040js, an emulator that others keep."""

import numpy as np
import pytest

from ..support import firmware
from ..support.firmware import PROGRAM, READINGS, fresh_pins
from ..support.loaded_programs import golden_answers
from ..support.rp2040 import RP2040, FirmwareError
from ..support.rp2040js import RP2040JS, node

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def emulator():
    node()


def seconds(chip):
    return np.array([end[1] - begin[1] for begin, end in zip(chip.marks[::2], chip.marks[1::2])])


def test_results_are_those_of_the_golden_model(build):
    path = build()
    chip, other = RP2040JS(path, fresh_pins()), RP2040(path, fresh_pins())
    assert chip.run() == other.run() == 0
    assert chip.words == other.words
    expected = golden_answers(PROGRAM, PROGRAM.levels(READINGS))
    found = firmware.results(chip, PROGRAM.n_outputs)
    for name in ("scores", "exponents", "classes", "cycles"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    # rp2040js counts more than one cycle for branches and accesses to memory.
    assert np.all(seconds(chip) > seconds(other)) and np.all(seconds(chip) < 1.2 * seconds(other))
    mine, others = (1e6 * seconds(each).mean() for each in (chip, other))
    print(f"{mine:.1f} us a sample, {others:.1f} by unicorn")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2u << 8 | 7;", "2u << 8 | 15;", "not enabled, or not in mode 0 with 8 bits"),
        ("2u << 8 | 7;", "2u << 8 | 1 << 7 | 7;", "not enabled, or not in mode 0 with 8 bits"),
        ("SPI_CONTROL1 = 1 << 1;", "SPI_CONTROL1 = 0;", "not enabled, or not in mode 0"),
        ("SPI_PRESCALE = 2;", "", "does not end"),
        ("if (SPI_STATUS & STATUS_NOT_EMPTY) bytes", "bytes", "while a byte is under way"),
    ],
)
def test_a_wrong_set_up_fails(build, old, new, message):
    with pytest.raises(FirmwareError, match=message):
        RP2040JS(build(old, new), fresh_pins()).run(0.2)
