"""The examples for boards with an RP2040, with a stand-in of the Pico SDK on this computer."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.export.c_header import model_header
from tensorspin.export.model import ClientModel

from ..support.ice40_configuration import ICE40Configuration
from ..support.programs import small_program

EXAMPLES = Path(__file__).parents[2] / "sw" / "clients" / "examples"
BITSTREAM = bytes.fromhex("ff0000ff7eaa997e") + bytes(range(256)) * 2

SDK = """
    function(pico_sdk_init)
        foreach(name pico_stdlib hardware_spi hardware_clocks)
            add_library(${name} INTERFACE)
            target_include_directories(${name} INTERFACE $ENV{PICO_SDK_PATH}/include)
        endforeach()
    endfunction()
    function(pico_enable_stdio_usb target on)
    endfunction()
    function(pico_enable_stdio_uart target on)
    endfunction()
    function(pico_add_extra_outputs target)
    endfunction()
"""
"""The commands of the Pico SDK that the examples use."""

HEADERS = {
    "pico/stdlib.h": """
        #include <stdint.h>
        #include <stdbool.h>
        #include <stdio.h>
        #include <stdlib.h>
        static uint32_t microseconds;
        static inline void stdio_init_all(void) {}
        static inline uint32_t time_us_32(void) { return microseconds += 100; }
        static inline void busy_wait_us_32(uint32_t us)
        { fprintf(stderr, "wait %u\\n", (unsigned)us); }
        static inline void sleep_ms(uint32_t ms) { (void)ms; exit(0); }
    """,
    "hardware/gpio.h": """
        #include <stdint.h>
        #include <stdbool.h>
        #include <stdio.h>
        typedef unsigned int uint;
        enum { GPIO_FUNC_SPI = 1 };
        #define GPIO_IN false
        #define GPIO_OUT true
        static inline void gpio_init(uint gpio) { fprintf(stderr, "init %u\\n", gpio); }
        static inline void gpio_put(uint gpio, bool level)
        { fprintf(stderr, "put %u %d\\n", gpio, level); }
        static inline bool gpio_get(uint gpio)
        { int level; fprintf(stderr, "get %u\\n", gpio); return scanf("%d", &level) == 1 && level; }
        static inline void gpio_set_dir(uint gpio, bool out)
        { fprintf(stderr, "dir %u %d\\n", gpio, out); }
        static inline void gpio_set_function(uint gpio, int fn) { (void)gpio; (void)fn; }
    """,
    "hardware/spi.h": """
        #include <stddef.h>
        #include <stdint.h>
        typedef struct spi_inst spi_inst_t;
        #define spi0 ((spi_inst_t *)0)
        static inline unsigned spi_init(spi_inst_t *spi, unsigned rate) { (void)spi; return rate; }
        static inline int spi_write_read_blocking(spi_inst_t *spi, const uint8_t *src, uint8_t *dst,
                                                  size_t len)
        { (void)spi; (void)src; (void)dst; return (int)len; }
    """,
    "hardware/clocks.h": """
        #include <stdint.h>
        #include <stdio.h>
        #define CLOCKS_CLK_GPOUT2_CTRL_AUXSRC_VALUE_CLK_USB 7
        static inline void clock_gpio_init(unsigned gpio, uint32_t source, unsigned divider)
        { fprintf(stderr, "clock %u %u %u\\n", gpio, (unsigned)source, divider); }
    """,
}
"""Functions of the Pico SDK. What happens to pins is told on standard error, a line each; their
levels are read from standard input."""


def built(example, folder, *options):
    """Build an example with CMake, and return the path of the program."""
    if shutil.which("cmake") is None or shutil.which("gcc") is None:
        pytest.skip("there is no cmake or no gcc")
    sdk = folder / "sdk"
    for name, text in {"../external/pico_sdk_import.cmake": SDK, **HEADERS}.items():
        path = sdk / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    model = ClientModel(small_program(), find_board("icebreaker_spi"))
    (folder / "model.h").write_text(model_header(model, "model"))
    build = folder / "build"
    source = EXAMPLES / example
    flags = "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror"
    for command in (
        ["cmake", "-S", str(source), "-B", str(build), f"-DMODEL={folder}", flags, *options],
        ["cmake", "--build", str(build)],
    ):
        subprocess.run(
            command, check=True, env={**os.environ, "PICO_SDK_PATH": str(sdk)}, capture_output=True
        )
    return build / f"tensorspin_{example}"


@pytest.mark.slow
def test_the_pico_is_built(tmp_path):
    assert built("pico", tmp_path).exists()


@pytest.mark.slow
@pytest.mark.parametrize(("options", "data", "flash"), [((), 8, 11), (("-DREV1=ON",), 11, 8)])
def test_the_pico_ice_configures_its_fpga(tmp_path, options, data, flash):
    """The firmware's pins drive a model of the FPGA, which refuses what Lattice's guide forbids."""
    bitstream = tmp_path / "pico_ice.bin"
    bitstream.write_bytes(BITSTREAM)
    program = built("pico_ice", tmp_path, f"-DBITSTREAM={bitstream}", *options)
    fpga = ICE40Configuration(BITSTREAM)
    board = Board(fpga, data, flash)
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            level = board.take(*line.split())
            if level is not None:
                process.stdin.write(f"{int(level)}\n")
                process.stdin.flush()
        said = process.stdout.read()
    assert fpga.active and fpga.select
    assert board.clock == ["24", "7", "4"]
    assert board.asleep
    assert data not in board.outputs and flash not in board.outputs
    # Then the firmware asks the accelerator, which is not there.
    assert "error" in said and process.returncode == 0


class Board:
    """Wires between the RP2040 and the FPGA with its flash.

    Parameters
    ----------
    fpga : ICE40Configuration
        The FPGA.
    data, flash : int
        GPIO of the data for the FPGA, and for its flash.
    """

    SELECT, SCK, CDONE, CRESET = 9, 10, 26, 27

    def __init__(self, fpga, data, flash):
        self.fpga, self.data, self.flash = fpga, data, flash
        self.levels = {}
        self.outputs = set()
        self.bits = []
        self.asleep = False
        self.clock = None

    def take(self, name, *values):
        """Let something happen to a pin; return its level if it is asked for."""
        if name == "clock":
            self.clock = list(values)
            return None
        number, level = int(values[0]), values[1:] == ("1",)
        if name == "wait":
            self.fpga.wait(1e3 * number)
        elif name == "init":
            self.outputs.discard(number)
        elif name == "dir":
            self.outputs |= {number} if level else set()
            self.drive(number, self.levels.get(number, False))
        elif name == "put":
            rises = level and not self.levels.get(number, False)
            self.levels[number] = level
            if number in self.outputs:
                self.drive(number, level)
                if number == self.SCK and rises:
                    self.shift()
        else:
            return self.fpga.done if number == self.CDONE else False
        return None

    def drive(self, number, level):
        """Set a wire that leads to the FPGA."""
        if number == self.CRESET:
            self.fpga.set_reset(level)
        elif number == self.SELECT:
            self.bits.clear()
            self.fpga.set_select(level)

    def shift(self):
        """Take the bit that is on the wire as SCK rises; in reset, the flash alone takes it."""
        wire = self.data if self.fpga.reset else self.flash
        assert wire in self.outputs
        self.bits.append(self.levels.get(wire, False))
        if len(self.bits) < 8:
            return
        byte = int("".join(str(int(bit)) for bit in self.bits), 2)
        self.bits.clear()
        if not self.fpga.reset:
            self.asleep = byte == 0xB9 and not self.fpga.select
        else:
            assert self.asleep
            self.fpga.write(bytes([byte]))
