"""Requests and replies: what the packets between host and device mean.

A packet is ``type, sequence, length, payload, CRC`` in one frame; `tensorspin.contract.wire.frames`
makes and reads it. All numbers are little-endian. The host sends requests; the device answers each
by one reply, or rejects the frame. The rules:

- The device executes a request only if its CRC is right and its sequence number is the one that the
  device expects. So a packet that was damaged, lost, repeated or cut short is never applied, not
  even in part. HELLO is accepted at any sequence number and sets the next one that is expected.
- Requests are executed in the order of their numbers. Each gets one reply, which carries the
  request's number and starts with a `Status`. Replies are sent in the same order, with three
  exceptions that overtake results which are not ready yet: the reply to FEATURES, the refusal of a
  RUN, and a REJECT.
- The device answers a frame that it does not execute by a REJECT, which carries the sequence number
  that the device expects. The host resends from that number on, without waiting for a time-out.
- After configuration or reset a device accepts nothing but a HELLO. It rejects all other intact
  frames, whatever their number, with `RejectReason.NO_SESSION`, and its REJECTs carry number 0. So
  a host whose requests are executed without a new HELLO knows that the device was not restarted.
- A lost reply is not sent again. Instead, the host may repeat any request under a new number, with
  the same effect, and the device keeps no memory of what it has answered.
- An ANNEAL is answered as soon as the run has started. While the run goes on, the device refuses
  READs and WRITEs of the annealer's memories with `Status.BUSY` and executes everything else;
  STATUS tells when the run has ended. A HELLO or another ANNEAL stops the run. A HELLO does not
  change what has been written to the annealer's memories.
- The host keeps at most `DeviceDescription.receive_bytes` bytes of request bodies without a reply,
  which is the size of the device's receive buffer.
- A host and a device of different versions of the protocol do not talk to each other: the reply to
  HELLO begins with the version in all versions, and the host refuses any but its own
  (`tensorspin.contract.device.description.OtherProtocolError`).
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

PROTOCOL_VERSION = 3
"""Version of everything in this module, in `tensorspin.contract.wire.frames` and in the memory
layouts of the engines. It must change whenever an older device or host would misunderstand the
other."""

REPLY = 0x80
"""Bit that is set in the type of a reply and clear in that of a request."""


class PacketType(enum.IntEnum):
    """Type of a request; its reply has the same type with `REPLY` set."""

    HELLO = 0x01
    """Begins a session: the device forgets a sample begun and stops an annealer's run. No payload.
    Reply: `Status`, then a `tensorspin.contract.device.description.DeviceDescription`."""
    STATUS = 0x02
    """Asks for the device's counters. No payload. Reply: `Status`, then a `DeviceStatus`."""
    WRITE = 0x03
    """Writes bytes to a memory. Payload: `MEMORY`, then at least one byte of data. If the memory is
    the contractor's, the model on the device is no longer active; if it has halves, the model in
    the half that is written, or that of `BOTH`. Reply: `Status`."""
    READ = 0x04
    """Reads bytes of a memory. Payload: `MEMORY`, `READ_COUNT`. Reply: `Status`, then the data."""
    ACTIVATE = 0x05
    """Declares that the contractor's memories hold a whole model, which RUN may use. Payload:
    `ACTIVATE`, on a locked device `tensorspin.contract.contractor.lock.LOCKED_ACTIVATE`. Reply:
    `Status`."""
    FEATURES = 0x06
    """Brings a part of a sample, not its last: the levels (one byte for each feature) of features
    that follow on each other. Payload: `OFFSET`, then the levels. Reply: `Status`."""
    RUN = 0x07
    """Brings the last part of a sample, or all of it, and contracts the sample. Payload: `OFFSET`,
    to which `SINGLE` may be added, then levels. Reply: `Status`, the scores (int16 each),
    `RESULT`; where the model was activated with `BOTH`, then scores and `RESULT` of the other half.
    """
    ANNEAL = 0x08
    """Starts a run of the annealer. Payload: all bytes of `AnnealerSpace.RUN`; the signature at the
    end may be left out. Reply: `Status`, when the run has started."""


