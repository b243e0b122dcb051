"""The contractor in NumPy: results bit for bit (`contraction`), and its cycles (`cycles`)."""

from .contraction import GoldenContractor, contract
from .cycles import cycle_count, multiply_accumulates, utilisation

__all__ = ["GoldenContractor", "contract", "cycle_count", "multiply_accumulates", "utilisation"]
