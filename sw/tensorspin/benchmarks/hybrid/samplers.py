"""The simulated processor of the benchmark, which an appliance names by module and function."""

from __future__ import annotations

from typing import Any

from ...hybrid import SNAPSHOTS

SEED = 1
"""Seed of the simulator."""


def heron() -> Any:
    """Make a sampler with the errors of ibm_boston, a Heron processor, in April 2026.

    Returns
    -------
    qiskit_aer.primitives.SamplerV2
        A simulator with depolarising and readout errors, in which all qubits are neighbours.
    """
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error
    from qiskit_aer.primitives import SamplerV2

    told = SNAPSHOTS["boston"]
    noise = NoiseModel(basis_gates=["cz", "rz", "sx", "x"])
    # A depolarised state is the right one by chance: in one of two dimensions, or of four.
    two, one = 4 / 3 * told.two_qubit_error, 2 * told.one_qubit_error
    noise.add_all_qubit_quantum_error(depolarizing_error(two, 2), ["cz", "cx"])
    noise.add_all_qubit_quantum_error(depolarizing_error(one, 1), ["sx", "x"])
    right, wrong = 1 - told.readout_error, told.readout_error
    noise.add_all_qubit_readout_error(ReadoutError([[right, wrong], [wrong, right]]))
    return SamplerV2(seed=SEED, options={"backend_options": {"noise_model": noise}})
