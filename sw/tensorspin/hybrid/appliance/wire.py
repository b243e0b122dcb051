"""How the shots of a job stand in the appliance's JSON, written by the server and read by clients.

A classical register is ``{"name": ..., "bits": ..., "data": ...}``. The data are bytes in base64:
for each row of parameters and each shot ``ceil(bits / 8)`` of them, the most significant first, as
Qiskit's ``BitArray`` holds them. A client that cannot count shots itself asks for counts instead:
``{"name": ..., "bits": ..., "counts": [{"00": 103, "11": 97}, ...]}``, one mapping for each row.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .errors import ApplianceAnswerError


def width(bits: int) -> int:
    """Count the bytes that a register takes for each shot.

    Parameters
    ----------
    bits : int
        Bits of the register, at least 1.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> width(9)
    2
    """
    return -(-bits // 8)


def pack(name: str, bits: int, shots: np.ndarray, as_counts: bool = False) -> dict[str, Any]:
    """Write a register's shots.

    Parameters
    ----------
    name : str
        Name of the register.
    bits : int
        Bits of the register.
    shots : ndarray of uint8 of shape (rows, shots, width(bits))
        What was measured.
    as_counts : bool, default=False
        Whether to count equal shots.

    Returns
    -------
    dict
        The register, for JSON.

    Examples
    --------
    >>> pack("meas", 2, np.array([[[0], [3], [3]]], dtype=np.uint8), as_counts=True)["counts"]
    [{'00': 1, '11': 2}]
    """
    register: dict[str, Any] = {"name": name, "bits": bits}
    if as_counts:
        register["counts"] = [_counts(row, bits) for row in shots]
    else:
        register["data"] = base64.b64encode(np.ascontiguousarray(shots).tobytes()).decode()
    return register


def _counts(row: np.ndarray, bits: int) -> dict[str, int]:
    words, numbers = np.unique(row, axis=0, return_counts=True)
    return {
        format(int.from_bytes(word.tobytes(), "big"), f"0{bits}b"): int(number)
        for word, number in zip(words, numbers)
    }


def unpack(
    registers: object, expected: Sequence[tuple[str, int]], rows: int, shots: int
) -> list[np.ndarray]:
    """Read the registers of an answer, and refuse what is no answer to the question.

    Parameters
    ----------
    registers : object
        The member ``registers`` of the answer's JSON.
    expected : sequence of (str, int)
        Name and bits of each register of the circuit that was sent.
    rows, shots : int
        Rows of parameters, and shots of each, that were asked for.

    Returns
    -------
    list of ndarray of uint8 of shape (rows, shots, width(bits))
        What was measured, register after register.

    Raises
    ------
    ApplianceAnswerError
        If a register is missing, or has another width or another number of shots.

    Examples
    --------
    >>> unpack([{"name": "meas", "bits": 2, "data": "AAMD"}], [("meas", 2)], 1, 3)[0].ravel()
    array([0, 3, 3], dtype=uint8)
    """
    if not isinstance(registers, list) or len(registers) != len(expected):
        found = len(registers) if isinstance(registers, list) else "none"
        raise ApplianceAnswerError(
            f"the answer must have {len(expected)} registers of measured bits, not {found}"
        )
    return [
        _unpack_one(register, name, bits, rows, shots)
        for register, (name, bits) in zip(registers, expected)
    ]


def _unpack_one(register: object, name: str, bits: int, rows: int, shots: int) -> np.ndarray:
    if not isinstance(register, Mapping) or register.get("bits") != bits:
        found = register.get("bits") if isinstance(register, Mapping) else "none"
        raise ApplianceAnswerError(f"register {name} must have {bits} bits, not {found}")
    try:
        data = base64.b64decode(register["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ApplianceAnswerError(f"the shots of register {name} are damaged: {error}") from error
    size = width(bits)
    if len(data) != rows * shots * size:
        raise ApplianceAnswerError(
            f"register {name} must have {shots} shots for each of {rows} rows of parameters, "
            f"{rows * shots * size} bytes, not {len(data)}"
        )
    array = np.frombuffer(data, dtype=np.uint8).reshape(rows, shots, size).copy()
    if bits % 8 and (array[..., 0] >> (bits % 8)).any():
        raise ApplianceAnswerError(f"register {name} has ones beyond its {bits} bits")
    return array
