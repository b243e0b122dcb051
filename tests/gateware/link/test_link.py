# amaranth: UnusedElaboratable=no

"""The link in gateware agrees with the host's codec of packets."""

from __future__ import annotations

import random
import zlib

import pytest
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC

from tensorspin_gateware.link import Link
from tests.gateware.bench import NETLIST_BOARDS, run_bench


@pytest.mark.parametrize(
    "netlist", [None, *(pytest.param(name, marks=pytest.mark.long) for name in NETLIST_BOARDS)]
)
def test_equals_contract(netlist):
    check(netlist, staged=False)


def test_registers_on_its_paths_only_delay():
    check(None, staged=True)


def check(netlist, staged):
    run_bench(
        Link(512, staged),
        "tests.gateware.link.bench_link",
        netlist=netlist,
        receive_bytes=512,
        frames=600,
        staged=staged,
    )


def test_crc_is_the_hosts():
    rng = random.Random(1)
    for length in range(300):
        data = rng.randbytes(length)
        assert CRC32_ISO_HDLC(data_width=8).compute(data) == zlib.crc32(data)


def test_buffer_size():
    with pytest.raises(ValueError, match="1000 is not a power of 2"):
        Link(1000)
    with pytest.raises(ValueError, match="needs 253 bytes to hold any request, not 128"):
        Link(128)
