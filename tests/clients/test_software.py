"""The software contraction has the bits of the golden model."""

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.export.model import ClientModel
from tensorspin.golden.contractor import contract

from ..support import c_client
from ..support.c_client import Client, Model
from ..support.loaded_programs import chain_program, golden_answers, random_levels
from ..support.random_programs import random_program, short_program

BOARD = find_board("icebreaker_spi")
SIZE = replace(BOARD.require_contractor(), features=64)


def packed(program, lanes):
    nodes = [node for node in program.nodes if not node.last]
    image, table = program.image(lanes), program.table_bytes()
    model = Model(image, table, len(image), len(table), 0, 1)
    model.throughput_cycles[0] = 1
    model.needs[:] = (
        *(lanes, len(image) // lanes, program.features, len(program.table)),
        max((node.destination + 1 for node in nodes), default=0),
        max((node.outputs for node in nodes), default=0),
    )
    model.features, model.outputs = program.features, program.nodes[-1].outputs
    return model


@pytest.mark.parametrize("make", [random_program, short_program])
@pytest.mark.parametrize("lanes", [8, 11, 16])
def test_random_programs(make, lanes):
    rng = np.random.default_rng(lanes)
    for _ in range(40):
        program = make(rng, SIZE)
        client = Client()
        assert client.load(packed(program, lanes)) == c_client.OK
        levels = rng.integers(0, 256, (4, program.features), dtype=np.uint8)
        expected = contract(program.nodes, program.weights, program.table, levels, lanes)
        for index, sample in enumerate(levels):
            status, result = client.run(sample)
            assert status == c_client.OK
            assert list(result.scores[: program.nodes[-1].outputs]) == (
                expected.scores[index].tolist()
            )
            assert result.exponent == expected.exponents[index]
            assert result.best == expected.classes[index]
            assert result.cycles == 0


def test_the_calls_are_those_of_a_device():
    program, levels = chain_program(10), random_levels(2, 10)
    client = Client()
    model = ClientModel(program, BOARD)
    assert client.run(levels[0])[0] == c_client.NO_MODEL
    assert client.load(model) == c_client.OK
    results = [c_client.Result(), c_client.Result()]
    for sample, result in zip(levels, results):
        assert client.start(sample, result) == c_client.OK
    assert client.start(levels[0], results[0]) == c_client.BUSY
    expected = golden_answers(program, levels)
    for index, result in enumerate(results):
        assert client.finish() == c_client.OK
        assert list(result.scores[:3]) == expected.scores[index].tolist()
    assert client.finish() == c_client.IDLE
    assert client.status()[0] == c_client.DOES_NOT_FIT
    assert client.anneal_load([[0]], [1]) == c_client.DOES_NOT_FIT


def test_a_program_that_does_not_end_or_fit_is_refused():
    program = chain_program(10)
    model = Model.of(ClientModel(program, BOARD))
    model.image_bytes //= 2
    client = Client()
    assert client.load(model) == c_client.OK
    assert client.run(random_levels(1, 10)[0])[0] == 7  # Status.PROGRAM_OVERRUN
    for place, value in ((4, 17), (5, 33)):
        model = Model.of(ClientModel(program, BOARD))
        model.needs[place] = value
        assert client.load(model) == c_client.DOES_NOT_FIT
