"""The files by which others' package managers take the clients name files that are there."""

import json
from pathlib import Path

from tests.project.test_wheel import VERSION

CLIENTS = Path(__file__).parents[2] / "sw" / "clients"


def test_mip_takes_all_modules_of_the_driver():
    """Form: https://docs.micropython.org/en/latest/reference/packages.html, package.json."""
    folder = CLIENTS / "micropython"
    package = json.loads((folder / "package.json").read_text())
    assert sorted(package) == ["deps", "urls", "version"]
    assert package["version"] == VERSION and package["deps"] == []
    modules = sorted(path.name for path in folder.glob("*.py"))
    # A path without a scheme is relative to the file itself.
    assert package["urls"] == [[name, name] for name in modules]
