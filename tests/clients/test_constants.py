"""The constants that clients in other languages have are those of the contract."""

import re
from pathlib import Path

import pytest

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.contractor import MemorySpace, Node, Operand, OperandKind
from tensorspin.contract.device.boards import BOARDS
from tensorspin.contract.wire.packets import (
    PROTOCOL_VERSION,
    DeviceStatus,
    PacketType,
    RejectReason,
    Status,
)
from tensorspin.export import constants
from tensorspin.export.model_file import VERSION, TaskKind

CLIENTS = Path(__file__).parents[2] / "sw" / "clients"


@pytest.fixture(scope="module")
def kept():
    """The constants of the header that is kept, by name without the prefix."""
    text = (CLIENTS / constants.C_HEADER).read_text()
    found = re.findall(r"#define TENSORSPIN_(\w+) (\d+)\n", text)
    assert len(found) == len(dict(found))  # no name is there twice
    return {name: int(value) for name, value in found}


def test_the_files_that_are_kept_are_what_is_generated_now(tmp_path):
    for path in constants.write(tmp_path):
        beside = CLIENTS / path.relative_to(tmp_path)
        assert beside.read_text() == path.read_text(), "run `make clients` and commit its files"


def test_both_languages_have_the_same_constants(kept):
    module: dict = {}
    exec((CLIENTS / constants.MICROPYTHON_MODULE).read_text(), module)
    module = {name: value for name, value in module.items() if name.isupper()}
    assert module == kept


def test_version_and_numbers_are_those_of_the_contract(kept):
    assert kept["PROTOCOL_VERSION"] == PROTOCOL_VERSION
    assert kept["MODEL_VERSION"] == VERSION
    for kind, prefix in (
        (PacketType, ""),
        (Status, "STATUS_"),
        (RejectReason, "REJECT_"),
        (MemorySpace, "SPACE_"),
        (AnnealerSpace, "SPACE_"),
        (TaskKind, "TASK_"),
    ):
        for member in kind:
            assert kept[prefix + member.name] == member


def test_places_in_replies_hold_their_fields(kept):
    status = DeviceStatus(active=True, digest=0x12345678, step=0x4321, cleared=True).pack()
    assert status[kept["AT_STATUS_ACTIVE"]] == 1
    assert status[kept["AT_STATUS_DIGEST"] :][:4] == bytes.fromhex("78563412")
    assert status[kept["AT_STATUS_STEP"] :][:2] == bytes.fromhex("2143")
    assert status[kept["AT_STATUS_CLEARED"]] == 1 and status[kept["AT_STATUS_ANNEALING"]] == 0
    row = BOARDS["ulx3s_25f_both"]
    hello = row.description(bytes(range(8))).pack()
    assert hello[kept["AT_HELLO_BUILD"] :][:8] == bytes(range(8))
    for name, value in (("CLOCK_HZ", row.clock_hz), ("BAUD", row.baud)):
        assert int.from_bytes(hello[kept[f"AT_HELLO_{name}"] :][:4], "little") == value

    position, records = kept["AT_HELLO_ENGINES"], {}
    while position < len(hello):
        kind, length = hello[position : position + kept["RECORD_BYTES"]]
        position += kept["RECORD_BYTES"] + length
        record, size = hello[position - length : position], kept["SIZE_BYTES"]
        records[kind] = [
            int.from_bytes(record[place : place + size], "little")
            for place in range(0, length, size)
        ]
    contractor = records[kept["ENGINE_CONTRACTOR"]]
    assert contractor[kept["CONTRACTOR_GROUPS"]] == row.require_contractor().groups
    annealer, size = records[kept["ENGINE_ANNEALER"]], row.require_annealer()
    strides = annealer[kept["ANNEALER_STRIDES"]]
    assert strides == len(size.strides) and annealer[kept["ANNEALER_REPLICAS"]] == size.replicas
    assert annealer[kept["ANNEALER_STEPS"] + strides] == size.steps
    assert annealer[kept["ANNEALER_TEMPERING"] + strides] == size.tempering


def test_bits_of_a_header_hold_their_fields(kept):
    left, right = Operand(OperandKind.VECTOR, 3, 16), Operand(OperandKind.FEATURE, 700, 2)
    node = Node(left, right, outputs=10, destination=5, wait=False, last=True, narrow=True)
    bits = int.from_bytes(node.pack(), "little")

    def field(name):
        width = kept[f"NODE_{name}_BITS"]
        return bits >> kept[f"NODE_{name}_BIT"] & (1 << width) - 1

    assert (field("LEFT_INDEX"), field("RIGHT_KIND"), field("RIGHT_INDEX")) == (3, 1, 700)
    assert (field("LEFT_SIZE"), field("RIGHT_SIZE"), field("OUTPUTS")) == (15, 1, 9)
    assert (field("WAIT"), field("LAST"), field("NARROW")) == (0, 1, 1)
