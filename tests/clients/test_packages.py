"""The files by which others' package managers and build systems take the clients.

The forms are those of the documentation that each test names. Where a tool is not installed,
a stand-in of its commands takes its place.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ..project.test_wheel import VERSION

CLIENTS = Path(__file__).parents[2] / "sw" / "clients"
C = CLIENTS / "c"
SOURCES = sorted(path.name for path in C.glob("*.c"))
ARDUINO_CATEGORIES = (
    "Display, Communication, Signal Input/Output, Sensors, Device Control, Timing, Data Storage, "
    "Data Processing, Other"
).split(", ")


def pairs(path, separator):
    """Read lines of a name, a separator and a value; deeper lines are named after their parents."""
    found, parents = {}, []
    for line in path.read_text().splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, value = line.strip().partition(separator)
        depth = (len(line) - len(line.lstrip())) // 2
        parents[depth:] = [name]
        assert ".".join(parents) not in found
        found[".".join(parents)] = value.strip().strip('"')
    return found


def test_mip_takes_all_modules_of_the_driver():
    """https://docs.micropython.org/en/latest/reference/packages.html: package.json."""
    folder = CLIENTS / "micropython"
    package = json.loads((folder / "package.json").read_text())
    assert sorted(package) == ["deps", "urls", "version"]
    assert package["version"] == VERSION and package["deps"] == []
    modules = sorted(path.name for path in folder.glob("*.py"))
    # A path without a scheme is relative to the file itself.
    assert package["urls"] == [[name, name] for name in modules]


def test_arduino_takes_the_folder():
    """https://arduino.github.io/arduino-cli/latest/library-specification: library.properties."""
    found = pairs(C / "library.properties", "=")
    required = "name version author maintainer sentence paragraph category url architectures"
    assert set(required.split()) <= set(found)
    assert found["version"] == VERSION
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", found["name"])
    assert found["category"] in ARDUINO_CATEGORIES and found["architectures"] == "*"
    assert all((C / name).exists() for name in found["includes"].split(","))
    # Without a folder src, sources lie beside the file.
    assert not (C / "src").exists() and SOURCES


def test_platformio_takes_the_folder():
    """https://docs.platformio.org/en/latest/manifests/library-json: library.json."""
    found = json.loads((C / "library.json").read_text())
    assert found["version"] == VERSION
    assert re.fullmatch(r"[a-z0-9](-?[a-z0-9])*", found["name"]) and len(found["name"]) <= 50
    assert len(found["description"]) <= 255
    assert all((C / name).exists() for name in found["headers"])
    assert found["build"]["srcDir"] == found["build"]["includeDir"] == "."


def test_esp_idf_takes_the_folder(tmp_path):
    """https://docs.espressif.com/projects/idf-component-manager/en/latest/reference/manifest_file.html."""
    found = pairs(C / "idf_component.yml", ":")
    assert found["version"] == VERSION and found["description"]
    assert found["dependencies.idf"].startswith(">=")
    told = told_by_cmake(
        tmp_path,
        f"""
        set(ESP_PLATFORM 1)
        function(idf_component_register)
            cmake_parse_arguments(ARG "" "" "SRCS;INCLUDE_DIRS" ${{ARGN}})
            message(STATUS "told ${{ARG_SRCS}};${{ARG_INCLUDE_DIRS}}")
        endfunction()
        include({C}/CMakeLists.txt)
        """,
    )
    assert told == [*SOURCES, "."]


def test_zephyr_takes_the_folder(tmp_path):
    """https://docs.zephyrproject.org/latest/develop/modules.html: module.yml."""
    found = pairs(C / "zephyr" / "module.yml", ":")
    assert found["name"] == "tensorspin"
    assert (C / found["build.cmake"] / "CMakeLists.txt").exists()
    assert "config TENSORSPIN\n" in (C / found["build.kconfig"]).read_text()
    script = f"""
        function(zephyr_include_directories)
        endfunction()
        function(zephyr_library)
        endfunction()
        function(zephyr_library_sources)
            message(STATUS "told ${{ARGN}}")
        endfunction()
        include({C}/{found["build.cmake"]}/CMakeLists.txt)
        """
    told = told_by_cmake(tmp_path, "set(CONFIG_TENSORSPIN 1)\n" + script)
    assert told == [f"../{name}" for name in SOURCES]
    assert told_by_cmake(tmp_path, script) == []


def told_by_cmake(tmp_path, script):
    """Run a script, and return the list that it tells."""
    if shutil.which("cmake") is None:
        pytest.skip("there is no cmake")
    path = tmp_path / "script.cmake"
    path.write_text(script)
    done = subprocess.run(
        ["cmake", "-P", str(path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    found = re.search(r"told (.*)", done.stdout + done.stderr)
    return found[1].split(";") if found else []
