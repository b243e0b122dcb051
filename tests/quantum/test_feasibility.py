"""A report with a sampler that runs."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from qiskit.primitives import StatevectorSampler

from tensorspin.cli.main import main
from tensorspin.contract.device import find_board
from tensorspin.errors import TensorspinError
from tensorspin.feasibility.barriers import LINKS, Sampler, Task, assess, real
from tensorspin.feasibility.barriers.encoding import price_of
from tensorspin.hybrid import SNAPSHOTS, born_circuit

from ..support.born_machines import detector, samples
from .samplers import aer_with_noise

X = np.concatenate([samples(3)[:20], np.random.default_rng(1).uniform(-4, 4, (20, 3))])


def task(**changes):
    program = detector(3).quantize()
    board, noise = find_board("icebreaker"), SNAPSHOTS["boston"]
    return Task(program, X, np.arange(40) >= 20, 30.0, board, noise, **changes)


def test_what_a_sampler_does_is_measured():
    found = assess(task(shots=1000), Sampler("mine", StatevectorSampler(seed=1)))
    latency, noise = found.barriers["latency"].rows, found.barriers["noise"].rows
    assert latency["answers within the deadline"].kind == "measured"
    assert latency["device, median"].number > 0
    error = noise["error of P0, mine"]
    assert error.kind == "measured" and 0 < error.number < 0.03
    assert found.verdict.answer == "hybrid"
    assert found.barriers["tooling"].rows["sampler that ran"].value == "mine"


def test_a_link_is_modelled_beside_it():
    sampler = Sampler("mine", StatevectorSampler(seed=1))
    found = assess(task(link=LINKS["lora"]), sampler).barriers["latency"].rows
    assert found["link, median"].kind == "modelled" and found["link, median"].number > 3
    assert found["whole request, median"].kind == "modelled"
    assert found["whole request, median"].number > 3
    assert found["device, median"].kind == "measured"


def test_noise_of_a_backend_shows(monkeypatch):
    monkeypatch.setattr(real, "MOST_SECONDS", 0.5)
    sampler, backend = aer_with_noise()
    found = assess(task(shots=1000), Sampler("noisy", sampler, backend)).barriers["noise"].rows
    assert found["error of P0, noisy"].number > 0.005


def test_a_sampler_that_fails_is_an_error():
    class Broken:
        def run(self, pubs, *, shots=None):
            raise RuntimeError("no such\n account")

    with pytest.raises(TensorspinError, match="the sampler mine failed: no such account"):
        assess(task(), Sampler("mine", Broken()))


def test_a_sampler_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(real, "LONGEST", 0.2)
    hangs = threading.Event()

    class Hanging:
        def run(self, pubs, *, shots=None):
            hangs.wait(60)

    with pytest.raises(TensorspinError, match="mine has not answered within 0.2 s"):
        assess(task(), Sampler("mine", Hanging()))
    hangs.set()


def test_a_slow_sampler_measures_more_samples_in_one_job(monkeypatch):
    monkeypatch.setattr(real, "MOST_SECONDS", 0.0)
    sizes = []

    class Slow(StatevectorSampler):
        def run(self, pubs, *, shots=None):
            sizes.extend(len(next(iter(values.values()))) for _, values in pubs)
            return super().run(pubs, shots=shots)

    found = assess(task(), Sampler("mine", Slow(seed=1)))
    assert sizes == [1, 1, 40]
    assert "mine, 40 samples" in found.barriers["noise"].rows["error of P0, mine"].source
    assert "mine, 1 requests" in found.barriers["latency"].rows["device, median"].source


def test_with_qiskit_all_gates_are_counted():
    circuit = born_circuit(detector(4, bond_dim=4))
    price = price_of(circuit, SNAPSHOTS["boston"])
    assert price.exact and price.two_qubit_gates == circuit.two_qubit_gates


def test_the_command_takes_a_sampler(capsys, tmp_path):
    detector(3).quantize().save(tmp_path / "detector.npz")
    np.savez(tmp_path / "data.npz", X_train=X, y_train=np.repeat([0, 1], 20))
    words = ["feasibility", tmp_path / "detector.npz", "--data", tmp_path / "data.npz", "--all"]
    words += ["--deadline", 30, "--sampler", "qiskit.primitives:StatevectorSampler"]
    assert main([str(word) for word in words]) == 0
    out = capsys.readouterr().out
    assert "| answers within the deadline | 100.0% | measured |" in out
