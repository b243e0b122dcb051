"""Exported headers compile silently in C and C++, and the driver runs what they hold."""

import ctypes
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from tensorspin.compiler.outputs import Classification, OutlierDetection, Regression
from tensorspin.contract.device.boards import find_board
from tensorspin.export.c_header import check_name, model_header
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Client
from ..support.c_lines import GoldenLine
from ..support.loaded_programs import chain_program, random_levels

BOARD = find_board("icebreaker_spi")
FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-c"]
TASKS = [
    Regression(1.5, -2.0),
    OutlierDetection(-20.0),
    Classification(np.array(["one"]), 1.0),
]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_the_self_test_passes_with_a_device_and_without(tmp_path, task):
    program = replace(chain_program(20, n_outputs=1), task=task)
    more = "const void *exported_numbers(void) { return 0; }"
    library = c_client.exported(ClientModel(program, BOARD), tmp_path, more)
    for client in (Client(GoldenLine(BOARD)), Client()):
        if client.line is not None:
            assert client.open() == c_client.OK
        library.exported_model.restype = ctypes.c_void_p
        model = ctypes.c_void_p(library.exported_model())
        assert library.tensorspin_load(client.device, model) == c_client.OK
        assert library.exported_self_test(client.device) == c_client.OK


def test_the_header_has_the_cycles_of_single_mode(tmp_path):
    shared = {"groups": 3, "single_drain": 2, "pipeline": 0, "signature": 0, "table_parity": 0}
    size = replace(BOARD.require_contractor(), **shared)
    board = replace(BOARD, engines=BOARD.engines.with_sizes(size))
    program = chain_program(20)
    library = c_client.exported(ClientModel(program, board), tmp_path)
    library.exported_model.restype = ctypes.c_void_p
    client = Client(GoldenLine(board))
    assert client.open() == c_client.OK
    for mode, cycles in enumerate((program.single_cycles(size), program.cycles(size.lanes))):
        client.set_mode(mode)
        model = ctypes.c_void_p(library.exported_model())
        assert library.tensorspin_load(client.device, model) == c_client.OK
        assert client.run(random_levels(1, 20)[0])[1].cycles == cycles
        assert client.faults == 0


def test_the_self_test_fails_on_another_answer(tmp_path):
    text = model_header(ClientModel(chain_program(20), BOARD))
    (head,) = re.findall(r"model_test_scores\[\d+\] = \{\s*", text)
    begin = text.index(head) + len(head)
    first, _, rest = text[begin:].partition(",")
    changed = f"{text[:begin]}{int(first) ^ 1},{rest}"
    library = c_client.exported(ClientModel(chain_program(20), BOARD), tmp_path)
    (tmp_path / "model.h").write_text(changed)
    (tmp_path / "other").mkdir()
    path = tmp_path / "other" / "model.so"
    sources = [*map(str, c_client.SOURCES.glob("*.c")), str(tmp_path / "model.c")]
    command = [c_client.compiler(), "-std=c99", "-shared", "-fPIC", f"-I{c_client.SOURCES}"]
    subprocess.run([*command, f"-I{tmp_path}", *sources, "-o", str(path)], check=True)
    library = ctypes.CDLL(str(path))
    library.exported_model.restype = ctypes.c_void_p
    client = Client()
    assert library.tensorspin_load(client.device, ctypes.c_void_p(library.exported_model())) == 0
    assert library.exported_self_test(client.device) == -12  # TENSORSPIN_WRONG_ANSWER


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_compilers_of_c_are_silent(tmp_path, compiler):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    for source in c_client.SOURCES.glob("*.c"):
        command = [compiler, "-std=c99", "-Os", *FLAGS, str(source), "-o", str(tmp_path / "a.o")]
        found = subprocess.run(command, capture_output=True, text=True)
        assert (found.returncode, found.stderr) == (0, "")


