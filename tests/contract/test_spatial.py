"""Shapes of spatial engines, their images and latencies, and the files that describe them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.device import spatial_boards
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.capabilities import device_requests, device_spaces
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.spatial.arithmetic import narrow
from tensorspin.contract.spatial.image import image_bytes, pack_image, unpack_image
from tensorspin.contract.spatial.latency import latency, vector_times
from tensorspin.contract.spatial.resources import Part, check_fits, data_products, weight_products
from tensorspin.contract.spatial.size import SpatialSize
from tensorspin.contract.wire.packets import PacketType
from tensorspin.errors import CapacityError
from tests.support.spatial import BALANCED, CROOKED, SIZES, WIDE, random_parameters

ROW = find_board("ulx3s_85f")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "tensorspin" / "spatial"
    folder.mkdir(parents=True)
    return folder


def board(size=BALANCED, name="iris"):
    return spatial_boards.make_board(name, ROW, 90_000_000, size)


@pytest.mark.parametrize("name", SIZES)
def test_images_are_read_as_written(name):
    size, rng = SIZES[name], np.random.default_rng(0)
    given = random_parameters(size, rng)
    image = pack_image(size, given)
    assert len(image) == image_bytes(size)
    found = unpack_image(size, image + bytes(99))
    for one, other in zip(given.tables, found.tables, strict=True):
        assert np.array_equal(one, other)
    assert given.weights.keys() == found.weights.keys()
    assert all(np.array_equal(given.weights[key], found.weights[key]) for key in given.weights)
    assert (given.shifts, given.exponent) == (found.shifts, found.exponent)


def test_upper_bits_of_a_weight_do_not_count():
    given = random_parameters(CROOKED, np.random.default_rng(0))
    image = bytearray(pack_image(CROOKED, given))
    first = (
        image_bytes(CROOKED) - len(CROOKED.nodes) - 2 - sum(w.size for w in given.weights.values())
    )
    image[first] ^= 0xE0
    found = unpack_image(CROOKED, bytes(image))
    assert all(np.array_equal(given.weights[key], found.weights[key]) for key in given.weights)


def test_latencies():
    assert [latency(size) for size in (BALANCED, WIDE)] == [14, 23]
    # A node waits for the later of its operands; features can come at any time.
    assert vector_times(CROOKED) == [5, 9, 5, 17, 21]


def test_products():
    assert (data_products(BALANCED), weight_products(BALANCED)) == (32, 48)
    assert (data_products(WIDE), weight_products(WIDE)) == (80, 288)


def test_narrow_keeps_to_the_format():
    values = np.arange(-70000, 70000, 7)
    for bits in (8, 12):
        found = narrow(values, 3, bits)
        assert np.all(found & 1)
        assert np.abs(found).max() == (1 << (bits - 1)) - 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": 0}, "inputs must be 1 to 64, not 0"),
        ({"value_bits": 19}, "value_bits must be 8 to 18, not 19"),
        ({"weight_bits": 2}, "weight_bits must be 3 to 8, not 2"),
        ({"nodes": ()}, "a tree must have 1 to 40 nodes, not 0"),
        ({"nodes": (1 << 16,) * 41}, "a tree must have 1 to 40 nodes, not 41"),
        ({"components": float("nan")}, "components must be 1 to 16, not nan"),
    ],
)
def test_sizes_that_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(BALANCED, **changes)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([(0, 5, 2)], "node 0 reads node 1, which does not stand before it"),
        ([(0, 1, 2), (4, 4, 2)], "node 0 is read twice, not once"),
        ([(0, 1, 2), (2, 4, 2)], "node 1 must have the vector left of the feature"),
        ([(0, 1, 0)], "node 0 must have 1 to 64 outputs, not 0"),
        ([(0, 1, 2), (2, 3, 2)], "node 0 is read by no other node"),
        ([(0, 1, 300)], "a node must be three integers of 0 to 255"),
    ],
)
def test_what_is_no_tree(nodes, message):
    with pytest.raises(ValueError, match=message):
        SpatialSize.of_tree(4, nodes, components=2)


@pytest.mark.parametrize("name", SIZES)
def test_descriptions_in_hello(name):
    spec = board(SIZES[name])
    description = spec.description(bytes(8))
    assert DeviceDescription.unpack(description.pack()) == description
    assert PacketType.RUN in device_requests(spec.engines)
    assert PacketType.ANNEAL not in device_requests(spec.engines)
    assert list(device_spaces(spec.engines)) == [10]


def test_the_largest_tree_fits_into_hello():
    nodes = [(0, 1, 2), *((64 + node, node % 64, 2) for node in range(39))]
    size = SpatialSize.of_tree(64, nodes, components=2)
    description = board(size, "n" * 16).description(bytes(8))
    assert len(description.pack()) < 255
    assert DeviceDescription.unpack(description.pack()).spatial == size


def test_one_engine_answers_run():
    with pytest.raises(ValueError, match="cannot have a contractor and a spatial"):
        Engines(ROW.require_contractor(), BALANCED)


def test_boards_are_found_by_their_descriptions(folder):
    path = folder / "iris.json"
    path.write_text(spatial_boards.description_text(board()))
    assert find_board("spatial/iris") == find_board(f"spatial/{path}") == board()
    assert find_board("spatial/iris").hardware == "ulx3s_85f"
    assert not any(name.startswith("spatial") for name in BOARDS)


def test_a_name_without_a_description(folder):
    (folder / "digits.json").touch()
    with pytest.raises(ValueError, match=r"described in .*iris.json; known: digits; tensorspin sp"):
        find_board("spatial/iris")
    with pytest.raises(ValueError, match=r"can be called '\.\./iris'"):
        find_board("spatial/../iris")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, 'its "format" must be "tensorspin-spatial"'),
        ({"version": 2}, "its version must be 1, not 2"),
        ({"board": "icebreaker"}, "no spatial engine for board 'icebreaker'"),
        ({"board": "arty"}, "no board is called 'arty'"),
        ({"features": True}, '"features" must be of type int, not True'),
        ({"clock_hz": 1}, "clock_hz must be 10000 to"),
        ({"nodes": [1]}, '"nodes" must be lists of three numbers'),
        ({"nodes": [[0, 1, 4.5]]}, "a node must be three integers"),
        ({"nodes": [[0, 1, 4], [2, 3, 4]]}, "node 0 is read by no other node"),
        ({"name": "a/b"}, "must be 1 to 16 letters"),
        ({"colour": "red"}, '"colour" is no field of a description'),
        ({"value_bits": float("nan")}, '"value_bits" must be of type int, not nan'),
    ],
)
def test_damaged_descriptions(folder, changes, message):
    content = json.loads(spatial_boards.description_text(board()))
    (folder / "iris.json").write_text(json.dumps(content | changes))
    with pytest.raises(ValueError, match=message):
        find_board("spatial/iris")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff" * 9, b"[" * 70000, b"[" * 60000])
def test_what_is_no_description(folder, content):
    (folder / "iris.json").write_bytes(content)
    with pytest.raises(ValueError, match="describes no spatial engine"):
        find_board("spatial/iris")


def test_what_is_too_large():
    check_fits(WIDE, Part(156, 83_640))
    check_fits(BALANCED, Part(28, 24_288))
    with pytest.raises(CapacityError, match=r"multipliers, 28 of them hardware.*: 368 needed"):
        check_fits(WIDE, Part(28, 24_288))
    with pytest.raises(CapacityError, match=r"multipliers, 80 of them hardware.*: 368 needed"):
        check_fits(WIDE, Part(80, 24_288))
