"""The C driver stays small on a Cortex-M0+."""

import subprocess
import sys

import pytest

from ..support.cross import PARTS, SOURCES, NoCompiler, command
from ..support.mcu_sizes import code_sizes, memory_sizes


@pytest.fixture(autouse=True)
def compiler():
    try:
        command()
    except NoCompiler as error:
        pytest.skip(str(error))


def test_code(tmp_path):
    sizes = code_sizes(tmp_path)
    models = sum(sizes[part] for part in ("link", "contractor", "levels", "outputs"))
    assert models <= 3 << 10
    assert sizes["annealer"] <= 1700 and sizes["software"] <= 1100


def test_memory(tmp_path):
    sizes = memory_sizes(tmp_path)
    assert sizes["device"] + sizes["result"] <= 640
    assert sizes["workspace"] <= 3584


def test_numbers_of_16_bits_are_wide_enough(tmp_path):
    """An int of an AVR has 16 bits: what is shifted further must be of a wider type."""
    words = [sys.executable, "-m", "ziglang", "cc", "-target", "avr-freestanding-none", "-std=c99"]
    if subprocess.run([*words, "--version"], capture_output=True).returncode:
        pytest.skip("ziglang is not installed: pip install '.[mcu]'")
    for part in PARTS:
        source = str(SOURCES / f"tensorspin_{part}.c")
        command = [*words, "-Os", "-Wall", "-Wextra", "-c", source, "-o", str(tmp_path / "a.o")]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        told = [line for line in found.stderr.splitlines() if "warning" in line]
        assert [line for line in told if "no target microcontroller specified" not in line] == []
