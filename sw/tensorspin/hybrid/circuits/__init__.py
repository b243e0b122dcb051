"""Trained networks as quantum circuits, in NumPy but for Qiskit's own form of them.

==================  ==========================================================================
module              what it has
==================  ==========================================================================
`circuit`           a trained detector as a circuit, and what the circuit's results mean
`unit_network`      the network and its features' vectors, divided by their norms
`isometries`        trees of isometries; `gates`: what these are made of; `loading`: features
`layout`            which qubit holds what, and when; `qiskit_circuit`: the same in Qiskit
`results`           from counts to probabilities
`noise`             what a processor with errors would measure, exactly
`picture`           the picture of docs/hybrid.md
`refusal`           why a classifier is no circuit; `classes`: one circuit for each class
==================  ==========================================================================
"""

from __future__ import annotations

__all__: list[str] = []  # tensorspin.hybrid has the public names
