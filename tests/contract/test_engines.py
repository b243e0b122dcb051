"""The engines of a device, by kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.latency import PIPELINES
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BOARDS, CONTRACTORS, find_board
from tensorspin.contract.device.capabilities import device_spaces, space_owner
from tensorspin.contract.device.description import (
    LAYOUT,
    RECORD,
    SIZE_BYTES,
    DeviceDescription,
)
from tensorspin.contract.device.engines import ENGINES, Engines, engine_of
from tensorspin.contract.device.variant_boards import VARIANTS
from tensorspin.contract.engine import EngineKind

BOTH = find_board("ulx3s_25f_both")
CONTRACTOR = BOTH.require_contractor()
ANNEALER = BOTH.require_annealer()


def test_order_does_not_matter():
    engines = Engines(ANNEALER, CONTRACTOR)
    assert engines == BOTH.engines
    assert hash(engines) == hash(BOTH.engines)
    assert list(engines) == [EngineKind.CONTRACTOR, EngineKind.ANNEALER]


def test_sizes_by_kind_class_and_name():
    assert BOTH.engines[EngineKind.CONTRACTOR] is CONTRACTOR
    assert BOTH.engines.find(AnnealerSize) is BOTH.annealer is ANNEALER
    assert BOTH.engines.require(ContractorSize) is BOTH.contractor is CONTRACTOR


def test_another_size():
    smaller = replace(CONTRACTOR, groups=1)
    engines = BOTH.engines.with_sizes(smaller)
    assert engines.require(ContractorSize).groups == 1
    assert engines.require(AnnealerSize) is ANNEALER
    assert engines.without(EngineKind.ANNEALER) == Engines(smaller)
    assert BOTH.contractor is CONTRACTOR


def test_missing_engine():
    engines = Engines(CONTRACTOR)
    assert engines.find(AnnealerSize) is None
    with pytest.raises(ValueError, match="the device has no annealer, which minimises models"):
        engines.require(AnnealerSize)


def test_not_an_engine():
    with pytest.raises(TypeError, match="BoardSpec is not the size of an engine"):
        engine_of(BOTH)
    with pytest.raises(ValueError, match="at most one engine of each kind"):
        Engines(CONTRACTOR, replace(CONTRACTOR, groups=1))


def test_spaces_have_one_owner():
    numbers = [number for row in ENGINES.values() for number in row.space_numbers]
    assert len(set(numbers)) == len(numbers)
    for board in BOARDS.values():
        for number in device_spaces(board.engines):
            assert space_owner(number) in board.engines
    assert space_owner(max(numbers) + 1) is None


def test_a_device_that_tells_no_pipeline_has_the_first():
    row = find_board("icepi_zero")
    longer = replace(row.require_contractor(), pipeline=1)
    packed = [
        replace(row, engines=Engines(size)).description(bytes(8)).pack()
        for size in (row.require_contractor(), longer)
    ]
    # Seven numbers, as devices have sent them since before there was a choice of pipelines.
    assert len(packed[0]) == LAYOUT.size + RECORD.size + 7 * SIZE_BYTES
    assert len(packed[1]) == len(packed[0]) + SIZE_BYTES
    told = [DeviceDescription.unpack(each).require_contractor() for each in packed]
    assert told == [row.require_contractor(), longer]
    assert [size.latencies for size in told] == list(PIPELINES)
    with pytest.raises(ValueError, match="pipeline must be 0 to 1, not 2"):
        replace(longer, pipeline=2)


@pytest.mark.parametrize("prefix", VARIANTS)
def test_no_variant_has_groups_that_share_a_sample(prefix):
    assert find_board("ulx3s_25f").require_contractor().single_drain
    assert not find_board(f"{prefix}ulx3s_25f").require_contractor().single_drain


def test_first_board_with_each_contractor():
    sizes = [board.contractor for board in BOARDS.values() if board.contractor is not None]
    assert [board.contractor for board in CONTRACTORS.values()] == list(dict.fromkeys(sizes))
