"""The C driver under sanitizers: the tests of this folder, and any answers of a device."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tensorspin.contract.device.boards import find_board

from ..support import c_client

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FUZZ = Path(__file__).with_name("fuzz.c")
ROOT = Path(__file__).parents[2]


def run(command, **options):
    found = subprocess.run(command, capture_output=True, text=True, **options)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    return found


def fuzzer(folder, command, *flags):
    """Compile the fuzzer with what a device with both engines says of itself."""
    packed = find_board("ulx3s_25f_both").description(bytes(8)).pack()
    numbers = ", ".join(map(str, packed))
    (folder / "fuzz_data.h").write_text(f"static const uint8_t description[] = {{{numbers}}};\n")
    sources = [*c_client.SOURCES.glob("*.c"), FUZZ]
    words = [command, "-std=c99", "-g", "-O1", *SANITIZERS, *flags]
    words += [f"-I{c_client.SOURCES}", f"-I{folder}", *map(str, sources)]
    run([*words, "-o", str(folder / "fuzz")])
    return str(folder / "fuzz")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_any_answers_of_a_device(tmp_path, seed):
    run([fuzzer(tmp_path, c_client.compiler()), str(seed), "3000"])


@pytest.mark.long
def test_many_answers_of_a_device(tmp_path):
    program = fuzzer(tmp_path, c_client.compiler())
    for seed in range(100, 110):
        run([program, str(seed), "30000"])


@pytest.mark.long
def test_answers_that_libfuzzer_finds(tmp_path):
    if not shutil.which("clang"):
        pytest.skip("clang is not installed: libFuzzer comes with it")
    program = fuzzer(tmp_path, "clang", "-fsanitize=fuzzer", "-DLIBFUZZER")
    run([program, "-runs=1000000", "-max_len=1500", "-seed=1"], cwd=tmp_path)


@pytest.mark.long
def test_the_tests_of_the_driver(tmp_path):
    compiler = c_client.compiler()
    libraries = [
        run([compiler, f"-print-file-name=lib{name}.so"]).stdout.strip()
        for name in ("asan", "ubsan")
    ]
    if not all(map(os.path.isabs, libraries)):
        pytest.skip("the compiler's sanitizers cannot be loaded into Python")
    files = [
        f"tests/clients/test_{name}.py"
        for name in ("contractor", "cycles", "checked", "annealer", "levels", "outputs")
    ]
    environment = os.environ | {
        c_client.FLAGS: " ".join(SANITIZERS),
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "PYTHONMALLOC": "malloc",  # so that what lies beside the driver's memory is guarded
    }
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    run([*words, "-k", "not 0.005 and not 1000"], cwd=ROOT, env=environment)
