"""The file that MicroPython reads holds the model, and damage is found."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from tensorspin.compiler.outputs import Classification, OutlierDetection, Regression
from tensorspin.contract.contractor.latency import PIPELINES
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tensorspin.export.model import MOST_TESTS, ClientModel
from tensorspin.export.model_file import (
    ALIGNMENT,
    ENTRY,
    HEADER,
    OUTLIERS,
    REGRESSION,
    TASKS,
    model_bytes,
    read_scale,
    read_sections,
)

from ..support.loaded_programs import chain_program, cycles_of, golden_answers
from ..support.programs import small_program

BOARD = find_board("icebreaker_spi")


def single(task):
    """A program of one score for a task."""
    return replace(chain_program(5, n_outputs=1), task=task, log2_scale=-12.3)


def test_sections_hold_the_model():
    program = small_program()
    model = ClientModel(program, BOARD)
    data = model_bytes(model)
    header, sections = read_sections(data)
    assert (header.digest, header.cycles) == (program.digest(8, True), cycles_of(program))
    assert (header.features, header.outputs, header.lanes) == (4, 2, 8)
    assert header.task == TASKS[type(program.task)]
    assert sections["PROG"] == program.image(8, signed=True) and not sections["SIGN"]
    assert sections["TABL"] == program.table_bytes()
    assert sections["NAME"] == b"\3cat\3dog"
    assert sorted(sections) == ["CYCL", "F32", "I16", "NAME", "PROG", "SIGN", "TABL", "TEST"]
    cycles = [program.cycles(8, pipeline) for pipeline in PIPELINES]
    assert struct.unpack("<2I", sections["CYCL"]) == tuple(cycles)
    for index in range(len(sections)):
        _, first, _ = ENTRY.unpack_from(data, HEADER.size + ENTRY.size * index)
        assert first % ALIGNMENT == 0


def test_names_of_classes_are_text_whatever_they_are():
    labels = np.array(
        ["ä" * 200, "x" * 254 + "ä", "half \ud800", "zero\0byte", b"\xff", 'a"\\b'], object
    )
    program = replace(chain_program(5, n_outputs=len(labels)), task=Classification(labels, 1.0))
    data, names = read_sections(model_bytes(ClientModel(program, BOARD)))[1]["NAME"], []
    while data:
        names.append(data[1 : 1 + data[0]].decode("utf-8"))
        data = data[1 + data[0] :]
    assert names == ["ä" * 127, "x" * 254, "half ?", "zero?byte", "\ufffd", 'a"\\b']


def test_the_self_tests_have_the_golden_answers():
    program = small_program()
    data = read_sections(model_bytes(ClientModel(program, BOARD)))[1]["TEST"]
    tests = list(struct.iter_unpack("<4s2hHH", data))
    assert len(tests) == MOST_TESTS
    levels = np.frombuffer(b"".join(test[0] for test in tests), np.uint8).reshape(-1, 4)
    answers = golden_answers(program, levels)
    assert [list(test[1:3]) for test in tests] == answers.scores.tolist()
    assert [test[3:] for test in tests] == list(zip(answers.exponents, answers.classes))


@pytest.mark.parametrize(("features", "count"), [(2, 16), (64, 4), (100, 3), (256, 1), (700, 1)])
def test_the_self_tests_read_each_entry_of_the_feature_table(features, count):
    tests = ClientModel(chain_program(features, bond=2), BOARD).self_tests
    assert len(tests) == count
    levels = b"".join(test.levels for test in tests)
    assert len(set(levels)) == min(256, count * features)


def test_scales_are_read_back():
    model = ClientModel(small_program(), BOARD)
    _, sections = read_sections(model_bytes(model))
    for name, scale in (("F32", model.float_scale), ("I16", model.short_scale)):
        found = read_scale(sections[name])
        for part in ("columns", "row", "limits", "accepts_missing", "rows", "missing"):
            assert np.array_equal(getattr(found, part), getattr(scale, part))


def test_numbers_of_a_regression_give_its_targets():
    program = single(Regression(offset=-3.5, factor=1234.5))
    _, sections = read_sections(model_bytes(ClientModel(program, BOARD)))
    offset, factor, power = REGRESSION.unpack(sections["REGR"])
    answers = golden_answers(program, np.random.default_rng(0).integers(0, 256, (50, 5), np.uint8))
    found = offset + answers.scores[:, 0] * factor * 2.0 ** (power - answers.exponents.astype(int))
    expected = program.interpret(answers.scores, answers.exponents)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("offset", [-9.99, -40.0, 3.0, -1e5, 1e5])
def test_numbers_of_an_outlier_detector_flag_the_same_samples(offset):
    program = single(OutlierDetection(offset=offset))
    _, sections = read_sections(model_bytes(ClientModel(program, BOARD)))
    section = sections["OUTL"]
    found, whole, fraction, first, count = OUTLIERS.unpack_from(section)
    least = struct.unpack(f"<{count}H", section[OUTLIERS.size :])
    assert found == pytest.approx(offset) and count <= 17
    assert whole + fraction / 2**24 == pytest.approx(program.log2_scale, abs=2**-24)
    magnitudes = np.unique(np.concatenate([np.arange(0, 32769, 97), [1, 32768], least, least]))
    magnitudes = np.clip(np.concatenate([magnitudes, magnitudes - 1]), 0, 32768)
    for exponent in (0, first - 1, first, first + 3, first + count - 1, first + count, 65535):
        exponent = min(max(exponent, 0), 65535)
        expected = program.interpret(magnitudes[:, None], np.full(len(magnitudes), exponent))
        if exponent < first:
            flags = np.ones(len(magnitudes))
        elif exponent >= first + count:
            flags = -np.ones(len(magnitudes))
        else:
            flags = np.where(magnitudes >= least[exponent - first], 1, -1)
        assert np.array_equal(flags, expected)


def test_damage_and_other_versions_are_refused():
    data = model_bytes(ClientModel(small_program(), BOARD))
    for position in range(0, len(data), 7):
        damaged = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(ValueError, match="this is no|has version|damaged or cut short"):
            read_sections(damaged)
    with pytest.raises(ValueError, match="damaged or cut short; export it again"):
        read_sections(data[:-1])
    with pytest.raises(ValueError, match="does not begin with TSPN"):
        read_sections(b"PK")


def test_a_board_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="icebreaker_annealer"):
        ClientModel(small_program(), find_board("icebreaker_annealer"))
    with pytest.raises(CapacityError):
        ClientModel(chain_program(8, bond=33), BOARD)
