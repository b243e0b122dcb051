"""Weights of 4 bits: rounding, storage, files, and which nodes get them."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.compiler.chain import chain_nodes
from tensorspin.compiler.mixed_bits import mixed_bits, narrowing_error
from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification
from tensorspin.compiler.quantise import UNITS, check_weight_bits, quantise_weights
from tensorspin.contract.contractor.image import read_image
from tensorspin.contract.contractor.program import WEIGHT_SUM_LIMIT
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.fixed import NARROW_STEP, WEIGHT
from tensorspin.errors import CapacityError

from ..support.chains import random_chain
from ..support.programs import small_program

SIZE = find_board("icebreaker").contractor
N_SITES = 12


def network(seed=0):
    rng = np.random.default_rng(seed)
    cores, label = random_chain(rng, N_SITES, 6, 2, 3, N_SITES // 2)
    return chain_nodes(cores, label, N_SITES // 2, range(N_SITES))


def program_of(nodes, weight_bits):
    x = np.arange(256) / 255
    return NetworkProgram.from_nodes(
        nodes,
        np.stack([1 - x, x], axis=1),
        feature_minimum=np.zeros(N_SITES),
        feature_maximum=np.ones(N_SITES),
        clip=False,
        task=Classification(np.arange(3), 1.0),
        weight_bits=weight_bits,
    )


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 40)),
    st.floats(-20, 20),
    st.sampled_from(sorted(UNITS)),
)
def test_weights_are_near_and_safe(seed, shape, log2_scale, bits):
    weights = np.random.default_rng(seed).normal(size=shape) * 2**log2_scale
    integers, step = quantise_weights(weights, bits)
    unit = UNITS[bits]
    assert np.abs(integers * step - weights).max() <= step * unit / 2 * (1 + 1e-9)
    assert np.abs(integers.astype(int)).sum(axis=(1, 2)).max() <= WEIGHT_SUM_LIMIT
    assert not np.any(integers % unit)
    again, same_step = quantise_weights(integers * step, bits)
    np.testing.assert_array_equal(again, integers)
    assert same_step == pytest.approx(step)


def test_many_equal_narrow_weights_give_way_to_the_accumulator():
    bond = SIZE.slot_entries
    integers, step = quantise_weights(np.ones((1, bond, bond)), 4)
    assert integers.max() == WEIGHT_SUM_LIMIT // bond**2 // NARROW_STEP * NARROW_STEP
    assert integers.max() * step == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize("bits", [0, 5, 16, 8.0, True, "8", None, np.ones(2)])
def test_other_numbers_of_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be one of 4, 8, not"):
        quantise_weights(np.ones((1, 1, 1)), bits)


def test_integers_of_numpy_are_bits_too():
    check_weight_bits(np.int64(4))
    check_weight_bits("auto", "weight_bits", None, "auto")


def test_narrow_programs_are_half_as_long_and_as_the_device_stores_them():
    wide, narrow = (program_of(network(), bits) for bits in (8, 4))
    headers = len(wide.nodes)
    assert narrow.words(8) - headers <= 0.5 * (wide.words(8) - headers) + headers
    assert narrow.cycles(8) == wide.cycles(8)
    nodes, weights = read_image(narrow.image(8), 8)
    assert tuple(nodes) == narrow.nodes and all(node.narrow for node in nodes)
    for stored, tensor in zip(weights, narrow.weights):
        np.testing.assert_array_equal(stored, tensor)


def test_narrow_scores_have_the_scale_of_the_network():
    nodes = network()
    # Already multiples of the steps: rounding to 4 or 8 bits then changes nothing but the scale.
    coarse = []
    for item in nodes:
        integers, step = quantise_weights(item.weights, 4)
        coarse.append(dataclasses.replace(item, weights=integers * step))
    X = np.random.default_rng(1).integers(256, size=(20, N_SITES)) / 255
    true = []
    for bits in (4, 8):
        program = program_of(coarse, bits)
        results = program.run_golden(X)
        true.append(results.scores * 2.0 ** (program.log2_scale - results.exponents[:, None]))
    largest = np.abs(true[0]).max(axis=1, keepdims=True)
    np.testing.assert_allclose(true[1] / largest, true[0] / largest, atol=0.05)


def test_mixed_programs_keep_their_bits_in_a_file(tmp_path):
    nodes = network()
    bits = [4 if index % 3 else 8 for index in range(len(nodes))]
    program = program_of(nodes, bits)
    assert [node.narrow for node in program.nodes] == [b == 4 for b in bits]
    program.save(tmp_path / "model.npz")
    loaded = NetworkProgram.load(tmp_path / "model.npz")
    assert loaded.nodes == program.nodes
    assert loaded.digest(8) == program.digest(8)


def test_a_list_of_bits_of_another_length_is_refused():
    with pytest.raises(ValueError, match="zip"):
        program_of(network(), [8, 4])


def test_narrow_weights_that_are_no_multiples_are_refused():
    program = small_program()
    nodes = (dataclasses.replace(program.nodes[0], narrow=True), *program.nodes[1:])
    weights = (np.full_like(program.weights[0], 24), *program.weights[1:])
    with pytest.raises(
        ValueError, match="'sites 0 and 1': weight 24 of a narrow node is no multiple of 16"
    ):
        small_program(nodes=nodes, weights=weights)


def size_of(words):
    """Return the size of a board with room for so many words exactly, which no board can have."""
    size = copy.copy(SIZE)
    signature = SIZE.program_words - SIZE.model_words
    object.__setattr__(size, "program_words", words + signature)  # no power of two, unchecked
    return size


def test_what_fits_stays_wide():
    nodes = network()
    wide = program_of(nodes, 8)
    assert mixed_bits(nodes, size_of(wide.words(SIZE.lanes))) == [WEIGHT.width] * len(nodes)


def test_nodes_become_narrow_one_by_one_until_the_program_fits():
    nodes = network()
    wide, narrow = (program_of(nodes, bits).words(SIZE.lanes) for bits in (8, 4))
    before = 0
    for words in range(wide, narrow - 1, -1):
        bits = mixed_bits(nodes, size_of(words))
        assert program_of(nodes, bits).words(SIZE.lanes) <= words
        assert bits.count(4) >= before
        before = bits.count(4)
    with pytest.raises(
        CapacityError, match=f"weights of 4 bits: {narrow} needed, the device holds {narrow - 1}"
    ):
        mixed_bits(nodes, size_of(narrow - 1))


def test_the_node_that_loses_least_becomes_narrow_first():
    nodes = network()
    candidates = [i for i, item in enumerate(nodes) if item.weights.shape == nodes[4].weights.shape]
    exact = candidates[-1]
    integers, step = quantise_weights(nodes[exact].weights, 4)
    nodes[exact] = dataclasses.replace(nodes[exact], weights=integers * step)
    assert narrowing_error(nodes[exact].weights) == pytest.approx(0, abs=1e-20)
    bits = mixed_bits(nodes, size_of(program_of(nodes, 8).words(SIZE.lanes) - 1))
    assert [index for index, b in enumerate(bits) if b == 4] == [exact]
