"""Bit-exact NumPy model of the spatial engine."""

from .contraction import GoldenSpatial

__all__ = ["GoldenSpatial"]
