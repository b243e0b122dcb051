"""A model that the C driver tests every so often, loads again, or else computes in software."""

import ctypes

import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.contract.wire.packets import DeviceStatus, Status
from tensorspin.export.model import ClientModel

from ..support import c_client
from ..support.c_client import Client, Model, Result
from ..support.c_lines import GoldenLine
from ..support.loaded_programs import chain_program, cycles_of, golden_answers, random_levels
from ..support.wrong_answers import in_other_cycles, of_another_score, spoil_answers

BOARD = find_board("icebreaker_spi")
PROGRAM, LEVELS = chain_program(12, n_outputs=10, bond=8), random_levels(6, 12)
ALWAYS = 1 << 30


class Test(ctypes.Structure):
    __test__ = False
    _fields_ = [
        ("levels", ctypes.c_char_p),
        ("scores", ctypes.POINTER(ctypes.c_int16)),
        ("numbers", ctypes.POINTER(ctypes.c_uint16)),
        ("count", ctypes.c_uint16),
    ]


class Checked(ctypes.Structure):
    _fields_ = [
        ("device", ctypes.c_void_p),
        ("model", ctypes.POINTER(Model)),
        ("test", ctypes.POINTER(Test)),
        ("fallback", ctypes.c_void_p),
        ("every", ctypes.c_uint32),
        ("error", ctypes.c_int),
        ("loaded", ctypes.c_bool),
        ("left", ctypes.c_uint32),
    ]


class CheckedClient:
    """A device with its tests, and perhaps a fallback."""

    def __init__(self, every, fallback=False):
        self.line = GoldenLine(BOARD)
        self.client = Client(self.line)
        assert self.client.open() == c_client.OK
        model = ClientModel(PROGRAM, BOARD)
        tests = model.self_tests
        scores = [score for each in tests for score in each.scores]
        numbers = [number for each in tests for number in (each.exponent, each.best)]
        self.known = Test(
            b"".join(each.levels for each in tests),
            (ctypes.c_int16 * len(scores))(*scores),
            (ctypes.c_uint16 * len(numbers))(*numbers),
            len(tests),
        )
        self.model, self.software = Model.of(model), Client() if fallback else None
        self.checked = Checked(
            ctypes.addressof(self.client._memory),
            ctypes.pointer(self.model),
            ctypes.pointer(self.known),
            ctypes.addressof(self.software._memory) if fallback else None,
            every,
        )
        self.golden = golden_answers(PROGRAM, LEVELS).scores

    def run(self, index=0):
        """Status and cycles of a sample, whose scores are right if there are any."""
        result = Result()
        status = self.client.library.tensorspin_run_checked(
            ctypes.byref(self.checked), LEVELS[index].tobytes(), ctypes.byref(result)
        )
        if status == c_client.OK:
            assert list(result.scores[: PROGRAM.n_outputs]) == self.golden[index].tolist()
        return status, result.cycles

    @property
    def samples(self):
        return DeviceStatus.unpack(self.client.status()[1]).samples


TAKEN = cycles_of(PROGRAM, BOARD.require_contractor())


@pytest.mark.parametrize("every", [0, 1, 3])
def test_a_model_is_tested_when_it_is_loaded_and_every_so_many_samples(every):
    device = CheckedClient(every)
    for count in range(1, 8):
        assert device.run(count % 6) == (c_client.OK, TAKEN)
        tests = 1 + (count - 1) // every if every else 1
        assert device.samples == count + tests * device.known.count
    assert device.checked.error == c_client.OK


@pytest.mark.parametrize("fallback", [False, True])
def test_a_test_that_fails_loads_the_model_again(monkeypatch, fallback):
    device = CheckedClient(2, fallback)
    assert [device.run()[0] for _ in range(2)] == [0, 0]
    before = device.line.bytes
    spoil_answers(monkeypatch, of_another_score, 1)
    assert device.run() == (c_client.OK, TAKEN)
    assert device.line.bytes - before > device.model.image_bytes
    assert [device.run()[0] for _ in range(5)] == [0] * 5


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("sample", [0, 15])
def test_a_test_compares_exponent_and_class_of_each_sample(sample, place):
    device = CheckedClient(0)
    assert device.known.count == 16
    device.known.numbers[2 * sample + place] ^= 1
    assert device.run()[0] == c_client.WRONG_ANSWER


def test_a_device_that_finds_itself_corrupt_is_loaded_again(monkeypatch):
    device = CheckedClient(0)
    assert device.run() == (c_client.OK, TAKEN)
    before = device.samples
    spoil_answers(monkeypatch, lambda *said: (Status.CORRUPT, b""), 1)
    assert device.run() == (c_client.OK, TAKEN)
    assert device.samples - before == 1 + device.known.count + 1


def test_a_device_that_was_reset_is_loaded_again():
    device = CheckedClient(0)
    assert device.run() == (c_client.OK, TAKEN)
    device.line.reset()
    assert device.run() == (c_client.OK, TAKEN)


@pytest.mark.parametrize(("spoil", "error"), [(of_another_score, -12), (in_other_cycles, -13)])
def test_a_device_that_stays_wrong_is_told(monkeypatch, spoil, error):
    device = CheckedClient(2)
    spoil_answers(monkeypatch, spoil, ALWAYS)
    assert device.run()[0] == error == device.checked.error
    monkeypatch.undo()
    assert device.run() == (c_client.OK, TAKEN)
    assert device.checked.error == c_client.OK


def test_the_fallback_answers_until_the_device_is_tried_again(monkeypatch):
    device = CheckedClient(3, fallback=True)
    assert device.run() == (c_client.OK, TAKEN)
    spoil_answers(monkeypatch, in_other_cycles, ALWAYS)
    assert device.run(1) == (c_client.OK, 0)
    assert device.checked.error == c_client.FAULT
    before = device.line.bytes
    assert [device.run(index) for index in range(3)] == [(c_client.OK, 0)] * 3
    assert device.line.bytes == before  # it rests
    monkeypatch.undo()
    assert device.run(2) == (c_client.OK, TAKEN)
    assert device.checked.error == c_client.OK
