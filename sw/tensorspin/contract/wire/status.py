"""The counters and states of a device, as its reply to STATUS gives them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

STATUS = struct.Struct("<BIHHHIIHBB")
"""The fields of `DeviceStatus`, in their order."""


@dataclass(frozen=True)
class DeviceStatus:
    """The reply to STATUS: counters, and states of the engines.

    Fields of an engine that the device lacks are 0.

    Parameters
    ----------
    active : bool
        A whole model is loaded, so that RUN is possible.
    digest : int
        The digest that was given with the model.
    damaged : int
        Frames rejected since configuration as `packets.RejectReason.DAMAGED`, modulo 2**16.
    out_of_sequence : int
        Frames rejected as `packets.RejectReason.SEQUENCE`, modulo 2**16. Frames outside of a
        session are not counted, here and in `overflows`.
    overflows : int
        Frames rejected as `packets.RejectReason.OVERFLOW`, modulo 2**16.
    samples : int
        Samples contracted since configuration, modulo 2**32.
    busy_cycles : int
        Clock cycles since configuration in which the contractor worked, whatever the number of
        samples that it contracted at a time, modulo 2**32.
    step : int
        Index of the step of the schedule that the annealer is in; 0 if there is no run.
    annealing : bool
        A run of the annealer is under way.
    cleared : bool
        The annealer's memories have been cleared since configuration. A restart loses this bit and
        a new session does not. So a host that has cleared the memories knows, as long as the bit
        stands, that the device was not restarted and still holds what the host has written since.

    Examples
    --------
    >>> status = DeviceStatus(active=True, digest=0x1234, samples=7)
    >>> DeviceStatus.unpack(status.pack()) == status
    True
    """

    active: bool = False
    digest: int = 0
    damaged: int = 0
    out_of_sequence: int = 0
    overflows: int = 0
    samples: int = 0
    busy_cycles: int = 0
    step: int = 0
    annealing: bool = False
    cleared: bool = False

    def pack(self) -> bytes:
        """Make the bytes that follow the status byte in the reply to STATUS.

        Returns
        -------
        bytes
            The fields by the layout `STATUS`.
        """
        return STATUS.pack(
            self.active,
            self.digest,
            self.damaged,
            self.out_of_sequence,
            self.overflows,
            self.samples,
            self.busy_cycles,
            self.step,
            self.annealing,
            self.cleared,
        )

    @classmethod
    def unpack(cls, payload: bytes) -> DeviceStatus:
        """Read a packed status: the inverse of `pack`.

        Parameters
        ----------
        payload : bytes
            What follows the status byte in the reply to STATUS.

        Returns
        -------
        DeviceStatus
            The status.

        Raises
        ------
        ValueError
            If the payload is not as long as a status.
        """
        if len(payload) != STATUS.size:
            raise ValueError(f"a status of {len(payload)} bytes, not {STATUS.size}")
        active, digest, *counters, annealing, cleared = STATUS.unpack(payload)
        damaged, out_of_sequence, overflows, samples, busy_cycles, step = counters
        return cls(
            bool(active),
            digest,
            damaged,
            out_of_sequence,
            overflows,
            samples,
            busy_cycles,
            step,
            bool(annealing),
            bool(cleared),
        )
