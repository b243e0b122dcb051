"""The C driver stays small on a Cortex-M0+."""

import pytest

from ..support.cross import NoCompiler, command
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
