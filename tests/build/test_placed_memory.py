"""Block RAM in placed designs: found by its content, and given another one."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.locked import lock_board
from tensorspin_gateware.build import toolchain
from tensorspin_gateware.build.placed_memory import PLACED, replace_words
from tensorspin_gateware.build.top import BuildError
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.router.lock import LockCheck, microcode
from tensorspin_gateware.router.lock.engine import ChaskeyEngine
from tests.support.placed import design
from tests.support.synthesis import TOP, synthesise

FAMILIES = pytest.mark.parametrize("family", PLACED)


def _words(seed):
    rng = random.Random(seed)
    return [rng.getrandbits(16) for _ in range(microcode.DEPTH)]


@FAMILIES
def test_a_content_is_replaced_where_it_is_and_nowhere_else(family):
    known, wanted, *others = map(_words, range(4))
    text = design(family, others[0], known, others[1])
    assert replace_words(text, family, known, wanted) == design(
        family, others[0], wanted, others[1]
    )


@FAMILIES
@pytest.mark.parametrize("count", [0, 2])
def test_a_design_without_the_content_or_with_two_is_refused(family, count):
    text = design(family, _words(1), *[_words(0)] * count)
    with pytest.raises(BuildError, match=f"has {count} block RAMs with the known content, not 1"):
        replace_words(text, family, _words(0), _words(2))


def test_words_are_written_as_the_tools_write_them():
    words = [100, 102, 0xFFFF] + [0] * 253
    # On iCE40 bits 0, 1, 2, 3, ... of a word stand at 0, 8, 4, 12, ...; the last word is first.
    assert PLACED[Family.ICE40UP].write(words).splitlines()[0][-12:] == "ffff05500450"
    lines = PLACED[Family.ECP5].write(words).splitlines()
    assert lines[0] == "064 000 066 000 1ff 07f 000 000" and len(lines) == 256


@pytest.mark.slow
def test_synthesis_for_ice40_lays_a_lock_out_so(tmp_path):
    """As nextpnr finds it: the initial content of a block RAM."""
    size = lock_board(find_board("icebreaker")).require_contractor()
    text = synthesise(LockCheck(size), "icebreaker", tmp_path, "write_json")
    cells = json.loads(text)["modules"][TOP]["cells"].values()
    rams = [cell["parameters"] for cell in cells if cell["type"].startswith("SB_RAM40")]
    rows = [
        [f"{int(ram[f'INIT_{row:X}'].replace('x', '0'), 2):064x}" for row in range(16)]
        for ram in rams
    ]
    assert rows.count(PLACED[Family.ICE40UP].write(microcode.content()).splitlines()) == 1


@pytest.mark.slow
def test_a_placed_ecp5_with_another_key_is_the_one_that_was_built_with_it(tmp_path):
    """Byte for byte, but for nothing: the key is all in which the two designs differ."""
    record = LockKey(bytes(range(50, 66)), minimum=0x01020304).record()
    texts = []
    for number, key in enumerate((None, record)):
        folder = tmp_path / str(number)
        folder.mkdir()
        synthesise(ChaskeyEngine(key), "ulx3s_25f", folder, "write_json")
        command = [toolchain.environment()["NEXTPNR_ECP5"], "--quiet", "--25k", "--seed", "1"]
        command += ["--package", "CABGA381", "--json", "netlist", "--textcfg", "placed"]
        subprocess.run(command, cwd=folder, check=True)
        texts.append((folder / "placed").read_text())
    contents = microcode.content(), microcode.content(record)
    assert replace_words(texts[0], Family.ECP5, *contents) == texts[1]
