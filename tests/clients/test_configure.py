"""A controller in C configures a model of an iCE40, which refuses what the guide forbids."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from ..support.ice40_configuration import CLOCKS_TO_DONE, ConfigurationError, ICE40Configuration

FOLDER = Path(__file__).parents[2] / "sw" / "clients" / "c"
SOURCE = FOLDER / "tensorspin_configure.c"
BITSTREAM = bytes.fromhex("ff0000ff7eaa997e") + bytes(range(256)) * 4
NO_BITSTREAM, CDONE_HIGH, CDONE_LOW = -101, -102, -103


class Port(ctypes.Structure):
    """`tensorspin_configure_port`."""

    WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)
    DRIVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_bool)
    READ = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)
    WAIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32)
    _fields_ = [
        ("write", WRITE),
        ("select", DRIVE),
        ("reset", DRIVE),
        ("done", READ),
        ("wait", WAIT),
        ("context", ctypes.c_void_p),
    ]


def compiled(tmp_path, source):
    """Compile the source, and return the function."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc")
    path = tmp_path / "tensorspin_configure.c"
    path.write_text(source)
    library = tmp_path / "configure.so"
    flags = "-std=c99 -O1 -Wall -Wextra -Wpedantic -Werror -shared -fPIC".split()
    subprocess.run(["gcc", *flags, f"-I{FOLDER}", str(path), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library)).tensorspin_configure


@pytest.fixture(scope="module")
def configure(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("c"), SOURCE.read_text())


def run(function, fpga, bitstream=BITSTREAM):
    """Call the function with the pins of a model; raise what the model raises."""
    errors = []

    def guarded(action):
        def call(_, *arguments):
            if errors:
                return False
            try:
                return action(*arguments)
            except ConfigurationError as error:
                errors.append(error)
            return False

        return call

    port = Port(
        Port.WRITE(guarded(lambda data, n: fpga.write(ctypes.string_at(data, n)))),
        Port.DRIVE(guarded(fpga.set_select)),
        Port.DRIVE(guarded(fpga.set_reset)),
        Port.READ(guarded(lambda: fpga.done)),
        Port.WAIT(guarded(lambda microseconds: fpga.wait(1e3 * microseconds))),
        None,
    )
    found = function(ctypes.byref(port), bitstream, ctypes.c_size_t(len(bitstream)))
    if errors:
        raise errors[0]
    return found


@pytest.mark.parametrize("sck_hz", [1e6, 10e6, 25e6])
@pytest.mark.parametrize("late", [1, 8, 9, CLOCKS_TO_DONE])
def test_a_configured_fpga_runs_its_design(configure, late, sck_hz):
    fpga = ICE40Configuration(BITSTREAM, sck_hz, late)
    assert run(configure, fpga) == 0
    assert fpga.active and fpga.select
    assert run(configure, fpga) == 0  # and again


def test_what_is_no_bitstream_is_refused_before_the_reset(configure):
    for wrong in (b"", b"\x7e\xaa\x99", bytes(1000), bytes(256) + BITSTREAM):
        fpga = ICE40Configuration(BITSTREAM)
        assert run(configure, fpga, wrong) == NO_BITSTREAM
        assert fpga.active and fpga.time == 0


def test_pins_that_do_not_answer(configure):
    assert run(configure, ICE40Configuration(BITSTREAM, stuck_done=True)) == CDONE_HIGH
    assert run(configure, ICE40Configuration(BITSTREAM, stuck_done=False)) == CDONE_LOW


def test_damaged_bits_are_noticed(configure):
    fpga = ICE40Configuration(BITSTREAM)
    damaged = BITSTREAM[:500] + bytes([BITSTREAM[500] ^ 8]) + BITSTREAM[501:]
    assert run(configure, fpga, damaged) == CDONE_LOW
    assert not fpga.active
    assert run(configure, fpga) == 0


@pytest.mark.parametrize("sck_hz", [0.9e6, 26e6])
def test_the_model_refuses_other_frequencies(configure, sck_hz):
    with pytest.raises(ConfigurationError, match="SCK has"):
        run(configure, ICE40Configuration(BITSTREAM, sck_hz))


MUTANTS = {
    "no reset": ("port->reset(context, false);", "", "clocks|CDONE"),
    "reset too short": ("port->wait(context, RESET_US);", "", "CRESET_B was low for 0 ns only"),
    "memory not cleared": ("CLEAR_US 1200", "CLEAR_US 1199", "1199 us after CRESET_B only"),
    "chip select late": (
        "port->select(context, false);\n    port->reset",
        "port->reset",
        "SPI_SS_B is high when CRESET_B rises",
    ),
    "no clocks before": ("clocks(port, BEFORE_BYTES);", "", "0 clocks instead of 8"),
    "no chip select before": (
        "port->select(context, true);\n    clocks(port, BEFORE_BYTES);",
        "clocks(port, BEFORE_BYTES);",
        "clocks before SPI_SS_B was high",
    ),
    "bitstream cut off": (
        "bitstream, size);\n    port",
        "bitstream, size - 1);\n    port",
        "cut off",
    ),
    "48 clocks after": ("AFTER_BYTES 7", "AFTER_BYTES 6", None),
    "too few clocks for CDONE": ("DONE_BYTES 13", "DONE_BYTES 12", None),
    "CDONE not looked at": ("if (!port->done(context)) return TENSORSPIN_CDONE_LOW;", "", None),
    "reset not looked at": ("if (ignored || port->done(context))", "if (ignored && false)", None),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_faults_in_the_controller_are_found(tmp_path, name):
    before, after, message = MUTANTS[name]
    source = SOURCE.read_text()
    assert source.count(before) == 1
    function = compiled(tmp_path, source.replace(before, after))
    if message is not None:
        with pytest.raises((ConfigurationError, AssertionError), match=message):
            assert run(function, ICE40Configuration(BITSTREAM)) == 0, "CDONE"
        return
    right = [
        run(function, fpga := ICE40Configuration(BITSTREAM, late=CLOCKS_TO_DONE)) == 0
        and fpga.active,
        run(function, ICE40Configuration(BITSTREAM, stuck_done=False)) == CDONE_LOW,
        run(function, ICE40Configuration(BITSTREAM, stuck_done=True)) == CDONE_HIGH,
    ]
    assert not all(right)
