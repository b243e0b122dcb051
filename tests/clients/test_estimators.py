"""Each kind of estimator, exported, says the same on every client as on the host."""

import numpy as np
import pytest

import tensorspin
from tensorspin import EnsembleClassifier, MPSAnomalyDetector, MPSRegressor, TTNClassifier
from tensorspin.compiler.outputs import Classification, OutlierDetection
from tensorspin.contract.device.boards import find_board
from tensorspin.driver.transports import open_transport
from tensorspin.errors import TransportError
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Client
from ..support.c_lines import PinsLine
from .micropython import expected, exported, opened
from .test_levels import Levels

BOARD = find_board("icebreaker_spi")
rng = np.random.default_rng(0)
X = np.rint(rng.normal(0, 20, (60, 5)))
CLASSES = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-8, 8])]
ESTIMATORS = {
    "tree": lambda: TTNClassifier(3, epochs=1, random_state=0).fit(X, CLASSES),
    "ensemble": lambda: EnsembleClassifier(epochs=1, random_state=0).fit(X, CLASSES),
    "regressor": lambda: MPSRegressor(3, epochs=1, random_state=0).fit(X, 9 * X[:, 1] - X[:, 2]),
    "detector": lambda: MPSAnomalyDetector(3, epochs=1, random_state=0).fit(X),
}


@pytest.fixture(scope="module", params=ESTIMATORS)
def program(request):
    return tensorspin.models.quantize(ESTIMATORS[request.param]())


@pytest.fixture(scope="module")
def line():
    try:
        transport = open_transport("sim://icebreaker_spi")
    except TransportError as error:
        pytest.skip(str(error))
    yield PinsLine(transport._controller._pins)
    transport.close()


def answers(client, program, levels):
    found = []
    for sample in levels:
        status, result = client.run(sample)
        assert status == c_client.OK
        scores = list(result.scores[: program.n_outputs])
        found.append([scores, result.exponent, result.best, result.cycles])
    return found


def test_answers_of_all_clients(connect, line, program, tmp_path):
    samples = X[:6].astype(np.int16)
    levels, model = program.levels(samples), ClientModel(program, BOARD)
    make = Levels(program, tmp_path)
    assert [make(sample)[1].tolist() for sample in samples] == levels.tolist()
    wanted = expected(program, levels)

    software, board = Client(), Client(line)
    assert board.open() == c_client.OK
    for client in (software, board):
        assert client.load(model) == c_client.OK
    assert answers(board, program, levels) == wanted and board.faults == 0
    assert answers(software, program, levels) == [[*answer[:3], 0] for answer in wanted]

    controller = opened(connect(), exported(tmp_path, program))
    assert controller.levels(samples.tolist(), "h") == levels.tolist()
    assert controller.passes() and controller.run(levels.tolist()) == wanted
    told = controller.interpret(levels.tolist())
    host = program.interpret(
        np.array([answer[0] for answer in wanted]), np.array([answer[1] for answer in wanted])
    )
    if isinstance(program.task, Classification):
        assert told == [str(label) for label in host]
    elif isinstance(program.task, OutlierDetection):
        assert [flag for flag, *_ in told] == [label < 0 for label in host]
    else:
        assert told == pytest.approx(host.tolist(), rel=1e-5)