REJECT = 0xFF
"""Type of the device's answer to a frame that it did not execute. Its sequence number is the one
that the device expects, its payload one `RejectReason`."""

MEMORY = struct.Struct("<HBB")
"""Where a WRITE or READ begins: byte address (bits 0 to 23), then number of the memory space."""

ADDRESS_BITS = 24
"""Width of the address in `MEMORY`: no memory space can be larger than this allows."""

READ_COUNT = struct.Struct("<B")
"""Number of bytes that a READ asks for, 1 to ``MAX_PAYLOAD - 1``: the reply also has a status."""

ACTIVATE = struct.Struct("<HI")
"""Number of features of the model, to which `SIGNED`, `PROTECTED`, `SECOND`, `STANDBY` and `SWAP`
may be added, and the digest of the model, which `STATUS` gives back."""

SIGNED = 1 << 15
"""Bit of the number of features in an ACTIVATE: the signature of the program stands behind it, and
each run must find it (`tensorspin.contract.contractor.signature`). A device that computes none,
`ContractorSize.signature`, finds the number of features wrong, `Status.BAD_FEATURE_COUNT`."""

PROTECTED = 1 << 13
"""Bit of the number of features in an ACTIVATE: the program is protected, and changed bits of it
are corrected (`tensorspin.contract.contractor.protection`). A run that reads a header which cannot
be corrected gives no scores, `Status.CORRUPT`. A device that corrects none,
`ContractorSize.protected`, finds the number of features wrong, `Status.BAD_FEATURE_COUNT`."""

SECOND = 1 << 14
"""Bit of the number of features in an ACTIVATE: the model is in the second half of the memories
(`tensorspin.contract.contractor.resident`); without it, in the first. From then on RUN uses that
half. A device whose memories have no halves, `ContractorSize.resident`, finds the number of
features wrong with this bit or one of the next two, `Status.BAD_FEATURE_COUNT`."""

STANDBY = 1 << 12
"""Bit of the number of features in an ACTIVATE: the half holds a whole model, but RUN goes on as
before. Number of features and digest are then only checked, and told again when it is
this half's turn. An ACTIVATE of the half that RUN uses anyway has its effect all the same."""

SWAP = 1 << 11
"""Bit of the number of features in an ACTIVATE: RUN is to use the half only if it holds a whole
model, which an earlier ACTIVATE has said and no WRITE or corrupt run has changed since. Otherwise
the ACTIVATE is refused with `Status.NO_MODEL`, and changes nothing."""

BOTH = STANDBY | SWAP
"""Bits of the number of features in an ACTIVATE: from now on each sample is contracted by the half
that the ACTIVATE names and then by the other one, until the next ACTIVATE that makes a model
active; the reply to a RUN has both results, and the two are one model
(`tensorspin.contract.contractor.resident`). Both halves must hold whole models, or the answer is
`Status.NO_MODEL`."""

OFFSET = struct.Struct("<H")
"""Index of the first feature of a part of a sample. 0 starts a sample; any other index must
continue the sample begun."""

SINGLE = 1 << 15
"""Bit of the `OFFSET` of a RUN: all groups of the contractor work on this sample together. A device
that cannot do that, `ContractorSize.single_drain`, finds the offset wrong, `Status.BAD_OFFSET`."""

RESULT = struct.Struct("<HHI")
"""What follows the scores: their exponent, the index of the greatest score (the first if several
are equal), and the clock cycles from the first read of the program to the last score."""

STATUS = struct.Struct("<BIHHHIIHBB")
"""The fields of `DeviceStatus`, in their order, but for two that share a byte with another one:
`corrupted` stands above `cleared`, the lowest bit, and `half` above `active`."""


