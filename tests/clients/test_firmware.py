"""Firmware of an RP2040, instruction by instruction, drives the gateware's simulated pins."""

import numpy as np
import pytest

from ..support import firmware
from ..support.elf import Elf
from ..support.firmware import BOARD, PROGRAM, READINGS, SCK_HZ, fresh_pins
from ..support.loaded_programs import cycles_of, golden_answers
from ..support.rp2040 import RP2040, FirmwareError

pytestmark = pytest.mark.long


def test_results_are_those_of_the_golden_model(build):
    chip = RP2040(build(), fresh_pins())
    assert chip.run() == 0
    levels = PROGRAM.levels(READINGS)
    expected = golden_answers(PROGRAM, levels)
    found = firmware.results(chip, PROGRAM.n_outputs)
    for name in ("scores", "exponents", "classes", "cycles"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    begins, ends = chip.marks[::2], chip.marks[1::2]
    engine = cycles_of(PROGRAM) / BOARD.clock_hz
    seconds = np.array([end[1] - begin[1] for begin, end in zip(begins, ends)])
    # From levels to the class: the engine, 116 bytes on the wires, and the driver's own work.
    least = engine + 116 * 8 / SCK_HZ
    assert np.all(seconds > least) and np.all(seconds < least + 80e-6)
    print(f"{1e6 * seconds.mean():.1f} us a sample, the engine's {1e6 * engine:.1f} us among them")


def test_the_program_is_small(build):
    path = build()
    chip = RP2040(path, fresh_pins())
    assert chip.run() == 0
    print(f"{chip.stack_bytes()} bytes of stack")
    assert chip.stack_bytes() <= 640
    elf = Elf.read(path)
    assert elf.symbols["bss_end"][0] - elf.symbols["data_begin"][0] <= 1024


MUTANTS = {
    "no reset released": ("RESETS_RESET_CLEAR = RESET_PINS | RESET_SPI0;", "", "does not end"),
    "SPI0 held in reset": ("RESET_SPI0 = 1 << 16,", "RESET_SPI0 = 1 << 5,", "held in reset"),
    "no clock": ("CLOCKS_PERIPHERAL = CLOCK_ENABLE;", "", "without its clock"),
    "no set-up": ("set_up();", "", "no output of SIO"),
    "no prescaler": ("SPI_PRESCALE = 2;", "", "the prescaler must be an even number"),
    "16 bits": ("2u << 8 | 7;", "2u << 8 | 15;", "frames of 16 bits"),
    "1 bit": ("2u << 8 | 7;", "2u << 8;", "frames of 1 bits"),
    "mode 1": ("2u << 8 | 7;", "2u << 8 | 1 << 7 | 7;", "is in mode 10"),
    "mode 3": ("2u << 8 | 7;", "2u << 8 | 3 << 6 | 7;", "is in mode 11"),
    "TI's format": ("2u << 8 | 7;", "2u << 8 | 1 << 4 | 7;", "not Motorola's frame format"),
    "not enabled": ("SPI_CONTROL1 = 1 << 1;", "SPI_CONTROL1 = 0;", "not enabled"),
    "a peripheral": ("SPI_CONTROL1 = 1 << 1;", "SPI_CONTROL1 = 3 << 1;", "is a peripheral"),
    "no pin": ("PIN_CONTROL(PIN_SCK) = FUNCTION_SPI;", "", "pin 18 has not the function SPI"),
    "CS# no output": ("PINS_OUTPUT_SET = 1u << PIN_CS;", "", "no output of SIO"),
    "too much under way": ("sent - received < FIFO && ", "", "overflows"),
    "blind reads": ("if (SPI_STATUS & STATUS_NOT_EMPTY) bytes", "bytes", "though none have come"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_firmware_that_would_fail_on_a_real_chip_fails(build, mutant):
    old, new, message = MUTANTS[mutant]
    with pytest.raises(FirmwareError, match=message):
        RP2040(build(old, new), fresh_pins()).run(2_000_000)


def test_no_transaction_is_ended_early(build):
    """Without waiting for the last bytes CS# would cut them off."""
    mutant = build("while (received < count) {", "while (sent < count) {")
    with pytest.raises(FirmwareError, match="CS# ends the transaction|overflows"):
        RP2040(mutant, fresh_pins()).run(5_000_000)
