"""What a noisy processor would measure: exact P0 under a model of its errors.

Each gate is followed by a depolarising error of the size that the processor's calibration reports,
and each result is flipped with the reported probability of a readout error. Errors of idle qubits,
crosstalk, leakage and drift are left out, and the circuit is taken as it is, not routed: numbers
from here are *modelled*. The state is a density matrix, so there is no sampling in them.

Only the rotations at the end differ between samples. So the network's state is prepared once, and
each sample costs the product with one small matrix for each feature, which tells how probable 0 is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Real
from typing import Any

import numpy as np

from .circuit import BornCircuit
from .gates import Gate, applied, matrix_of
from .isometries import leaves
from .loading import loading_gates

MOST_QUBITS = 10
"""Most qubits of a density matrix: 16 MB."""

MOST_NUMBERS = 1 << 22
"""Numbers that are computed at once at most."""


@dataclass(frozen=True)
class NoiseSnapshot:
    """Errors of a processor on some day.

    Parameters
    ----------
    name : str
        The processor.
    date : str
        Day of the calibration, year-month-day.
    two_qubit_error, one_qubit_error : float
        Average gate infidelity of a two-qubit gate and of a rotation of one qubit by 90 degrees, 0
        to 0.5.
    readout_error : float
        Probability that a result is wrong, 0 to 0.5.
    two_qubit_seconds, one_qubit_seconds, readout_seconds : float
        How long they take, in seconds.
    source : str
        Where the numbers are from.

    Examples
    --------
    >>> from tensorspin.hybrid import SNAPSHOTS
    >>> SNAPSHOTS["boston"].date, SNAPSHOTS["boston"].two_qubit_error
    ('2026-04-17', 0.001275)
    """

    name: str
    date: str
    two_qubit_error: float
    one_qubit_error: float
    readout_error: float
    two_qubit_seconds: float = 0.0
    one_qubit_seconds: float = 0.0
    readout_seconds: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("two_qubit_error", "one_qubit_error", "readout_error"):
            value = getattr(self, name)
            if (
                not isinstance(value, Real)
                or isinstance(value, bool)
                or not 0 <= float(value) <= 0.5
            ):
                raise ValueError(f"{name} must be a number from 0 to 0.5, not {value!r}")

    @classmethod
    def of_backend(cls, backend: Any) -> NoiseSnapshot:
        """Take the medians of a backend's own calibration.

        Parameters
        ----------
        backend : qiskit.providers.BackendV2
            A backend whose target has errors.

        Returns
        -------
        NoiseSnapshot
            The medians over all qubits and pairs; the date is empty if the backend has none.

        Raises
        ------
        ValueError
            If the backend has no errors of measurements or two-qubit gates.
        """
        target = backend.target
        kinds: dict[int | str, list[tuple[float, float]]] = {1: [], 2: [], "measure": []}
        for name in target.operation_names:
            for qubits, known in (target[name] or {}).items():
                if qubits is None or known is None or known.error is None or not known.duration:
                    continue
                if name in ("delay", "id", "reset"):
                    continue
                kind = name if name == "measure" else len(qubits)
                if kind in kinds:
                    kinds[kind].append((float(known.error), float(known.duration)))
        if not kinds[2] or not kinds["measure"]:
            raise ValueError(f"{backend!r} tells no errors of its gates and measurements")
        medians = {
            kind: np.median(found, axis=0).tolist() if found else [0.0, 0.0]
            for kind, found in kinds.items()
        }
        properties = getattr(backend, "properties", None)
        known = properties() if callable(properties) else None
        date = getattr(known, "last_update_date", None)
        (two, two_seconds), (one, one_seconds) = medians[2], medians[1]
        readout, readout_seconds = medians["measure"]
        return cls(
            str(backend.name),
            "" if date is None else f"{date:%Y-%m-%d}",
            two_qubit_error=min(two, 0.5),
            one_qubit_error=min(one, 0.5),
            readout_error=min(readout, 0.5),
            two_qubit_seconds=two_seconds,
            one_qubit_seconds=one_seconds,
            readout_seconds=readout_seconds,
            source="medians of the backend's calibration",
        )


_SOURCE = "medians of the calibration in qiskit-ibm-runtime 0.51"

SNAPSHOTS = {
    "sherbrooke": NoiseSnapshot(
        *("ibm_sherbrooke (Eagle)", "2025-02-26", 0.007788, 0.000236, 0.019775),
        *(533e-9, 57e-9, 1.216e-6),
        source=_SOURCE,
    ),
    "marrakesh": NoiseSnapshot(
        *("ibm_marrakesh (Heron)", "2025-02-26", 0.003295, 0.00023, 0.009521),
        *(68e-9, 36e-9, 2.584e-6),
        source=_SOURCE,
    ),
    "boston": NoiseSnapshot(
        *("ibm_boston (Heron)", "2026-04-17", 0.001275, 0.000145, 0.005127),
        *(68e-9, 32e-9, 2.2e-6),
        source=_SOURCE,
    ),
}
"""Processors of three generations, each on one day: *cited*, not measured here."""


def noisy_probability(circuit: BornCircuit, X: Any, noise: NoiseSnapshot) -> np.ndarray:
    """Compute P0 of samples on a processor with errors, without sampling.

    Parameters
    ----------
    circuit : BornCircuit
        A circuit of at most 10 qubits that does not use qubits again. Bonds beyond 2, and maps of
        three components and more, need Qiskit to be turned into two-qubit gates.
    X : array-like of shape (n_samples, n_features)
        Samples as the detector takes them.
    noise : NoiseSnapshot
        The errors.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
        Probability that all results are 0.

    Raises
    ------
    TypeError
        If the noise is no `NoiseSnapshot`.
    ValueError
        If the circuit has more qubits, or uses some again, or the detector refuses X.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSAnomalyDetector
    >>> from tensorspin.hybrid import SNAPSHOTS, born_circuit, noisy_probability
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = MPSAnomalyDetector(
    ...     bond_dim=2, feature_map="trigonometric", epochs=5, random_state=0
    ... ).fit(X)
    >>> circuit = born_circuit(detector)
    >>> noisy = noisy_probability(circuit, X, SNAPSHOTS["boston"])
    >>> bool(np.abs(noisy - circuit.exact_probability(X)).max() < 0.03)
    True
    """
    if not isinstance(noise, NoiseSnapshot):
        raise TypeError(f"noise must be a NoiseSnapshot such as SNAPSHOTS['boston'], not {noise!r}")
    if circuit.reuse_qubits:
        raise ValueError("noise is modelled for circuits that don't use qubits again")
    if circuit.n_qubits > MOST_QUBITS:
        raise ValueError(
            f"noise is modelled for at most {MOST_QUBITS} qubits, not {circuit.n_qubits}"
        )
    gates = circuit.layout.preparation
    if any(gate.name == "isometry" for gate in gates):
        from .qiskit_circuit import decomposed

        gates = decomposed(gates)
    state = _noisy_state(gates, circuit.n_qubits, circuit.network.site_qubits, noise)
    tests = _tests_of_levels(circuit, noise)
    levels, _ = circuit.network.encode(X)
    return _contracted(state, tests, levels[:, leaves(circuit.network.tree)])


def _noisy_state(
    gates: Sequence[Gate], n_qubits: int, site_qubits: int, noise: NoiseSnapshot
) -> np.ndarray:
    """Return the density matrix, (size, size), behind gates that have errors.

    Rotations of one qubit that follow each other are one gate of two pulses. Its error is counted
    where a two-qubit gate follows; where the loading of a feature goes on with a rotation, the
    error is counted there.
    """
    size = 1 << n_qubits
    state = np.zeros((size, size), dtype=complex)
    state[0, 0] = 1
    turned: set[int] = set()
    for gate in gates:
        if gate.name == "cx":
            for qubit in turned.intersection(gate.qubits):
                state = _depolarised(state, (qubit,), 2 * noise.one_qubit_error)
            turned.difference_update(gate.qubits)
        matrix = matrix_of(gate)
        # Rows and columns are the upper and the lower half of twice as many qubits.
        rows = [qubit + n_qubits for qubit in gate.qubits]
        flat = applied(matrix, state.reshape(-1), rows)
        state = applied(matrix.conj(), flat, gate.qubits).reshape(size, size)
        if gate.name == "cx":
            state = _depolarised(state, gate.qubits, noise.two_qubit_error)
        else:
            turned.update(gate.qubits)
    firsts = {qubit: gate.name for gate in reversed(_loading(site_qubits)) for qubit in gate.qubits}
    for qubit in turned:
        if firsts[qubit % site_qubits] == "cx":
            state = _depolarised(state, (qubit,), 2 * noise.one_qubit_error)
    return state


def _loading(site_qubits: int) -> list[Gate]:
    return loading_gates(range(site_qubits), 0)


def _tests_of_levels(circuit: BornCircuit, noise: NoiseSnapshot) -> np.ndarray:
    """Return the operator, (256, size, size), whose mean is how probable 0 is after loading.

    The last gates come first: an operator of the results is carried back to the network's state.
    """
    n_qubits = circuit.network.site_qubits
    right = np.array([1 - noise.readout_error, noise.readout_error])
    diagonal = reduce(np.kron, [right] * n_qubits)
    tests = np.repeat(np.diag(diagonal)[None], len(circuit.angle_table), axis=0)
    turned: set[int] = set()
    for gate in reversed(_loading(n_qubits)):
        if gate.name == "cx":
            turned.difference_update(gate.qubits)
            tests = _depolarised(tests, gate.qubits, noise.two_qubit_error)
            matrices = _embedded(matrix_of(gate)[None], gate.qubits, n_qubits)
        else:
            if gate.qubits[0] not in turned:
                tests = _depolarised(tests, gate.qubits, 2 * noise.one_qubit_error)
            turned.update(gate.qubits)
            angles = circuit.angle_table[:, gate.parameter]
            rotations = np.stack([matrix_of(Gate("ry", (0,), (angle,))) for angle in angles])
            matrices = _embedded(rotations, gate.qubits, n_qubits)
        tests = matrices.transpose(0, 2, 1) @ tests @ matrices
    return tests


def _embedded(matrices: np.ndarray, qubits: Sequence[int], n_qubits: int) -> np.ndarray:
    """Let matrices of some qubits act on all qubits."""
    unit = np.eye(1 << n_qubits)
    columns = [[applied(matrix, column, qubits) for column in unit] for matrix in matrices]
    return np.array(columns).transpose(0, 2, 1)


def _depolarised(matrices: np.ndarray, qubits: Sequence[int], error: float) -> np.ndarray:
    """Mix operators, (..., size, size), with those that know nothing of some qubits.

    The average infidelity of a gate of d states is ``p (d - 1) / d`` for a mixture of p.
    """
    states = 1 << len(qubits)
    share = min(error * states / (states - 1), 1.0)
    mixed = matrices
    for qubit in qubits:
        size = mixed.shape[-1]
        low, high = 1 << qubit, size >> qubit + 1
        parts = mixed.reshape(-1, high, 2, low, high, 2, low)
        mean = (parts[:, :, 0, :, :, 0] + parts[:, :, 1, :, :, 1]) / 2
        blank = np.zeros_like(parts)
        blank[:, :, 0, :, :, 0] = blank[:, :, 1, :, :, 1] = mean
        mixed = blank.reshape(matrices.shape)
    return (1 - share) * matrices + share * mixed


def _contracted(state: np.ndarray, tests: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Compute the mean of the product of one test for each leaf; `levels` are those of leaves."""
    n_leaves, size = levels.shape[1], tests.shape[-1]
    # Row and column of each leaf side by side; the last leaf has the highest bits.
    axes = [axis for leaf in range(n_leaves) for axis in (leaf, n_leaves + leaf)]
    start = state.reshape((size,) * 2 * n_leaves).transpose(axes).reshape(size * size, -1)
    flat = tests.transpose(0, 2, 1).reshape(len(tests), -1)
    batch = max(1, MOST_NUMBERS // start.shape[1])
    found = np.empty(len(levels))
    for first in range(0, len(levels), batch):
        part = levels[first : first + batch]
        result = flat[part[:, -1]] @ start
        for leaf in reversed(range(n_leaves - 1)):
            result = result.reshape(len(part), size * size, -1)
            result = np.einsum("np,npq->nq", flat[part[:, leaf]], result)
        found[first : first + batch] = result[:, 0].real
    return np.clip(found, 0, 1)