class Status(enum.IntEnum):
    """First byte of every reply: the request was executed, or why it was refused."""

    OK = 0
    """The request was executed."""
    UNKNOWN_TYPE = 1
    """The device has no such request; the engine may be missing."""
    BAD_LENGTH = 2
    """The payload is too short or too long for the request, or a READ asks for too many bytes."""
    BAD_ADDRESS = 3
    """The memory space does not exist, cannot be read or written, or ends before the last byte."""
    NO_MODEL = 4
    """RUN needs an active model, and there is none; or an ACTIVATE with `SWAP` a whole one."""
    BAD_OFFSET = 5
    """The part does not continue the sample begun, or goes beyond the last possible feature."""
    BAD_FEATURE_COUNT = 6
    """The sample has another number of features than the model, or the model has an impossible
    one."""
    PROGRAM_OVERRUN = 7
    """The program runs past the end of its memory, so that there are no scores; or one of two has
    more scores than fit the reply (`BOTH`). Of a model that was activated as `SIGNED` or
    `PROTECTED`, the status is CORRUPT instead."""
    BUSY = 8
    """The annealer is running and its memories cannot be touched."""
    CORRUPT = 9
    """A run has not read the program that was loaded, so that there are no scores. From then on the
    model is not active, and each RUN is refused with this status, until the contractor's memories
    are written or a model is activated. Likewise, the annealer's memories did not hold what was
    written at the end of a run with a signature (`tensorspin.contract.annealer.signature`), and its
    results cannot be read."""
    DENIED = 10
    """A locked device (`ContractorSize.lock`) does not activate what its memories hold: the tag is
    wrong, or the version too old. No model is active, and the memories have been cleared."""


class RejectReason(enum.IntEnum):
    """Why a frame was not executed; the payload of a `REJECT`."""

    DAMAGED = 1
    """COBS, length or CRC does not fit."""
    SEQUENCE = 2
    """The sequence number is not the one expected."""
    OVERFLOW = 3
    """The receive buffer had no room for the frame."""
    NO_SESSION = 4
    """There was no HELLO since the device was configured or reset."""


def pack_memory(space: int, address: int) -> bytes:
    """Make the `MEMORY` field, which says where a WRITE or READ begins.

    Parameters
    ----------
    space : int
        Number of the memory space.
    address : int
        Byte address, less than 2**24.

    Returns
    -------
    bytes
        The field.
    """
    return MEMORY.pack(address & 0xFFFF, address >> 16, space)


def unpack_memory(payload: bytes) -> tuple[int, int]:
    """Read the `MEMORY` field at the start of a payload.

    Parameters
    ----------
    payload : bytes
        Payload of a WRITE or READ.

    Returns
    -------
    (int, int)
        Number of the memory space, and byte address.
    """
    low, high, space = MEMORY.unpack_from(payload)
    return space, high << 16 | low


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
        Frames rejected since configuration as `RejectReason.DAMAGED`, modulo 2**16.
    out_of_sequence : int
        Frames rejected as `RejectReason.SEQUENCE`, modulo 2**16. Frames outside of a
        session are not counted, here and in `overflows`.
    overflows : int
        Frames rejected as `RejectReason.OVERFLOW`, modulo 2**16.
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
        The annealer's memories have been cleared since configuration. A restart loses this bit, and
        so does a run after which they are found to be corrupt; a new session does not. So a host
        that has cleared the memories knows, as long as the bit stands, that the device was not
        restarted and still holds what the host has written since.
    corrupted : int
        How often since configuration an engine has found that its memories do not hold what was
        written (`Status.CORRUPT`): a model became inactive since a run did not read the program
        that was loaded, or a run of the annealer has no results. Modulo 2**7.
    half : int
        Half of the contractor's memories that holds the active model: 1 is the second one. 0 if
        none is active, or the memories have no halves.

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
    corrupted: int = 0
    half: int = 0

    def pack(self) -> bytes:
        """Make the bytes that follow the status byte in the reply to STATUS.

        Returns
        -------
        bytes
            The fields by the layout `STATUS`.
        """
        return STATUS.pack(
            self.active | self.half << 1,
            self.digest,
            self.damaged,
            self.out_of_sequence,
            self.overflows,
            self.samples,
            self.busy_cycles,
            self.step,
            self.annealing,
            self.cleared | self.corrupted << 1,
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
        active, digest, *counters, annealing, last = STATUS.unpack(payload)
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
            bool(last & 1),
            last >> 1,
            active >> 1 & 1,
        )
