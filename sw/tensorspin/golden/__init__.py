"""Bit-exact NumPy models of the engines, and their exact cycle counts."""
