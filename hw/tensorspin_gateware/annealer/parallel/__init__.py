"""The Ising engine that compares all spins in one cycle."""

from .annealer import Annealer

__all__ = ["Annealer"]
