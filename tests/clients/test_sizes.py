"""The C driver stays small on a Cortex-M0+."""

import subprocess
import sys

import pytest

from ..support.cross import PARTS, SOURCES, NoCompiler, command
from ..support.mcu_sizes import code_sizes, memory_sizes, program_size


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
    assert sizes["annealer"] <= 1950 and sizes["software"] <= 1100 and sizes["checked"] <= 340


def test_memory(tmp_path):
    sizes = memory_sizes(tmp_path)
    assert sizes["device"] + sizes["result"] <= 640
    assert sizes["workspace"] <= 3584


def test_the_documented_sizes_are_what_is_measured(tmp_path):
    """Those of clang, which the numbers are said to be of; other compilers' are near."""
    if "ziglang" not in command():
        pytest.skip("another compiler")
    code, memory = code_sizes(tmp_path), memory_sizes(tmp_path)
    models = sum(code[part] for part in ("link", "contractor", "levels", "outputs"))
    told = " ".join((SOURCES / "README.md").read_text().split())
    parts = (models, code["checked"], code["annealer"], code["software"], memory["workspace"])
    driver, checked, annealer, software, workspace = (f"{size / 1024:.1f} KB" for size in parts)
    assert (
        f"all that models need takes {driver} of code and {memory['device'] + memory['result']} "
        f"bytes of RAM, one result among them; tests and fallback take {checked} of code more, the "
        f"annealer {annealer}, the contraction in software {software} of code and {workspace} of "
        f"RAM"
    ) in told
    whole, together = (program_size(tmp_path, flags) / 1024 for flags in ([], ["-flto"]))
    assert f"has {whole:.1f} KB without its tables, and {together:.1f} KB with `-flto`" in told


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
