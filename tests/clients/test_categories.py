"""Categories and missing values: what a client makes of places and names is the host's."""

import ctypes
import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

import tensorspin
from tensorspin.compiler.categories import CategoryColumn
from tensorspin.contract.device.boards import find_board
from tensorspin.export.categories import category_names
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.pipelines import mps
from .micropython import exported
from .test_levels import Levels

BOARD = find_board("icebreaker_spi")
COLOURS = ["red", "green", "blue", "black"]


def table(gaps=False):
    rng = np.random.default_rng(3)
    colours = rng.choice(COLOURS[:3] if gaps else COLOURS, 80).astype(object)
    regions = rng.choice([7.0, 2.5, 40.0], 80)
    X = pd.DataFrame({"size": rng.integers(-50, 50, 80), "colour": colours, "region": regions})
    if gaps:
        X["size"] = X["size"].astype(float)
        X.loc[::7, "size"] = np.nan
        X.loc[::9, "colour"] = None
    y = (colours == "green") | (regions == 7.0)
    return X, y.astype(int)


def learnt(**parameters):
    X, y = table(gaps=bool(parameters))
    return mps(categorical_features=["region"], **parameters).fit(X, y).quantize()


def encoded():
    X, y = table()
    X["note"] = "nobody reads this"
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer(
        (encoder, ["colour"]), (StandardScaler(), ["region", "size"]), remainder="drop"
    )
    return tensorspin.models.quantize(make_pipeline(columns, mps()).fit(X, y))


PROGRAMS = {
    "learnt": learnt,
    "missing": lambda: learnt(missing="level"),
    "encoded": encoded,
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request):
    return PROGRAMS[request.param]()


def samples(program):
    """Rows of a table, and what a host says of them: levels, or None if it refuses."""
    names = program.feature_names
    values = {
        "size": [-50, 3, 49, 30_000, None],
        "colour": [*COLOURS, "pink", None],
        "region": [7.0, 2.5, 40.0, 3.0],
        "note": ["anything"],
    }
    for row in itertools.product(*(values[name] for name in names)):
        frame = pd.DataFrame([row], columns=list(names))
        try:
            yield row, program.levels(frame)[0].tolist()
        except (ValueError, TypeError):
            yield row, None


def places(program, row, missing):
    """What a controller reads of a row, or None if a category has no place."""
    found = []
    for column, value in enumerate(row):
        known = ClientModel(program, BOARD).categories.get(column)
        if column in program.categories.ignored:
            value = 0
        elif known is not None and value is not None:
            name = value if isinstance(value, str) else f"{value:g}"
            unknown = program.categories.columns[column].unknown
            if name in known:
                value = known.index(name)
            elif None in known:
                value = known.index(None)
            elif unknown is not None and np.isnan(unknown):
                value = None
            else:
                return None
        found.append(missing if value is None else value)
    return found


def test_levels_in_c_are_the_hosts(program, tmp_path):
    levels = Levels(program, tmp_path)
    seen = 0
    for row, wanted in samples(program):
        for dtype, missing in ((np.float32, np.nan), (np.int16, -32768)):
            readings = places(program, row, missing)
            gaps = {column for column, reading in enumerate(readings or ()) if reading == -32768}
            if readings is None or not gaps <= set(program.columns_with_gaps):
                continue  # no place; a number that is not a missing one
            if dtype is np.int16 and any(reading % 1 for reading in readings):
                continue
            status, found = levels(np.array(readings, dtype))
            assert (status == c_client.OK) == (wanted is not None), (row, status)
            if wanted is not None:
                assert found.tolist() == wanted, row
                seen += 1
    assert seen > 50


def test_levels_in_micropython_are_the_hosts(connect, program, tmp_path):
    controller = connect()
    controller.open()
    controller.read_model(exported(tmp_path, program))
    rows = [(row, wanted) for row, wanted in samples(program)]
    known = ClientModel(program, BOARD).categories
    for kind in "fi":
        readings = [
            [
                f"{value:g}" if column in known and isinstance(value, float) else value
                for column, value in enumerate(row)
            ]
            for row, _ in rows
        ]
        for column in program.categories.ignored:
            for sample in readings:
                sample[column] = 0
        chosen = [
            index
            for index, sample in enumerate(readings)
            if kind == "f" or not any(isinstance(r, float) and r % 1 for r in sample)
        ]
        found = controller.levels([readings[index] for index in chosen], kind)
        for index, told in zip(chosen, found, strict=True):
            row, wanted = rows[index]
            assert (told == wanted) if wanted is not None else isinstance(told, str), row


def test_places_beyond_the_list_are_refused(tmp_path):
    levels = Levels(learnt(), tmp_path)
    for place, status in (
        (0, c_client.OK),
        (4, c_client.OUT_OF_RANGE),
        (-1, c_client.OUT_OF_RANGE),
    ):
        for dtype in (np.float32, np.int16):
            assert levels(np.array([1, place, 0], dtype))[0] == status


def test_names_stand_in_the_order_of_their_numbers():
    numbers = np.array([2.0, 0.0, 1.0])
    column = CategoryColumn(("a", 'b"', "c"), numbers, unknown=0.5)
    assert category_names(column) == ('b"', None, "c", "a")


def test_a_header_has_the_names(tmp_path):
    program = encoded()
    more = "const char *name(unsigned k) { return model_categories_1[k]; }"
    library = c_client.exported(
        ClientModel(program, BOARD),
        tmp_path,
        more + "const void *exported_numbers(void) { return 0; }",
    )
    library.name.restype = ctypes.c_char_p
    names = [library.name(place) for place in range(5)]
    assert names == [None, b"black", b"blue", b"green", b"red"]


def test_what_micropython_says_of_a_name_that_there_is_not(connect, tmp_path):
    controller = connect()
    controller.open()
    program = learnt()
    controller.read_model(exported(tmp_path, program))
    known = ClientModel(program, BOARD).categories
    assert controller.categories() == [[place, list(names)] for place, names in known.items()]
    assert [sorted(names) for names in known.values()] == [sorted(COLOURS), ["2.5", "40", "7"]]
    for kind in "fi":
        assert controller.levels([[1, "pink", "7"], [1, None, "7"], [1, "red", 3]], kind) == [
            "reading 1 is pink, which is none of its categories",
            "reading 1 is missing",
            "reading 2 is out of range",
        ]
