"""Samplers for an appliance in tests, named as ``--sampler tests.support.samplers:NAME``.

The appliance runs in another process, so that what they do is chosen by name.
"""

from __future__ import annotations

import os
import time

import numpy as np
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

WAIT = 0.3
"""Seconds that a slow sampler takes."""


class _Job:
    def __init__(self, results):
        self._results = results

    def result(self):
        return PrimitiveResult(self._results)


class Echo:
    """Measures, in each shot, the whole number that is the parameter of the first gate with one."""

    seconds = 0.0

    def run(self, pubs, *, shots=None):
        time.sleep(self.seconds)
        return _Job([self._pub(SamplerPub.coerce(pub, shots)) for pub in pubs])

    def _pub(self, pub):
        values = np.zeros((*pub.shape, 1))
        names = list(pub.circuit.parameters)
        used = [
            name
            for instruction in pub.circuit.data
            for value in instruction.operation.params
            for name in value.parameters
        ]
        if used:
            place = names.index(used[0])
            values = pub.parameter_values.as_array(names)[..., place : place + 1]
        self.check(values)
        data = {}
        for register in pub.circuit.cregs:
            size = -(-register.size // 8)
            numbers = values[..., 0].astype(np.int64)
            bytes_ = [(numbers >> 8 * (size - 1 - place)) & 255 for place in range(size)]
            row = np.stack(bytes_, axis=-1).astype(np.uint8)
            shots = np.repeat(row[..., None, :], pub.shots, axis=-2)
            data[register.name] = BitArray(shots, register.size)
        return SamplerPubResult(DataBin(**data, shape=pub.shape))

    def check(self, values):
        """Whatever a sampler may complain of."""


class Slow(Echo):
    """Takes a while."""

    seconds = WAIT


class Stuck(Echo):
    """Does not come back."""

    seconds = 1000.0


class Failing(Echo):
    """Fails if the first value is negative, and gives too few shots if it is over 100."""

    def check(self, values):
        if (values < 0).any():
            raise RuntimeError("the cryostat is warm")

    def _pub(self, pub):
        result = super()._pub(pub)
        if pub.circuit.parameters and pub.parameter_values.as_array().max() > 100:
            fewer = {
                name: array.slice_shots(range(array.num_shots - 1))
                for name, array in result.data.items()
            }
            return SamplerPubResult(DataBin(**fewer, shape=pub.shape))
        return result


class NoReset(Echo):
    """A processor of five qubits that cannot reset them."""

    def __init__(self):
        from qiskit.providers.fake_provider import GenericBackendV2

        self.backend = GenericBackendV2(5, seed=1)
        self.backend.target._gate_map.pop("reset", None)


def pid_of_this_process():
    """A wrong sampler."""
    return os.getpid()
