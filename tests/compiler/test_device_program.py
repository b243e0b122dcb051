"""What a program computes is computed once, and what it holds can't be changed."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from tensorspin.compiler import device_program
from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.contract.contractor.image import program_image
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tests.support.programs import small_program

SIZE = find_board("icebreaker").contractor


def test_the_image_of_a_program_is_computed_once(monkeypatch):
    program = small_program()
    made = []

    def counted(*arguments):
        made.append(arguments)
        return program_image(*arguments)

    monkeypatch.setattr(device_program, "program_image", counted)
    for _ in range(3):
        program.check(SIZE)
        assert program.digest(8) == program.digest(lanes=8)
        assert program.image(16) is program.image(16)
        assert program.table_bytes() is program.table_bytes()
        assert program.words(8) == 20
    assert [lanes for _, _, lanes in made] == [8, 16]


def test_results_that_are_kept_depend_on_their_arguments():
    program = small_program()
    assert program.image(8) != program.image(16)
    assert program.digest(8) != program.digest(16)
    assert program.words(8) != program.words(2)
    program.check(SIZE)
    for _ in range(2):
        with pytest.raises(CapacityError):
            program.check(dataclasses.replace(SIZE, slots=1))


COPIES = [copy.copy, copy.deepcopy, lambda program: pickle.loads(pickle.dumps(program))]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_has_the_fields_alone(copied):
    program = small_program()
    fresh = pickle.dumps(program)
    digest = program.digest(8)
    assert pickle.dumps(program) == fresh
    again = copied(program)
    assert set(vars(again)) == {item.name for item in dataclasses.fields(NetworkProgram)}
    assert again.digest(8) == digest
    assert again != program, "programs are compared by their digests"


def test_replaced_fields_count():
    program = small_program()
    program.digest(8)
    assert dataclasses.replace(program, clip=True).digest(8) == program.digest(8)
    other = dataclasses.replace(program, table=program.table + np.int16(1))
    assert other.digest(8) != program.digest(8)


@pytest.mark.parametrize("name", ["table", "feature_minimum", "feature_maximum"])
def test_arrays_are_read_only(name):
    mine = getattr(small_program(), name).copy()
    program = small_program(**{name: mine})
    for array in (getattr(program, name), *program.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    mine[:] += 1  # The caller's own array stays writable, and is not the program's.
    assert not np.array_equal(getattr(program, name), mine)


@pytest.mark.parametrize("copied", COPIES)
def test_arrays_of_copies_are_read_only(copied):
    program = copied(small_program())
    for array in (program.table, program.feature_minimum, *program.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