def test_the_first_program_of_the_readme_compiles(tmp_path):
    text = (c_client.SOURCES / "README.md").read_text()
    (program,) = re.findall(r"```c\n(.*?)```", text, re.DOTALL)
    functions = """
static void transfer(void *p, uint8_t *bytes, size_t n) { (void)p, (void)bytes, (void)n; }
static bool ready(void *context) { return !context; }
static uint32_t micros(void *context) { return (uint32_t)(context != NULL); }
int classify(const float *readings);
int begin(void);
"""
    (tmp_path / "model.h").write_text(model_header(ClientModel(chain_program(20), BOARD)))
    source = tmp_path / "main.c"
    head, includes, rest = program.partition('#include "model.h"\n')
    source.write_text(head + includes + functions + rest)
    command = [c_client.compiler(), "-std=c99", *FLAGS, f"-I{c_client.SOURCES}", f"-I{tmp_path}"]
    found = subprocess.run(
        [*command, "-Wno-unused-variable", str(source), "-o", str(tmp_path / "a.o")],
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("standard", ["c++11", "c++20"])
def test_compilers_of_cpp_are_silent(tmp_path, standard):
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    for number, task in enumerate(TASKS):
        program = replace(chain_program(5, n_outputs=1), task=task)
        header = model_header(ClientModel(program, BOARD), f"model{number}")
        (tmp_path / f"model{number}.h").write_text(header)
    includes = "".join(f'#include "model{number}.h"\n' for number in range(len(TASKS)))
    (tmp_path / "main.cpp").write_text(
        f'{includes}#include "tensorspin_link.h"\n'
        "int main() { tensorspin_device device; return tensorspin_load(&device, &model0); }\n"
    )
    command = [
        "g++",
        f"-std={standard}",
        *FLAGS,
        f"-I{c_client.SOURCES}",
        str(tmp_path / "main.cpp"),
    ]
    found = subprocess.run([*command, "-o", str(tmp_path / "a.o")], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_lines_are_short_and_ascii():
    labels = np.array([f"class {index} of größe" for index in range(30)])
    program = replace(chain_program(5, n_outputs=30), task=Classification(labels, 1.0))
    header = model_header(ClientModel(program, BOARD), "digits")
    assert header.isascii() and max(map(len, header.splitlines())) <= 98
    assert "digits_classes" in header and "DIGITS_OUTPUTS 30" in header


def test_two_models_of_one_name_are_an_error_and_one_model_twice_is_not(tmp_path):
    """An include guard of the name alone would leave out the second model in silence."""
    for folder, seed in (("a", 0), ("b", 1)):
        (tmp_path / folder).mkdir()
        header = model_header(ClientModel(chain_program(5, seed=seed), BOARD))
        (tmp_path / folder / "model.h").write_text(header)
    found = []
    for folders in ("aa", "ab"):
        source = tmp_path / f"{folders}.c"
        source.write_text("".join(f'#include "{folder}/model.h"\n' for folder in folders))
        command = [c_client.compiler(), f"-I{c_client.SOURCES}", "-fsyntax-only", str(source)]
        found.append(subprocess.run(command, capture_output=True, text=True))
    assert found[0].returncode == 0
    assert found[1].returncode != 0 and "redefinition" in found[1].stderr


def test_two_models_in_one_program(tmp_path):
    programs = {name: chain_program(5, seed=seed) for seed, name in enumerate(["hot", "cold"])}
    for name, program in programs.items():
        (tmp_path / f"{name}.h").write_text(model_header(ClientModel(program, BOARD), name))
    (tmp_path / "main.c").write_text(
        """
        #include "hot.h"
        #include "cold.h"
        static tensorspin_device device;
        static tensorspin_workspace workspace;
        int main(void)
        {
            tensorspin_result result;
            int error;
            tensorspin_open_software(&device, &workspace);
            error = tensorspin_load(&device, &hot);
            if (!error) error = tensorspin_self_test(&device, &hot_test, &result);
            if (!error) error = tensorspin_load(&device, &cold);
            if (!error) error = tensorspin_self_test(&device, &cold_test, &result);
            return error != TENSORSPIN_OK;
        }
        """
    )
    command = [c_client.compiler(), *c_client.WARNINGS, f"-I{c_client.SOURCES}"]
    sources = map(str, [tmp_path / "main.c", *c_client.SOURCES.glob("*.c")])
    subprocess.run([*command, *sources, "-o", str(tmp_path / "main")], check=True)
    subprocess.run([str(tmp_path / "main")], check=True)


@pytest.mark.parametrize(
    "name",
    ["", "2nd", "Model", "a-b", "größe", "int", "class", "tensorspin_x", "xor", "and_eq", "asm"]
    + ["size_t", "unix", "static_cast", "co_await", "typeof", "setup"],
)
def test_names_that_are_none_in_c_are_refused(name):
    with pytest.raises(ValueError, match="must be letters|is taken in C"):
        check_name(name)
