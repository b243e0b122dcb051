"""A trained detector as a quantum circuit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...compiler.outputs import OutlierDetection
from .isometries import isometric, sequential
from .layout import Layout, lay_out
from .loading import loading_angles
from .refusal import refuse
from .results import share_of_zeros
from .unit_network import UnitNetwork, parted, task_of, unit_network

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def born_circuit(model: Any, *, reuse_qubits: bool = False) -> BornCircuit:
    """Turn a trained detector into a quantum circuit that computes the same likelihoods.

    The circuit prepares the state that the network is, rotates each feature's qubits by angles that
    depend on the feature's level, and measures all qubits. P0, the probability that all results are
    0, is the likelihood of the sample but for a factor that is known::

        score_samples(X) == log(P0) + log_offset(X)

    See docs/hybrid.md.

    Parameters
    ----------
    model : MPSAnomalyDetector, BoardAnomalyDetector, Pipeline, NetworkProgram, str or Path
        A fitted detector, whose network is taken as it was trained; a pipeline of any steps, or a
        search over parameters, that ends in one; or a quantised program for outlier detection, what
        holds it, or the file that it was saved to, whose rounded network is taken.
    reuse_qubits : bool, default=False
        False: one qubit for each feature (two for maps of three or four components, three for up to
        eight), all measured at the end. True: the qubits of a feature are measured, reset and taken
        for another feature, so that k qubits more than those of one feature are enough for
        bonds of 2^k; the processor must be able to measure and reset within a circuit.

    Returns
    -------
    BornCircuit
        The circuit, and what its results mean.

    Raises
    ------
    TypeError
        If the model is no detector. The message tells a classifier's chance of an answer.
    ValueError
        If the network is zero, or qubits are to be used again in a tree that is no chain.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSAnomalyDetector
    >>> from tensorspin.hybrid import born_circuit
    >>> x = np.random.default_rng(0).random(300)
    >>> X = np.stack([x, x], axis=1)  # two sensors that agree
    >>> detector = MPSAnomalyDetector(
    ...     bond_dim=2, feature_map="trigonometric", epochs=20, random_state=0
    ... ).fit(X)
    >>> program = born_circuit(detector)
    >>> program.n_qubits, program.two_qubit_gates
    (2, 1)
    >>> p0 = program.exact_probability(X)
    >>> bool(np.allclose(np.log(p0) + program.log_offset(X), detector.score_samples(X)))
    True
    """
    if not isinstance(reuse_qubits, (bool, np.bool_)):
        raise ValueError(f"reuse_qubits must be True or False, not {reuse_qubits!r}")
    front, known = parted(model)
    task = task_of(known)
    if not isinstance(task, OutlierDetection):
        refuse(known)
    return BornCircuit(unit_network(known).behind(front), task.offset, bool(reuse_qubits))


class BornCircuit:
    """A circuit that is a trained detector; `born_circuit` makes it.

    Parameters
    ----------
    network : UnitNetwork
        The detector's network.
    offset : float
        Log-likelihood in nats below which the detector takes a sample for an outlier.
    reuse_qubits : bool
        Whether qubits are measured, reset and used again.

    Attributes
    ----------
    layout : Layout
        The gates in the order of time.
    n_features : int
        Number of features that the circuit reads.
    n_qubits : int
        Number of qubits.
    n_bits : int
        Number of results that a shot gives.
    two_qubit_gates : int
        Number of two-qubit gates, as `circuit` has them: all to all, not routed.
    angle_table : ndarray of float64 of shape (256, angles)
        The angles that each level of a feature has.
    parameter_names : list of str
        Names of the circuit's parameters, sorted. All numbers in them have the same number of
        digits, so that sorting by name is sorting by feature.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSAnomalyDetector
    >>> from tensorspin.hybrid import born_circuit
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = MPSAnomalyDetector(
    ...     bond_dim=2, feature_map="trigonometric", epochs=5, random_state=0
    ... ).fit(X)
    >>> program = born_circuit(detector, reuse_qubits=True)
    >>> program
    BornCircuit(n_features=4, n_qubits=2, n_bits=4, reuse_qubits=True)
    >>> program.parameter_names
    ['x0', 'x1', 'x2', 'x3']
    >>> program.angles(X).shape
    (200, 4)
    >>> program.probability({"0000": 30, "0100": 70})
    0.3
    """

    def __init__(self, network: UnitNetwork, offset: float, reuse_qubits: bool = False):
        self.network = network
        self.offset = offset
        self.reuse_qubits = reuse_qubits
        self.n_features = len(network.read)
        tree = network.tree
        if reuse_qubits:
            tree, _ = isometric(sequential(tree))
        self.layout: Layout = lay_out(tree, network.site_qubits, reuse_qubits)
        self.n_qubits = self.layout.n_qubits
        self.n_bits = self.layout.n_bits
        each = (1 << network.site_qubits) - 1
        digits = len(str(self.n_features - 1))
        features = [f"x{feature:0{digits}d}" for feature in range(self.n_features)]
        if each > 1:
            parts = len(str(each - 1))
            features = [f"{name}_{part:0{parts}d}" for name in features for part in range(each)]
        self.parameter_names = features
        self.angle_table = loading_angles(network.vectors)

    def __repr__(self) -> str:
        return (
            f"BornCircuit(n_features={self.n_features}, n_qubits={self.n_qubits}, "
            f"n_bits={self.n_bits}, reuse_qubits={self.reuse_qubits})"
        )

    def angles(self, X: Any) -> np.ndarray:
        """Compute the parameters of the circuit for samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples as the detector takes them.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_parameters)
            Angles in radians, in the order of `parameter_names`.

        Raises
        ------
        ValueError
            If the detector refuses X.
        """
        levels, _ = self.network.encode(X)
        return self.angle_table[levels].reshape(len(levels), -1)

    def log_offset(self, X: Any) -> np.ndarray:
        """Compute the difference between the log-likelihoods of samples and log P0.

        It has the norms of the network and of the features' vectors, which a circuit can't have,
        and what a detector of many features takes from the likelihood of values at the ends of
        their range.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples as the detector takes them.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            ``score_samples(X) - log P0`` in nats; about -1e6 for a sample whose likelihood is 0
            whatever the circuit says, since a vector of its features is 0.
        """
        levels, damping = self.network.encode(X)
        return self.network.log_offsets(levels) - damping

    def threshold(self, X: Any) -> np.ndarray:
        """Compute the P0 below which each sample is an outlier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples as the detector takes them.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            ``exp(offset - log_offset(X))``: more than 1, at most infinite, if the sample is an
            outlier whatever the circuit says.
        """
        with np.errstate(over="ignore"):
            return np.exp(self.offset - self.log_offset(X))

    def exact_probability(self, X: Any) -> np.ndarray:
        """Compute P0 without any circuit, by contracting the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples as the detector takes them.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            The probability with which a processor without noise measures zeros only.
        """
        return self.network.probabilities(self.network.encode(X)[0])[:, 0]

    def probability(self, counts: Mapping[str | int, float] | Any) -> float | np.ndarray:
        """Estimate P0 from measured results.

        Parameters
        ----------
        counts : mapping, BitArray or SamplerPubResult
            How often each result came: keys are strings of `n_bits` zeros and ones, hexadecimal
            numbers ("0x0"), or integers. Or what a sampler of Qiskit returned for the circuit.

        Returns
        -------
        float or ndarray of float64
            Share of the shots whose results are all 0; for a BitArray of several samples an array
            of its shape.

        Raises
        ------
        ValueError
            If there are no shots, a count is negative or not finite, or a result has another
            number of bits.
        """
        return share_of_zeros(counts, self.n_bits)

    @cached_property
    def circuit(self) -> QuantumCircuit:
        """The circuit: a `qiskit.QuantumCircuit` with a register ``outcome`` of `n_bits` bits.

        Raises
        ------
        ImportError
            If Qiskit is not installed.
        """
        from .qiskit_circuit import qiskit_circuit

        return qiskit_circuit(self.layout, self.parameter_names)

    @property
    def two_qubit_gates(self) -> int:
        """Number of two-qubit gates."""
        gates = self.layout.gates
        if any(gate.name == "isometry" for gate in gates):
            return self.circuit.num_nonlocal_gates()
        return sum(gate.name == "cx" for gate in gates)

    def qasm3(self) -> str:
        """Write the circuit in OpenQASM 3.

        Its parameters are declared as ``input float[64]`` with the names `parameter_names`.

        Returns
        -------
        str
            The program.

        Raises
        ------
        ImportError
            If Qiskit is not installed.
        """
        from .qiskit_circuit import qiskit_module

        return qiskit_module("qiskit.qasm3").dumps(self.circuit)
