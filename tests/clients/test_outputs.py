"""Numbers, likelihoods and flags of the C driver are the host's, as far as float can tell."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest

from tensorspin.compiler.outputs import Classification, OutlierDetection, Regression
from tensorspin.contract.device.boards import find_board
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Result
from ..support.loaded_programs import chain_program

BOARD = find_board("icebreaker_spi")
MOST = float(np.finfo(np.float32).max)


def program_of(task, log2_scale):
    return replace(chain_program(5, n_outputs=1), task=task, log2_scale=log2_scale)


def exported(program, folder, what):
    more = f"const void *exported_numbers(void) {{ return &model_{what}; }}"
    library = c_client.exported(ClientModel(program, BOARD), folder, more)
    return library, ctypes.c_void_p(library.exported_numbers())


def cases(exponents):
    rng = np.random.default_rng(0)
    mantissas = [0, 1, -1, 2, 3, 16384, -16384, 32767, -32768, *rng.integers(-32768, 32768, 20)]
    return [(m, e) for m in mantissas for e in exponents if 0 <= e <= 65535]


def result_of(mantissa, exponent):
    result = Result(exponent=exponent)
    result.scores[0] = mantissa
    return ctypes.byref(result)


@pytest.mark.parametrize(
    ("offset", "factor", "log2_scale"),
    [
        (20.0, 3.5, -12.25),
        (-1e6, 1e-3, 40.7),
        (0.0, -7e5, 900.0),
        (1e-30, 0.0, 0.0),
        (3.0, 1.0, -400.3),
    ],
)
def test_numbers(tmp_path, offset, factor, log2_scale):
    program = program_of(Regression(offset, factor), log2_scale)
    library, numbers = exported(program, tmp_path, "regression")
    around = int(log2_scale)
    for mantissa, exponent in cases(
        [0, 1, 14, 20, around, around + 15, around + 60, around + 140, around - 110, 65535]
    ):
        (expected,) = program.interpret([[mantissa]], [exponent])
        found = library.tensorspin_number(numbers, result_of(mantissa, exponent))
        term = abs(np.clip(expected - offset, -MOST, MOST))
        limit = 2.0**-22 * max(abs(offset), term) + 2.0**-125
        assert abs(found - np.clip(expected, -MOST, MOST)) <= limit, (mantissa, exponent)


@pytest.mark.parametrize(
    ("offset", "log2_scale"),
    [(-9.99, -12.3), (-300.0, 150.75), (3.0, -0.5), (-1e5, 9.0), (1e5, 0.0)],
)
def test_likelihoods_and_flags(tmp_path, offset, log2_scale):
    program = program_of(OutlierDetection(offset), log2_scale)
    library, numbers = exported(program, tmp_path, "outliers")
    first = ClientModel(program, BOARD).outliers.first_exponent
    around = int(log2_scale - offset / (2 * np.log(2)))
    exponents = [0, 1, 17, first - 1, first, first + 1, first + 15, first + 16, first + 17, 65535]
    exponents += [around + k for k in range(20)]
    for mantissa, exponent in cases(exponents):
        expected = program.task.log_likelihood([[mantissa]], [exponent], log2_scale)[0]
        result = result_of(mantissa, exponent)
        found = library.tensorspin_log_likelihood(numbers, result)
        limit = 2.0**-21 * abs(expected) + 2.0**-20
        assert abs(found - expected) <= limit, (mantissa, exponent)
        decision = library.tensorspin_decision(numbers, result)
        assert abs(decision - (expected - offset)) <= limit + 2.0**-22 * abs(offset)
        (flag,) = program.interpret([[mantissa]], [exponent])
        assert library.tensorspin_is_outlier(numbers, result) == (flag < 0), (mantissa, exponent)


def test_flags_at_each_threshold(tmp_path):
    program = program_of(OutlierDetection(-20.0), -7.4)
    library, numbers = exported(program, tmp_path, "outliers")
    found = ClientModel(program, BOARD).outliers
    for place, least in enumerate(found.least):
        exponent = found.first_exponent + place
        for mantissa in {least - 1, min(least, 32767), -least}:
            (flag,) = program.interpret([[mantissa]], [exponent])
            assert library.tensorspin_is_outlier(numbers, result_of(mantissa, exponent)) == (
                flag < 0
            )


def test_classes_have_their_names(tmp_path):
    labels = np.array(['"quoted"', "back\\slash", "größe??/", "new\nline", "7"])
    program = replace(chain_program(5, n_outputs=5), task=Classification(labels, 1.0))
    more = """
    const void *exported_numbers(void) { return 0; }
    const char *exported_class(int k) { return model_classes[k]; }
    """
    library = c_client.exported(ClientModel(program, BOARD), tmp_path, more)
    library.exported_class.restype = ctypes.c_char_p
    found = [library.exported_class(index).decode() for index in range(5)]
    assert found == labels.tolist()
